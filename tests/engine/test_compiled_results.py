"""What the sampling kernel returns, for any batch and any number of threads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine import tiny
from tests.engine.compiled import (
    chain_of,
    library,
    outputs_of,
    sample_by_kernel,
)
from tests.engine.scores import SHAPES, make_scores
from tests.engine.test_engine import DECODINGS, PROMPTS
from torch import Tensor

from ethogram.engine import Engine
from ethogram.engine import sampler as choosing
from ethogram.engine.noise import draw
from ethogram.engine.sampler import sample_compiled
from ethogram.engine.steps import FUNCTIONS, History, apply_steps
from ethogram.engine.token_strings import StringIds
from ethogram.spec import Decoding, Request


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("vocab", [1, 15, 16, 17, 300, 49_152, 50_257])
def test_logprobs_are_those_of_the_model_at_temperature_1(vocab: int, dtype: torch.dtype) -> None:
    """Whatever the decoding; to 1e-5 of fp64."""
    scores = torch.randn(6, vocab, generator=torch.Generator().manual_seed(vocab))
    scores = (scores * torch.tensor([[0.0, 0.1, 1, 3, 10, 40]]).T).to(dtype)
    history = History([[0]] * 6, [[]] * 6, keys=range(6))
    decoding = Decoding(temperature=2.0, top_k=40, repetition_penalty=3.0)
    chosen = sample_by_kernel(scores, decoding, history)
    tokens = torch.from_numpy(chosen.tokens).long().unsqueeze(1)
    expected = scores.double().log_softmax(-1).gather(1, tokens).squeeze(1)
    np.testing.assert_allclose(chosen.logprobs, expected.numpy(), atol=1e-5, rtol=2e-7)
    edited = apply_steps(scores.float(), decoding, history)
    assert chosen.tokens.tolist() == draw(edited, history.keys, [0] * 6).tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_trace_equals_torch(shape: str, dtype: torch.dtype) -> None:
    scores = make_scores(shape, 700, seed=11, rows=8).to(dtype)
    history = History([[0, 3]] * 8, [[5]] * 8, keys=range(8))
    decoding = Decoding(temperature=1.5, top_k=60, top_p=0.9, repetition_penalty=1.3)
    chosen = sample_by_kernel(scores, decoding, history, trace=True, alternatives=12)
    plain = sample_by_kernel(scores, decoding, history)
    assert plain.tokens.tolist() == chosen.tokens.tolist()
    assert plain.logprobs.tobytes() == chosen.logprobs.tobytes()
    assert plain.trace is None
    seen = chosen.trace
    assert seen is not None

    raw = scores.double()
    log_probs = raw.log_softmax(-1)
    entropy = -(log_probs.exp() * log_probs.clamp(min=-1e9)).sum(-1)
    np.testing.assert_allclose(seen.entropy, entropy.numpy(), atol=1e-5)
    tokens = torch.from_numpy(chosen.tokens).long().unsqueeze(1)
    rank = 1 + (raw > raw.gather(1, tokens)).sum(-1)
    assert seen.rank.tolist() == rank.tolist()

    best = raw.sort(dim=-1, descending=True, stable=True)
    there = best.values[:, :12] > -torch.inf
    assert torch.equal(
        torch.from_numpy(seen.best).long(), best.indices[:, :12].masked_fill(~there, -1)
    )
    expected = log_probs.gather(1, best.indices)[:, :12]
    np.testing.assert_allclose(seen.best_logprobs, expected.numpy(), atol=1e-5)

    left, counts = scores.float(), []
    for name, value in decoding.steps:
        left = FUNCTIONS[name](left, value, history)
        counts.append((left > -torch.inf).sum(-1))
    assert seen.kept.tolist() == torch.stack(counts, -1).tolist()


def test_the_trace_of_a_mixed_batch_has_room_for_the_longest_chain() -> None:
    scores = make_scores("peaked", 50, seed=1, rows=1)
    decodings = [Decoding(strategy="greedy"), Decoding(), Decoding(top_k=4, top_p=0.999999)]
    history = History([[0]], [[]], keys=[3])
    outputs = [outputs_of(decoding, history, 1)[0] for decoding in decodings]
    programs = [chain_of(decoding, history) for decoding in decodings]
    chosen = sample_compiled(
        library(), outputs, programs, [0, 0, 0], scores, trace=True, alternatives=60
    )
    assert chosen.trace is not None
    assert chosen.trace.kept[:2].tolist() == [[-1, -1], [-1, -1]]
    assert chosen.trace.kept[2, 0] == 4
    assert (chosen.trace.best[:, 50:] == -1).all()
    assert chosen.tokens[0] == int(scores.argmax())


# --- what it depends on ---------------------------------------------------------------------------


def mixed_batch() -> tuple[Tensor, list[Any], list[Any], list[int]]:
    """Rows that serve several outputs each, all kinds of decodings."""
    scores = make_scores("bf16_ties", 3001, seed=9, rows=7)
    decodings = [
        Decoding(strategy="greedy"),
        Decoding(),
        Decoding(temperature=1.7, top_p=0.93),
        Decoding(typical_p=0.8, repetition_penalty=1.4, no_repeat_ngram_size=2),
        Decoding(top_k=50, min_p=0.01, frequency_penalty=0.4, bad_words=((1,), (4, 1))),
        Decoding(mirostat={"tau": 3.0}, dry={"multiplier": 1.0}),
        Decoding(order="llamacpp", xtc={"probability": 0.5}, top_n_sigma=1.2, temperature=2.0),
    ]
    outputs, programs, rows = [], [], []
    for row in range(7):
        for place, decoding in enumerate(decodings):
            words = StringIds(((1,), (4, 1)))
            history = History([[1, 2, 3, 4] * 3], [[4] * row], words=words, keys=[row * 10 + place])
            outputs += outputs_of(decoding, history, 1)
            programs.append(chain_of(decoding, history))
            rows.append(row)
    return scores, outputs, programs, rows


def bits_of(scores: Tensor, outputs: Any, programs: Any, rows: Any) -> list[Any]:
    chosen = sample_compiled(library(), outputs, programs, rows, scores, trace=True, alternatives=3)
    assert chosen.trace is not None
    parts = (chosen.tokens, chosen.logprobs, chosen.surprisals, chosen.trace.entropy)
    return [tuple(part[i].tobytes() for part in parts) for i in range(len(outputs))]


def test_sampling_is_batch_invariant_on_any_number_of_threads() -> None:
    scores, outputs, programs, rows = mixed_batch()
    together = bits_of(scores, outputs, programs, rows)
    order = np.random.default_rng(4).permutation(len(outputs))
    shuffled = bits_of(
        scores, [outputs[i] for i in order], [programs[i] for i in order], [rows[i] for i in order]
    )
    assert [shuffled[place] for place in np.argsort(order)] == together
    for i in range(0, len(outputs), 3):
        alone = bits_of(scores[rows[i] : rows[i] + 1], [outputs[i]], [programs[i]], [0])
        assert alone == [together[i]]
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            assert bits_of(scores, outputs, programs, rows) == together
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("kind", ["llama", "t5"])
@pytest.mark.long
def test_torch_samples_the_same_tokens_in_a_mixed_batch(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library()
    model = tiny.loaded(kind)
    more = (
        Decoding(top_k=8, typical_p=0.9, presence_penalty=0.5, max_new_tokens=20),
        Decoding(order="llamacpp", temperature=1.4, top_h=0.7, min_new_tokens=6, max_new_tokens=20),
        Decoding(order="vllm", min_p=0.02, eta_cutoff=1e-3, top_n_sigma=2.0, max_new_tokens=20),
    )
    requests = [
        Request(f"{i}-{j}", f"p{i}", 0, prompt, decoding, noise_key=i)
        for i, prompt in enumerate(PROMPTS)
        for j, decoding in enumerate((*DECODINGS, *more))
    ]
    compiled = {made.identity: made for made in Engine(model).generate(requests)}
    monkeypatch.setattr(choosing, "native", SimpleNamespace(library=lambda: None))
    for made in Engine(model).generate(requests):
        fused = compiled[made.identity]
        assert made.token_ids == fused.token_ids
        assert made.logprobs == pytest.approx(fused.logprobs, abs=1e-5)
