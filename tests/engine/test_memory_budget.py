"""A batch takes no more memory than there is, and goes on with half where it did not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.engine import tiny
from tests.engine.sweeps import ENDS, PROMPTS, run, sweep

from ethogram.engine import Engine
from ethogram.engine.allocation import BatchNeeds, SlotNeed
from ethogram.engine.batch import Batch
from ethogram.engine.forward.batch_invariance import CANDIDATES, BatchSizes
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.encoder_decoder import EncoderDecoder
from ethogram.engine.forward.passes import ForwardPass
from ethogram.engine.guidance import BranchModel
from ethogram.errors import ModelError
from ethogram.spec import Decoding, Request


@pytest.mark.parametrize(
    ("rows", "usable"),
    [(BatchSizes(None, 64), 7), (BatchSizes((4,), 4), 4), (BatchSizes((4, 6, 8), 8), 6)],
    ids=["any number", "fours", "some numbers"],
)
@pytest.mark.parametrize("is_setting", [True, False], ids=["memory_bytes", "free memory"])
@pytest.mark.long
def test_few_slots_are_used_where_memory_is_short(
    monkeypatch: pytest.MonkeyPatch, rows: BatchSizes, usable: int, is_setting: bool
) -> None:
    """Room for seven slots of these prompts and lengths, and padding takes slots as well."""
    from ethogram.engine import engine as module

    model, requests = tiny.loaded("llama"), sweep()
    whole = {name: made[0] for name, made in run(Engine(model), requests).items()}
    forward = DecoderOnly(model, 1)
    length = max(len(model.tokenizer(prompt).input_ids) for prompt in PROMPTS) + 27
    slot = forward.slot_bytes(length, 0)
    monkeypatch.setattr(Engine, "batch_sizes", rows)
    if not is_setting:
        monkeypatch.setattr(module, "available_bytes", lambda device: 14 * slot)
    batches = watch_batches(monkeypatch)
    engine = Engine(model, memory_bytes=7 * slot if is_setting else None)
    assert {name: made[0] for name, made in run(engine, requests).items()} == whole
    (batch,) = batches
    assert batch.config.max_outputs == usable
    assert held_bytes(batch.forward) == engine.work.slots_bytes == usable * slot
    assert engine.work.memory_budget == 7 * slot


def watch_batches(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    batches: list[Batch] = []
    plain = Batch.__init__

    def traced(self: Any, *arguments: Any, **settings: Any) -> None:
        plain(self, *arguments, **settings)
        batches.append(self)

    monkeypatch.setattr(Batch, "__init__", traced)
    return batches


def held_bytes(forward: ForwardPass) -> int:
    """Bytes of the tensors that hold keys and values."""
    caches = [forward.cache]
    if isinstance(forward, EncoderDecoder):
        caches.append(forward.cross.slots)
    parts = [part for cache in caches for one in cache.layers for part in (one.keys, one.values)]
    return sum(part.nbytes for part in parts)


@given(
    st.integers(1, 300),
    st.integers(0, 10**6),
    st.sets(st.sampled_from(CANDIDATES), min_size=1),
    st.integers(1, 400),
)
def test_a_budget_holds_as_many_outputs_as_their_slots_allow(
    limit: int, budget: int, counts: set[int], beside: int
) -> None:
    needs = BatchNeeds(
        SlotNeed(BatchSizes(tuple(sorted(counts)), max(counts)), 700, 1000),
        {BranchModel(): SlotNeed(BatchSizes(None, 64), 300, beside)},
    )
    fitting = [n for n in range(1, limit + 1) if needs.allocated_bytes(n) <= budget]
    assert needs.most_outputs(budget, limit) == max(fitting, default=0)


def test_a_budget_below_one_output_still_runs_one() -> None:
    model = tiny.loaded("llama")
    engine = Engine(model, memory_bytes=1)
    (made,) = engine.generate([tiny.request("the cat", Decoding(max_new_tokens=5))])
    assert made.token_ids
    with pytest.raises(ValueError, match="memory_bytes is 0; it must be at least 1"):
        Engine(model, memory_bytes=0)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5"])
def test_the_memory_of_a_slot_is_what_its_keys_and_values_take(kind: str) -> None:
    model = tiny.loaded(kind)
    forward = Engine(model).model_pass(3)
    forward.start(64 if kind == "t5" else 0)
    forward.fill(0, forward.prefill(model.tokenizer("the cat").input_ids))
    assert 3 * forward.slot_bytes(60, 64 if kind == "t5" else 0) == held_bytes(forward)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("x"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["python", "cuda", "cpu"],
)
def test_a_batch_that_does_not_fit_goes_on_with_half(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    model, requests = tiny.loaded("llama"), sweep()
    whole = run(Engine(model), requests)
    plain, failed = DecoderOnly.decode, []

    def short(self: Any, tokens: Sequence[int], *rest: Any, **named: Any) -> Any:
        if self.cache.rows > 16:
            failed.append(self.cache.rows)
            raise error
        return plain(self, tokens, *rest, **named)

    monkeypatch.setattr(DecoderOnly, "decode", short)
    assert run(Engine(model), requests) == whole
    assert failed
    assert failed == sorted(failed, reverse=True)


@pytest.mark.fault("memory runs out in the middle of a batch")
@pytest.mark.parametrize("merging", [True, False])
def test_tokens_of_a_batch_that_did_not_fit_are_discarded(
    monkeypatch: pytest.MonkeyPatch, merging: bool
) -> None:
    """Some outputs have finished when it fails, of some only candidates, and others run."""
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=ENDS)
    more = [
        Decoding(best_of=4, max_new_tokens=20),
        Decoding(penalty_alpha=0.5, top_k=4, max_new_tokens=15),
    ]
    requests = sweep() + [
        Request(f"{p}/more/{d}", f"p{p}", 0, prompt, decoding, noise_key=p)
        for p, prompt in enumerate(PROMPTS)
        for d, decoding in enumerate(more)
    ]
    whole = Engine(model, merging=merging, max_rows=24)
    expected = run(whole, requests)
    assert whole.work.discarded_tokens == 0
    plain, left = DecoderOnly.decode, [11, 14, 13]

    def short(self: Any, *arguments: Any, **named: Any) -> Any:
        if left:
            left[0] -= 1
            if not left[0]:
                del left[0]
                raise MemoryError
        return plain(self, *arguments, **named)

    monkeypatch.setattr(DecoderOnly, "decode", short)
    engine = Engine(model, merging=merging, max_rows=24)
    reported: list[int] = []
    made = {
        one.identity: one.token_ids for one in engine.generate(requests, on_tokens=reported.append)
    }
    assert made == {name: one[0] for name, one in expected.items()}
    assert not left
    assert engine.work.output_tokens == whole.work.output_tokens
    assert engine.work.discarded_tokens > 0
    assert sum(reported) == engine.work.output_tokens + engine.work.discarded_tokens


def test_one_output_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(self: Any, *_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(DecoderOnly, "prefill_in_parts", short)
    with pytest.raises(
        ModelError, match="out of memory: not enough free memory for a single sequence; choose"
    ):
        run(Engine(tiny.loaded("llama")), sweep())


def test_other_errors_are_not_taken_for_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, *_: Any, **__: Any) -> Any:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(DecoderOnly, "decode", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        run(Engine(tiny.loaded("llama")), sweep())
