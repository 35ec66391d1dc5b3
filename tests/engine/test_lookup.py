"""Prompt lookup: drafts change no output, and are those of transformers."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine import tiny
from tests.profiles import examples
from transformers.generation.candidate_generator import PromptLookupCandidateGenerator

from ethogram.engine import Engine
from ethogram.engine.jobs import make_jobs
from ethogram.engine.prompt_lookup import PromptLookup
from ethogram.engine.sequence import SequenceState
from ethogram.spec import Decoding, Generation, Request

LOOPING = "0 1 2 3 4 5 6 7 8 9 alpha beta gamma 0 1 2 3 4 5 6 7 8 9 alpha beta gamma 0 1 2 3 4"
DECODINGS: dict[str, dict[str, Any]] = {
    "greedy": {"strategy": "greedy"},
    "penalised": {"strategy": "greedy", "repetition_penalty": 1.1, "no_repeat_ngram_size": 5},
    "cold": {"temperature": 0.05},
    "sampled": {"temperature": 0.4, "top_p": 0.9, "frequency_penalty": 0.02},
    "steered": {"mirostat": {"tau": 1.0}},
    "stopped": {"temperature": 0.2, "stop": ("e 7", "ta g", "9")},
}


def run(kind: str, dtype: torch.dtype, *, drafts: int, **options: Any) -> tuple[Any, Any]:
    """Each decoding alone; returns generations without their times, and the rows by draft."""
    made: dict[str, Generation] = {}
    accepted = rejected = 0
    for name, one in DECODINGS.items():
        decoding = Decoding(max_new_tokens=40, prompt_lookup_num_tokens=drafts, **one)
        engine = Engine(tiny.loaded(kind, dtype), **options)
        request = Request(name, "p", 0, LOOPING, decoding, noise_key=17)
        (generation,) = engine.generate([request])
        made[name] = dataclasses.replace(generation, seconds=0)
        accepted, rejected = (
            accepted + engine.work.accepted_drafts,
            rejected + engine.work.rejected_drafts,
        )
        work = engine.work
        assert work.output_tokens == len(generation.token_ids)
        assert work.computed_tokens + work.prefills == work.output_tokens
        assert work.steps == work.output_tokens - 1 - work.accepted_drafts
    return made, (accepted, rejected)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.long
def test_drafts_change_no_bit(kind: str, dtype: torch.dtype) -> None:
    plain, nothing = run(kind, dtype, drafts=0)
    drafted, (accepted, rejected) = run(kind, dtype, drafts=6)
    assert drafted == plain
    assert nothing == (0, 0)
    assert accepted > 10, "negative control: drafts were made and came true"
    assert rejected > 10, "negative control: and others did not"


def test_drafts_change_no_token_where_bits_may_differ() -> None:
    plain, _ = run("llama", torch.float32, drafts=0, deterministic=False)
    drafted, (accepted, _) = run("llama", torch.float32, drafts=6, deterministic=False)
    assert {name: one.token_ids for name, one in drafted.items()} == {
        name: one.token_ids for name, one in plain.items()
    }
    assert accepted > 20


def test_the_last_output_of_a_batch_gets_drafts_too() -> None:
    """Outputs in a batch run row by row; the one that is left goes on with drafts."""
    todo = [
        Request(
            f"{n}",
            "p",
            0,
            LOOPING,
            Decoding(strategy="greedy", max_new_tokens=n, prompt_lookup_num_tokens=drafts),
            noise_key=1,
        )
        for drafts in (5,)
        for n in (10, 60)
    ]
    engine = Engine(tiny.loaded("llama"), merging=False)
    made = {one.identity: one for one in engine.generate(todo)}
    assert engine.work.accepted_drafts > 0
    assert made["60"].token_ids[:10] == made["10"].token_ids


def test_t5_and_searches_run_without_drafts() -> None:
    for kind, one in (("t5", {"strategy": "greedy"}), ("llama", {"num_beams": 2})):
        decoding = Decoding(max_new_tokens=20, prompt_lookup_num_tokens=5, **one)
        engine = Engine(tiny.loaded(kind))
        list(engine.generate([Request("x", "p", 0, LOOPING, decoding, noise_key=1)]))
        assert engine.work.accepted_drafts == engine.work.rejected_drafts == 0


@settings(max_examples=examples(80))
@given(
    st.lists(st.integers(5, 9), min_size=1, max_size=40),
    st.integers(0, 20),
    st.integers(1, 4),
    st.integers(1, 8),
)
def test_drafts_are_those_of_transformers(
    text: list[int], written: int, longest: int, count: int
) -> None:
    loaded = tiny.loaded("llama")
    decoding = Decoding(
        strategy="greedy",
        max_new_tokens=100,
        prompt_lookup_num_tokens=count,
        max_matching_ngram_size=longest,
    )
    (job,) = make_jobs([Request("x", "p", 0, "a", decoding)], loaded, Engine(loaded).model_pass(1))
    prompt, tokens = text[: max(1, len(text) - written)], text[max(1, len(text) - written) :]
    output = SequenceState(
        dataclasses.replace(job, decoder_prompt=tuple(prompt)), 0.0, loaded.tokenizer
    )
    lookup = PromptLookup(output)
    ours = lookup.propose(63)
    for token in tokens:  # asked after each token, and every time right
        output.push(token, 0.0)
        ours = lookup.propose(63)
    theirs = PromptLookupCandidateGenerator(
        num_output_tokens=count, max_matching_ngram_size=longest, max_length=1000
    )
    ids, _ = theirs.get_candidates(torch.tensor([text]))
    assert ours == ids[0, len(text) :].tolist()
