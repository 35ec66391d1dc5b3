"""Prefix sharing gives the same outputs from fewer rows."""

from __future__ import annotations

import dataclasses
import random

import pytest
import torch
from tests.engine import tiny
from tests.engine.sweeps import ENDS, run, sweep

from ethogram.engine import Engine
from ethogram.engine.forward.batch_invariance import BatchSizes
from ethogram.spec import Decoding, Request


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "llama", "t5"])
def test_merging_changes_no_bit(kind: str, dtype: torch.dtype) -> None:
    """Tokens, log-probabilities, text and ends are those of rows that never shared."""
    model = dataclasses.replace(
        tiny.loaded(kind, dtype), eos_token_ids=frozenset(range(20, 300, 9))
    )
    requests = sweep(heat=12.0 if kind == "t5" else 1.0)  # this T5 is very sure of itself
    merged, apart = Engine(model, max_rows=40), Engine(model, max_rows=40, merging=False)
    assert run(merged, requests) == run(apart, requests)
    assert merged.work.output_tokens == apart.work.output_tokens
    assert merged.work.computed_tokens < apart.work.computed_tokens
    assert merged.work.forks > 0
    assert apart.work.forks == 0


def test_work_counts_what_was_computed_and_what_came_of_it() -> None:
    """Ten greedy outputs that differ in length alone are one row to the last."""
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    requests = [
        tiny.request("the cat", Decoding(strategy="greedy", max_new_tokens=n), index=n)
        for n in range(3, 13)
    ]
    engine = Engine(model)
    made = list(engine.generate(requests))
    longest = max(made, key=lambda one: len(one.token_ids))
    for one in made:
        assert one.token_ids == longest.token_ids[: one.sample_index]
    work = engine.work
    assert work.output_tokens == sum(range(3, 13))
    assert (work.computed_tokens, work.steps, work.prefills, work.forks) == (11, 11, 1, 0)
    assert work.prompt_tokens == len(made[0].prompt_token_ids)
    assert work.merged_share == pytest.approx(1 - 12 / work.output_tokens)


def test_equal_identities_are_generated_once() -> None:
    request = tiny.request("the cat", Decoding(max_new_tokens=5))
    assert len(list(Engine(tiny.loaded("llama")).generate([request] * 3))) == 1


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("llama", torch.float32), ("gpt2", torch.bfloat16)],
    ids=["llama fp32", "gpt2 bf16"],
)
@pytest.mark.long
def test_any_order_and_any_limit_give_the_same_tokens(kind: str, dtype: torch.dtype) -> None:
    """200 requests in three random orders under each of three limits, as the default promises."""
    model = dataclasses.replace(tiny.loaded(kind, dtype), eos_token_ids=ENDS)
    requests = sweep(samples=10, tokens=12)
    assert len(requests) > 200
    first = run(Engine(model), requests)
    for limit in (5, 64, 500):
        engine = Engine(model, max_rows=limit)
        for seed in range(3):
            shuffled = list(requests)
            random.Random(seed).shuffle(shuffled)
            assert run(engine, shuffled) == first, (limit, seed)
            assert engine.work.forks > 0


@pytest.mark.parametrize("most", [1, 3, 64])
def test_a_step_of_many_rows_runs_in_parts(most: int) -> None:
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    engine = Engine(model, max_rows=40)
    whole = {name: made[0] for name, made in run(engine, sweep()).items()}
    parts = Engine(model, max_rows=40)
    parts.batch_sizes = BatchSizes(None, most)
    assert {name: made[0] for name, made in run(parts, sweep()).items()} == whole


def test_outputs_of_one_noise_key_are_admitted_together() -> None:
    """Of two decodings of many samples in a small batch, those that stay equal share a row."""
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    requests = [
        Request(f"{heat}/{k}", "p", k, "the cat", Decoding(temperature=heat, max_new_tokens=8), k)
        for heat in (0.8, 0.8000001)
        for k in range(12)
    ]
    engine = Engine(model, max_rows=6)
    run(engine, requests)
    assert engine.work.merged_share > 0.45


def test_beams_do_not_hide_what_was_merged() -> None:
    engine = Engine(dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset()))
    run(engine, [tiny.request("the cat", Decoding(num_beams=4, max_new_tokens=9))])
    assert engine.work.computed_tokens == 4 * 8
    assert engine.work.merged_share == 0
