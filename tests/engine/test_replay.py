"""Branches and replays: given tokens change no bit, and each stage is that of the steps."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine import tiny
from tests.engine.test_trace import CHAINS, NO_END, plain_logits, trace_of, traced

from ethogram.engine import Engine
from ethogram.engine.replay import replay
from ethogram.errors import RequestError
from ethogram.spec import Decoding, Generation, Request, Trace

PROMPT = "the cat sat on the mat and the dog ran to the house"
#: Every way in which the next token can depend on the tokens before it.
DECODINGS: dict[str, dict[str, Any]] = {
    "greedy": {"strategy": "greedy", "repetition_penalty": 1.2},
    "sampled": {"temperature": 0.8, "top_k": 40, "top_p": 0.9},
    "penalised": {"frequency_penalty": 0.4, "presence_penalty": 0.2, "dry": {"multiplier": 0.8}},
    "mirostat": {"mirostat": {"tau": 2.5, "eta": 0.3}},
    "xtc": {"xtc": {"probability": 0.5, "threshold": 0.05}, "no_repeat_ngram_size": 3},
    "guided": {"guidance_scale": 1.6, "temperature": 0.9, "top_p": 0.8},
    "layers": {"dola_layers": "low", "repetition_penalty": 1.2},
    "forced": {"forced_tokens": [7, 9], "temperature": 0.9},
    "stopped": {"temperature": 1.2, "stop": ["zzz"], "min_new_tokens": 5},
}


def make(kind: str, decoding: Decoding, *, prefix: tuple[int, ...] = (), key: int = 11) -> Any:
    request = Request("one", "p", 0, PROMPT, decoding, noise_key=key, prefix=prefix)
    model = dataclasses.replace(tiny.loaded(kind), eos_token_ids=NO_END)
    (made,) = Engine(model).generate([request], trace=True)
    return made


def bits(made: Generation) -> tuple[object, ...]:
    return made.token_ids, made.logprobs, made.text, made.finish_reason


@pytest.mark.parametrize("name", DECODINGS)
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_branch_without_changes_is_the_original_bit_for_bit(kind: str, name: str) -> None:
    decoding = Decoding(max_new_tokens=24, **DECODINGS[name])
    original = make(kind, decoding)
    for at in (1, 3, 13, 23):
        branch = make(kind, decoding, prefix=original.token_ids[:at])
        assert bits(branch) == bits(original)
        for field in dataclasses.fields(Trace):
            np.testing.assert_array_equal(
                getattr(branch.trace, field.name), getattr(original.trace, field.name)
            )
    assert bits(make(kind, decoding, key=12)) != bits(original) or not decoding.is_stochastic


@pytest.mark.parametrize("name", ["greedy", "sampled", "mirostat", "guided"])
def test_another_token_is_taken_as_given(name: str) -> None:
    decoding = Decoding(max_new_tokens=16, **DECODINGS[name])
    original = make("llama", decoding)
    other = next(token for token in (40, 41) if token != original.token_ids[4])
    prefix = (*original.token_ids[:4], other)
    branch = make("llama", decoding, prefix=prefix)
    assert branch.token_ids[:5] == prefix
    assert branch.logprobs[:4] == original.logprobs[:4]
    assert branch.token_ids[5:] != original.token_ids[5:]
    assert branch.trace.rank[4] > 1


def test_what_cannot_be_continued_is_refused() -> None:
    for settings in ({"num_beams": 3}, {"best_of": 2}, {"penalty_alpha": 0.6, "top_k": 4}):
        with pytest.raises(RequestError, match="several continuations"):
            make("llama", Decoding(max_new_tokens=4, **settings), prefix=(5,))
    with pytest.raises(RequestError, match="no token 999999"):
        make("llama", Decoding(max_new_tokens=4), prefix=(999999,))


@pytest.mark.parametrize("name", DECODINGS)
def test_the_stages_are_those_that_the_trace_recorded(name: str) -> None:
    decoding = Decoding(max_new_tokens=12, **DECODINGS[name])
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=NO_END)
    request = Request("one", "p", 0, PROMPT, decoding, noise_key=11)
    (made,) = Engine(model).generate([request], trace=True)
    found, trace = replay(Engine(model), request, made.token_ids, range(12)), trace_of(made)
    for step, token in enumerate(made.token_ids):
        if step < len(decoding.forced_tokens):
            continue
        stages = found.stages(step)
        names = [stage.name for stage in stages if stage.name not in ("model", "guidance")]
        assert tuple(names) == trace.steps
        possible = [int((stage.probabilities > 0).sum()) for stage in stages]
        assert possible[len(stages) - len(names) :] == trace.kept[step].tolist()
        for stage in stages:
            assert stage.probabilities.sum() == pytest.approx(1, abs=1e-12)
        assert stages[0].probabilities[token] == pytest.approx(np.exp(made.logprobs[step]), 1e-5)
        assert stages[-1].probabilities[token] == pytest.approx(
            float(trace.probability[step]), abs=1e-6
        )


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "-".join(chain[1]) or "none")
def test_the_stages_are_those_of_transformers_processors(chain: Any) -> None:
    decoding, processors = chain
    model = tiny.loaded("llama")
    request = Request("one", "p", 0, PROMPT, decoding, noise_key=5)
    (made,) = traced(model, [request])
    found = replay(Engine(model), request, made.token_ids, range(len(made.token_ids)))
    start = len(made.prompt_token_ids)
    logits = plain_logits(model, made)
    for step in range(len(made.token_ids)):
        ids = torch.tensor([[*made.prompt_token_ids, *made.token_ids[:step]]])
        scores = found.scores[step].logits.unsqueeze(0)
        torch.testing.assert_close(scores[0], logits[step], atol=2e-3, rtol=2e-3)
        model_stage, *stages = found.stages(step)
        np.testing.assert_allclose(
            model_stage.probabilities, scores[0].softmax(-1), rtol=0, atol=1e-6
        )
        assert [stage.name for stage in stages] == list(processors)
        for stage, processor in zip(stages, processors.values(), strict=True):
            scores = processor(start)(ids, scores)
            np.testing.assert_allclose(
                stage.probabilities, scores[0].softmax(-1), rtol=0, atol=1e-6
            )


def test_only_the_wanted_steps_are_kept_and_wrong_ones_refused() -> None:
    decoding = Decoding(temperature=0.8, max_new_tokens=12)
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=NO_END)
    request = Request("one", "p", 0, PROMPT, decoding, noise_key=11)
    (made,) = Engine(model).generate([request])
    assert sorted(replay(Engine(model), request, made.token_ids, [7, 2]).scores) == [2, 7]
    with pytest.raises(RequestError, match="has 12 tokens"):
        replay(Engine(model), request, made.token_ids, [12])
