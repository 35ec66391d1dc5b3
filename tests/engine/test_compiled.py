"""The compiled choice: what it keeps, gives and tells, against plain versions and torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from tests.engine import tiny
from tests.engine.compiled import (
    chain_of,
    kept_by_kernel,
    library,
    outputs_of,
    sample_by_kernel,
)
from tests.engine.plain import ROUNDING, exceptions, truncate
from tests.engine.scores import EMPTY, SHAPES, histories, make_scores, score_rows
from tests.engine.test_engine import DECODINGS, PROMPTS
from tests.profiles import examples
from torch import Tensor

from ethogram.engine import Engine
from ethogram.engine import sampler as choosing
from ethogram.engine.noise import draw
from ethogram.engine.sampler import sample_compiled
from ethogram.engine.steps import FUNCTIONS, History, apply_steps
from ethogram.engine.steps.mirostat import surprisal
from ethogram.engine.token_strings import StringIds
from ethogram.spec import ORDER_PRESETS, Decoding, Request
from ethogram.spec.groups import Mirostat
from ethogram.spec.steps import STEPS

#: Settings of every step that can be alone in a decoding, by its name.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "top_k": st.integers(1, 9) | st.integers(1, 6000),
    "top_p": st.floats(0.001, 0.9999) | st.sampled_from((0.25, 0.5, 0.9, 0.95, 0.999999)),
    "min_p": st.floats(0.0001, 0.999) | st.sampled_from((0.5, 0.05)),
    "typical_p": st.floats(0.001, 0.9999) | st.sampled_from((0.2, 0.5, 0.9, 0.999999)),
    "epsilon_cutoff": st.floats(1e-6, 0.99),
    "eta_cutoff": st.floats(1e-6, 0.99),
    "top_n_sigma": st.floats(0.01, 6.0),
    "top_h": st.floats(0.01, 1.0) | st.just(1.0),
}
HISTORY_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "repetition_penalty": st.floats(0.2, 4.0),
    "frequency_penalty": st.floats(-3, 3),
    "presence_penalty": st.floats(-3, 3),
    "no_repeat_ngram_size": st.integers(1, 4),
    "min_new_tokens": st.integers(1, 9),
    "logit_bias": st.dictionaries(st.integers(0, 2), st.floats(-20, 20, width=16), min_size=1),
    "dry": st.builds(dict, multiplier=st.floats(0.1, 3.0)),
    "bad_words": st.just(((1,), (2, 1), (0, 2, 1))),
}


def both(scores: Tensor, decoding: Decoding, history: History) -> tuple[Tensor, Tensor]:
    """What torch and the kernel keep."""
    torch_kept = apply_steps(scores, decoding, history) > -torch.inf
    return torch_kept, kept_by_kernel(scores, decoding, history, torch_kept)


def is_within_rounding(scores: Tensor, decoding: Decoding, history: History) -> bool:
    """Whether some step of the chain cuts so near a token that its side is a matter of rounding."""
    for name, value in decoding.steps:
        if name in VALUES or name == "mirostat":
            for row, before in enumerate(scores.numpy()):
                limit = history.surprisal_limits[row] if name == "mirostat" else value
                if truncate(name, limit, before)[1].min() < ROUNDING:
                    return True
        scores = FUNCTIONS[name](scores, value, history)
    return False


# --- what is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VALUES)
@given(scores=score_rows(), data=st.data())
@settings(max_examples=examples(60))
def test_a_step_keeps_what_its_definition_keeps(
    name: str, scores: Tensor, data: st.DataObject
) -> None:
    value = data.draw(VALUES[name])
    _, kept = both(scores, Decoding(strategy="sample", **{name: value}), EMPTY)
    exceptions(name, value, scores, kept)


@pytest.mark.parametrize("shape", ["peaked", "bf16_ties", "with_minus_inf"])
@pytest.mark.parametrize("name", [*VALUES, "mirostat", "xtc"])
def test_kernel_and_torch_seldom_differ_by_rounding(name: str, shape: str) -> None:
    """Guards the comparison with definitions, which lets them: 40 rows, none or one differs."""
    scores = make_scores(shape, 2049, seed=3, rows=40) / 2
    value: dict[str, Any] = {
        "top_k": 30,
        "epsilon_cutoff": 1e-3,
        "eta_cutoff": 1e-3,
        "top_n_sigma": 2.0,
        "min_p": 0.02,
        "mirostat": {"tau": 4.0},
        "xtc": {"probability": 1.0, "threshold": 0.02},
    }
    history = History([], [], surprisal_limits=[4 + row / 10 for row in range(40)])
    history = History(
        [[0]] * 40, [[]] * 40, keys=range(40), surprisal_limits=history.surprisal_limits
    )
    decoding = Decoding(strategy="sample", **{name: value.get(name, 0.8)})
    by_torch, by_kernel = both(scores, decoding, history)
    assert int((by_torch != by_kernel).any(-1).sum()) <= 1
    assert 1 < by_kernel.sum(-1).float().mean() < 2049, "nothing was cut, or all"


@given(case=histories(), data=st.data(), order=st.sampled_from(tuple(ORDER_PRESETS)))
@settings(max_examples=examples(250))
@pytest.mark.long
def test_a_chain_of_any_steps_keeps_what_torch_keeps(
    case: tuple[Tensor, History], data: st.DataObject, order: str
) -> None:
    """Penalties, bans and truncations in each engine's order and in orders of one's own."""
    scores, plain = case
    steps = data.draw(
        st.fixed_dictionaries({}, optional=VALUES | HISTORY_VALUES | {"temperature": TEMPERATURES})
    )
    chain: Any = order
    if data.draw(st.booleans()):
        chain = tuple(data.draw(st.permutations(list(steps))))
    decoding = Decoding(strategy="sample", order=chain, **steps)
    words = StringIds(((1,), (2, 1), (0, 2, 1)), {0: ((),), 2: ((1,),)})
    rows = range(len(scores))
    history = History(plain.prompts, plain.outputs, plain.eos_token_ids, words, list(rows))
    edited = apply_steps(scores, decoding, history)
    if not bool((edited > -torch.inf).any(-1).all()):
        return  # every token of a row is banned
    by_torch, by_kernel = both(scores, decoding, history)
    if not is_within_rounding(scores, decoding, history):
        assert torch.equal(by_torch, by_kernel)
        drawn = sample_by_kernel(scores, decoding, history).tokens
        assert drawn.tolist() == draw(edited, history.keys, lengths(history)).tolist()


TEMPERATURES = st.floats(0.3, 3.0)


def lengths(history: History) -> list[int]:
    return [len(output) for output in history.outputs]


@given(scores=score_rows(), limit=st.floats(-1, 14), data=st.data())
@settings(max_examples=examples(60))
def test_mirostat_keeps_by_the_outputs_own_limit_and_returns_the_surprisal(
    scores: Tensor, limit: float, data: st.DataObject
) -> None:
    rows = len(scores)
    limits = [limit + row for row in range(rows)]
    history = History([[0]] * rows, [[]] * rows, keys=range(rows), surprisal_limits=limits)
    decoding = Decoding(mirostat={"tau": 3.0})
    _, kept = both(scores, decoding, history)
    exceptions("mirostat", limits, scores, kept)
    chosen = sample_by_kernel(scores, decoding, history)
    left = scores.masked_fill(~kept, -torch.inf)
    expected = surprisal(left, torch.from_numpy(chosen.tokens).long())
    assert chosen.surprisals.tolist() == pytest.approx(expected, abs=1e-5)


def test_xtc_acts_at_the_same_keys_as_in_torch() -> None:
    scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(300, 1)
    history = History([[0]] * 300, [[1] * (row % 4) for row in range(300)], keys=range(300))
    decoding = Decoding(xtc={"probability": 0.4, "threshold": 0.1})
    by_torch, by_kernel = both(scores, decoding, history)
    assert torch.equal(by_torch, by_kernel)
    assert 80 < int((by_kernel.sum(-1) == 2).sum()) < 160


SOME: dict[str, Any] = {
    "top_k": 5,
    "no_repeat_ngram_size": 2,
    "min_new_tokens": 2,
    "logit_bias": {1: 2.0},
    "bad_words": ((1,),),
    "dry": {"multiplier": 0.5},
    "xtc": {"probability": 0.5},
    "mirostat": {"tau": 2.0},
}


@pytest.mark.parametrize("name", STEPS)
def test_every_declared_step_has_a_kernel(name: str) -> None:
    """Guards the translation: a step without one raises rather than being left out."""
    history = History([[1]], [[2]], frozenset({0}), StringIds(((1,),)))
    chain = chain_of(Decoding(**{name: SOME.get(name, 0.5)}), history)
    assert chain.names == [name]
    with pytest.raises(KeyError):
        chain._append("unheard_of", 1.0)


# --- negative controls ----------------------------------------------------------------------------


def test_steps_in_another_order_would_be_caught() -> None:
    scores = make_scores("peaked", 300, seed=5) / 3
    decoding = Decoding(temperature=2.0, top_p=0.6, min_p=0.2)
    expected = apply_steps(scores, decoding, EMPTY) > -torch.inf
    swapped = chain_of(decoding, EMPTY)
    swapped.steps = swapped.steps[::-1].copy()
    assert not torch.equal(kept_by_kernel(scores, decoding, EMPTY, expected, swapped), expected)


def test_ties_dropped_at_the_cut_of_top_k_would_be_caught() -> None:
    scores = make_scores("integers", 300, seed=5)
    _, kept = both(scores, Decoding(top_k=20), EMPTY)
    assert int(kept.sum(-1).min()) > 20, "there is no tie to drop"
    exactly = torch.zeros_like(kept).scatter(1, scores.topk(20).indices, True)
    with pytest.raises(AssertionError, match="top_k 20"):
        exceptions("top_k", 20, scores, exactly)


@pytest.mark.parametrize(
    ("name", "value"),
    [("frequency_penalty", 1.5), ("presence_penalty", 1.5), ("repetition_penalty", 1.5)],
)
def test_a_prompt_or_padding_counted_wrongly_would_be_caught(name: str, value: float) -> None:
    """A count too many or too few lets another token win."""
    scores = torch.tensor([[4.3, 4.5, 5.0, 4.2, 0.0, 3.0]])
    decoding = Decoding(strategy="greedy", **{name: value})
    right = History([[2, 2]], [[1]])
    wrong = {
        "the prompt taken for output": History([[]], [[2, 2, 1]]),
        "the output taken for prompt": History([[2, 2, 1]], [[]]),
        "padding counted": History([[2, 2]], [[1, 0, 0, 0]]),
        "the prompt left out": History([[]], [[1]]),
    }

    def given_by(history: History) -> int:
        return int(sample_by_kernel(scores, decoding, history).tokens[0])

    assert given_by(right) == int(apply_steps(scores, decoding, right).argmax())
    seen = {name for name, history in wrong.items() if given_by(history) != given_by(right)}
    assert (
        seen
        == {
            "frequency_penalty": {"the prompt taken for output"},
            "presence_penalty": {"the prompt taken for output"},
            "repetition_penalty": {"padding counted", "the prompt left out"},
        }[name]
    )


# --- what is returned ----------------------------------------------------------------------------


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


# --- scores that are no numbers -------------------------------------------------------------------


def settings_of_all() -> Sequence[Decoding]:
    return (
        Decoding(strategy="greedy", repetition_penalty=1.5),
        Decoding(temperature=0.5),
        Decoding(top_k=3, top_p=0.5, min_p=0.1, typical_p=0.5, top_h=0.5),
        Decoding(epsilon_cutoff=0.1, eta_cutoff=0.1, top_n_sigma=1.0, temperature=3.0),
        Decoding(mirostat={"tau": 2.0}),
        Decoding(xtc={"probability": 1.0}),
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["one", "half", "all"])
def test_scores_that_are_not_numbers_give_some_token(value: float, where: str) -> None:
    scores = torch.randn(1, 1000, generator=torch.Generator().manual_seed(1))
    scores[0, {"one": slice(7, 8), "half": slice(0, 500), "all": slice(None)}[where]] = value
    for decoding in settings_of_all():
        chosen = sample_by_kernel(scores, decoding, History([[1]], [[2]], keys=[5]), trace=True)
        assert 0 <= chosen.tokens[0] < 1000


def test_a_row_of_which_everything_is_banned_gives_some_token() -> None:
    words = StringIds(tuple((token,) for token in range(40)))
    history = History([[1]], [[2]], words=words, keys=[5])
    # What an earlier, wider row left in the kernel's memory must not be taken for a token.
    sample_by_kernel(
        torch.arange(600.0).unsqueeze(0), Decoding(top_k=1), History([[1]], [[2]], keys=[5])
    )
    for decoding in settings_of_all():
        banned = decoding.model_copy(update={"bad_words": ((1,),)})
        assert 0 <= sample_by_kernel(torch.zeros(1, 40), banned, history).tokens[0] < 40


def test_ids_beyond_the_logits_are_passed_over() -> None:
    """An end of sequence or a prompt's token may have no logit."""
    history = History([[1, 900]], [[2]], frozenset({5000}), keys=[1])
    decoding = Decoding(min_new_tokens=4, repetition_penalty=1.5, no_repeat_ngram_size=1)
    assert 0 <= sample_by_kernel(torch.zeros(1, 40), decoding, history).tokens[0] < 40


