"""Traces: the numbers of a plain computation from the model's logits and transformers' steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from tests.engine import tiny
from tests.engine.scores import make_scores

from ethogram.engine import Engine
from ethogram.engine.sampling.trace import apply_steps_counting, collect, record_step
from ethogram.engine.steps import History
from ethogram.spec import Decoding, Generation, Request, Trace

NO_END = frozenset[int]()
#: A decoding, and transformers' own steps for it, by our names, in its order.
CHAINS: list[tuple[Decoding, dict[str, Callable[[int], Any]]]] = [
    (Decoding(strategy="greedy", max_new_tokens=12), {}),
    (Decoding(max_new_tokens=12), {}),
    (
        Decoding(
            temperature=0.7,
            top_k=40,
            top_p=0.8,
            min_p=0.05,
            repetition_penalty=1.3,
            no_repeat_ngram_size=2,
            max_new_tokens=20,
        ),
        {
            "repetition_penalty": lambda _: hf.RepetitionPenaltyLogitsProcessor(1.3),
            "no_repeat_ngram_size": lambda _: hf.NoRepeatNGramLogitsProcessor(2),
            "temperature": lambda _: hf.TemperatureLogitsWarper(0.7),
            "top_k": lambda _: hf.TopKLogitsWarper(40),
            "top_p": lambda _: hf.TopPLogitsWarper(0.8),
            "min_p": lambda _: hf.MinPLogitsWarper(0.05),
        },
    ),
    (
        Decoding(temperature=1.4, typical_p=0.6, epsilon_cutoff=0.02, max_new_tokens=12),
        {
            "temperature": lambda _: hf.TemperatureLogitsWarper(1.4),
            "typical_p": lambda _: hf.TypicalLogitsWarper(0.6),
            "epsilon_cutoff": lambda _: hf.EpsilonLogitsWarper(0.02),
        },
    ),
    (
        Decoding(strategy="greedy", bad_words=((5,), (9,)), min_new_tokens=6, max_new_tokens=12),
        {
            "bad_words": lambda _: hf.NoBadWordsLogitsProcessor([[5], [9]], eos_token_id=1),
            "min_new_tokens": lambda start: hf.MinNewTokensLengthLogitsProcessor(start, 6, 1),
        },
    ),
]


def requests(decodings: Sequence[Decoding], samples: int = 3) -> list[Request]:
    return [
        Request(f"{d}/{k}/{p}", "p", k, prompt, decoding, noise_key=31 * k + 7)
        for d, decoding in enumerate(decodings)
        for p, prompt in enumerate(("the cat sat", "0 1 2 3 4 5 6 7 8 9"))
        for k in range(samples if decoding.is_stochastic else 1)
    ]


def traced(model: tiny.Loaded, asked: Sequence[Request], **options: Any) -> list[Generation]:
    return list(Engine(model, max_rows=16).generate(asked, trace=True, **options))


def trace_of(made: Generation) -> Trace:
    assert made.trace is not None
    assert len(made.trace) == len(made.token_ids)
    return made.trace


@torch.inference_mode()
def plain_logits(model: tiny.Loaded, made: Generation) -> torch.Tensor:
    """[tokens, vocab]: the logits before each new token, by one pass of the model."""
    new = list(made.token_ids)
    if model.is_encoder_decoder:
        start = model.model.generation_config.decoder_start_token_id
        source = torch.tensor([made.prompt_token_ids])
        output = model.model(input_ids=source, decoder_input_ids=torch.tensor([[start, *new[:-1]]]))
        return output.logits[0].float()
    ids = torch.tensor([[*made.prompt_token_ids, *new[:-1]]])
    return model.model(input_ids=ids).logits[0, len(made.prompt_token_ids) - 1 :].float()


@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5"])
def test_entropy_rank_and_alternatives_are_those_of_the_logits(kind: str) -> None:
    model = tiny.loaded(kind)
    beam = Decoding(num_beams=3, max_new_tokens=8)
    for made in traced(model, requests([decoding for decoding, _ in CHAINS] + [beam])):
        trace, logits = trace_of(made), plain_logits(model, made).double()
        chances = logits.softmax(-1)
        chosen = torch.tensor(made.token_ids).unsqueeze(1)
        rank = 1 + (logits > logits.gather(1, chosen)).sum(-1)
        assert trace.rank.tolist() == rank.tolist()
        entropy = torch.special.entr(chances).sum(-1)
        np.testing.assert_allclose(trace.entropy, entropy, rtol=1e-3, atol=1e-4)
        best = chances.log().topk(5)
        assert trace.alternatives.tolist() == best.indices.tolist()
        np.testing.assert_allclose(trace.alternative_logprobs, best.values, rtol=1e-3, atol=1e-4)
        own = chances.log().gather(1, chosen).squeeze(1)
        np.testing.assert_allclose(made.logprobs, own, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("chain", range(len(CHAINS)))
def test_kept_counts_are_those_of_the_reference_steps(kind: str, chain: int) -> None:
    decoding, steps = CHAINS[chain]
    model = tiny.loaded(kind)
    cut = False
    for made in traced(model, requests([decoding])):
        trace, start = trace_of(made), len(made.prompt_token_ids)
        assert trace.steps == tuple(steps) == decoding.active_step_names()
        for at, row in enumerate(plain_logits(model, made)):
            ids = torch.tensor([[*made.prompt_token_ids, *made.token_ids[:at]]])
            scores, kept = row.unsqueeze(0), []
            for make in steps.values():
                scores = make(start)(ids, scores)
                kept.append(int(scores.isfinite().sum()))
            assert trace.kept[at].tolist() == kept
            cut |= any(count < scores.shape[1] for count in kept)
            final = scores.softmax(-1)[0, made.token_ids[at]]
            assert trace.probability[at] == pytest.approx(float(final), rel=2e-3)
    assert cut == bool(steps), "these steps make some tokens impossible"


def test_mixed_with_others_and_merged_a_trace_is_the_same() -> None:
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=NO_END)
    asked = requests([decoding for decoding, _ in CHAINS] + [Decoding(num_beams=2)])[:30]
    asked = [
        dataclasses.replace(one, decoding=one.decoding.model_copy(update={"max_new_tokens": 10}))
        for one in asked
    ]
    together = {made.identity: trace_of(made) for made in traced(model, asked)}
    for one in asked:
        alone = trace_of(traced(model, [one])[0])
        for field in dataclasses.fields(Trace):
            np.testing.assert_array_equal(
                getattr(alone, field.name), getattr(together[one.identity], field.name)
            )


@pytest.mark.long
def test_tracing_changes_no_output_and_is_off_by_default() -> None:
    model = tiny.loaded("gpt2")
    asked = requests([decoding for decoding, _ in CHAINS] + [Decoding(num_beams=3)])
    plain = {made.identity: made for made in Engine(model).generate(asked)}
    assert all(made.trace is None for made in plain.values())
    for made in traced(model, asked):
        before = plain[made.identity]
        assert (made.token_ids, made.logprobs) == (before.token_ids, before.logprobs)


def test_any_number_of_alternatives() -> None:
    model = tiny.loaded("llama")
    one = requests([Decoding(max_new_tokens=3)])[:1]
    assert trace_of(traced(model, one, alternatives=2)[0]).alternatives.shape == (3, 2)
    widest = trace_of(traced(model, one, alternatives=10**6)[0]).alternatives
    assert widest.shape == (3, model.vocab_size)
    with pytest.raises(ValueError, match="at least 1"):
        Engine(model).generate(one, trace=True, alternatives=0)


def test_ties_and_tokens_that_the_model_rules_out() -> None:
    """Equal logits share the best rank; a logit of minus infinity has no part in the entropy."""
    logits = torch.tensor([[1.0, 1.0, 0.0, -torch.inf, -1.0]])
    raw = collect(logits, logits.log_softmax(-1), 2)
    scores, kept = apply_steps_counting(logits, Decoding(top_k=1), History([[0]], [[]]))
    ranks = [
        int(record_step(raw, [0], torch.tensor([token]), scores, kept).rank[0])
        for token in (0, 1, 2, 4)
    ]
    assert ranks == [1, 1, 3, 4]
    chances = logits.double().softmax(-1)
    assert float(raw.entropy[0]) == pytest.approx(float(torch.special.entr(chances).sum()))
    assert kept.tolist() == [[2]], "ties at the border stay, as in transformers"
    one = record_step(raw, [0], torch.tensor([1]), scores, kept)
    assert one.probability[0] == pytest.approx(0.5)


def test_the_entropy_of_a_row_does_not_depend_on_its_neighbours() -> None:
    """One of them has impossible tokens, for which it is summed in another way."""
    log_probs = make_scores("peaked", 5000, 3, rows=4).log_softmax(-1)
    log_probs[2, ::2] = -torch.inf
    log_probs = log_probs.log_softmax(-1)
    together = collect(log_probs, log_probs, 1).entropy
    alone = [collect(row, row, 1).entropy for row in log_probs.split(1)]
    assert torch.equal(together, torch.cat(alone))
    kept = log_probs[2, 1::2]
    assert float(together[2]) == pytest.approx(float(-(kept.exp() * kept).sum()), rel=1e-5)