def test_extreme_scores_are_cut_as_by_their_definition() -> None:
    """Differences as small as fp32 has, and ranges that overflow it."""
    smallest = torch.arange(100, dtype=torch.int32).view(torch.float32).unsqueeze(0)
    wide = torch.linspace(-1.7e38, 1.7e38, 100).unsqueeze(0) * 2
    history = History([[1]], [[2]], keys=[5])
    for name, value in (("top_p", 0.5), ("typical_p", 0.5), ("top_k", 7)):
        decoding = Decoding(**{name: value})
        _, kept = both(smallest, decoding, EMPTY)
        exceptions(name, value, smallest, kept)
        seen = sample_by_kernel(wide, decoding, history, trace=True)
        assert seen.tokens[0] == 99
        assert seen.trace is not None
        assert seen.trace.kept[0, 0] == {"top_k": 7}.get(name, 1)


@pytest.mark.parametrize("tau", [1.0, 3.0])
def test_an_outputs_surprisal_limit_reaches_the_kernel(tau: float) -> None:
    decoding = Decoding(mirostat={"tau": tau})
    (output,) = outputs_of(decoding, History([[0]], [[]], keys=[1]), 1)
    assert output.surprisal_limit == 2 * tau == 2 * Mirostat(tau=tau, eta=0.1).tau
