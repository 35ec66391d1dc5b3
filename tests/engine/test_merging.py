"""Prefix sharing gives the same outputs from fewer rows, in slots without holes."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine import tiny
from tests.profiles import examples

from ethogram.engine import Engine
from ethogram.engine.allocation import BatchNeeds, SlotNeed
from ethogram.engine.batch import Batch
from ethogram.engine.forward.batch_invariance import CANDIDATES, BatchSizes, invariant_batch_sizes
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.encoder_decoder import EncoderDecoder
from ethogram.engine.forward.passes import ForwardPass
from ethogram.engine.guidance import BranchModel
from ethogram.engine.slots import Slots
from ethogram.errors import ModelError
from ethogram.spec import Decoding, Request

#: Every ninth id ends a sequence, so that outputs end at many places.
ENDS = frozenset(range(20, 300, 9))
PROMPTS = ("the cat sat", "naïve café 日本語", "0 1 2 3 4 5 6 7 8 9 " * 4)


def sweep(samples: int = 3, tokens: int = 20, heat: float = 1.0) -> list[Request]:
    """Neighbouring settings on the same noise, as a sweep has them, and a beam search between."""
    decodings = [
        Decoding(strategy="greedy", max_new_tokens=tokens),
        Decoding(strategy="greedy", max_new_tokens=tokens + 7),
        *(
            Decoding(temperature=heat * warm, top_p=mass, max_new_tokens=tokens)
            for warm in (0.5, 0.6, 0.7)
            for mass in (0.9, 1.0)
        ),
        Decoding(num_beams=3, max_new_tokens=tokens),
        Decoding(temperature=0.6, repetition_penalty=1.1, max_new_tokens=tokens),
    ]
    return [
        Request(f"{p}/{d}/{k}", f"p{p}", k, prompt, decoding, noise_key=97 * p + k)
        for p, prompt in enumerate(PROMPTS)
        for d, decoding in enumerate(decodings)
        for k in range(samples if decoding.is_stochastic else 1)
    ]


def run(engine: Engine, requests: Sequence[Request]) -> dict[str, Any]:
    return {
        made.identity: (made.token_ids, made.logprobs, made.text, made.finish_reason)
        for made in engine.generate(requests)
    }


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


# --- prompts that begin alike ---------------------------------------------------------------------

HEADER = "the cat sat on the mat and the dog ran to the house of the old man " * 3


def headed(count: int = 4) -> list[Request]:
    decoding = Decoding(temperature=0.9, max_new_tokens=6)
    return [
        tiny.request(f"{HEADER}{'0 1 2 ' * n}{n} there", decoding, index=0, key=n, name=f"p{n}")
        for n in range(count)
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "llama"])
def test_a_cached_prefix_is_computed_once_and_changes_no_bit(
    kind: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, values and logits are those of the prompt read alone, whatever came before it."""
    monkeypatch.setattr(DecoderOnly, "chunk", 16)
    model = tiny.loaded(kind, dtype)
    engine = Engine(model)
    alone = {}
    for request in headed():
        alone |= run(engine, [request])
        work = engine.work
        assert work.prompt_tokens == work.prompt_tokens_computed > 16
    assert run(engine, list(reversed(headed()))) == alone
    work = engine.work
    assert work.prefills == 4
    shared = len(model.tokenizer(HEADER).input_ids) // 16 * 16
    assert shared > 16
    assert 3 * shared <= work.prompt_tokens - work.prompt_tokens_computed

    forward = DecoderOnly(model, 1)
    first, other = (model.tokenizer(one.prompt).input_ids for one in headed(2))
    before, whole = forward.prefill(first), forward.prefill(other)
    cached = tuple((keys[:, :, :16], values[:, :, :16]) for keys, values in before.pairs)
    rest = forward.prefill(other, cached)
    assert torch.equal(rest.logits, whole.logits)
    for (keys, values), (same_keys, same_values) in zip(rest.pairs, whole.pairs, strict=True):
        assert torch.equal(keys, same_keys)
        assert torch.equal(values, same_values)


def test_an_equal_or_shorter_prompt_still_computes_its_last_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DecoderOnly, "chunk", 4)
    model = tiny.loaded("llama")
    texts = ("0 1 2 3 4 5 6 7 8 9", "0 1 2 3 4 5 6 7", "0 1 2 3", "0")
    requests = [
        tiny.request(text, Decoding(strategy="greedy", max_new_tokens=4), name=text)
        for text in texts
    ]
    alone: dict[str, Any] = {}
    for request in requests:
        alone |= run(Engine(model), [request])
    assert run(Engine(model), requests) == alone


def test_an_encoder_shares_no_prefix() -> None:
    engine = Engine(tiny.loaded("t5"))
    run(engine, headed())
    assert engine.work.prompt_tokens == engine.work.prompt_tokens_computed


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


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "usable"),
    [(BatchSizes(None, 64), 7), (BatchSizes((4,), 4), 4), (BatchSizes((4, 6, 8), 8), 6)],
    ids=["any number", "fours", "some numbers"],
)
@pytest.mark.parametrize("is_setting", [True, False], ids=["memory_bytes", "free memory"])
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
    forward = Engine(model)._model_pass(3)
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

    monkeypatch.setattr(DecoderOnly, "prefill", short)
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


# --- slots ----------------------------------------------------------------------------------------


class Written:
    """Stands for an output: a history of letters."""

    def __init__(self, name: str) -> None:
        self.name, self.token_ids, self.finish_reason = name, list[int](), None

    @property
    def length(self) -> int:
        return 1 + len(self.token_ids)


@given(seed=st.integers(0, 10**6), count=st.integers(1, 9))
@settings(max_examples=examples(60))
def test_slots_hold_the_tokens_of_their_outputs_without_holes(seed: int, count: int) -> None:
    """A random life of outputs over slots of plain lists, checked after each step."""
    chance = random.Random(seed)
    memory: dict[int, list[int]] = {}

    def copy(source: int, target: int, length: int) -> None:
        memory[target] = memory[source][:length]

    slots = Slots(copy)
    for shared in slots.share([Written(str(n)) for n in range(count)]):  # type: ignore[misc]
        memory[shared.slot] = [0]
    alive = count
    while len(slots):
        for group in list(slots.groups()):
            for output in group.outputs:
                output.token_ids.append(chance.choice((1, 1, 1, 2)))
                if chance.random() < 0.15:
                    output.finish_reason = "eos"
                    alive -= 1
        before = len(slots)
        forks = 0
        for group in list(slots.groups()):
            forks += group.settle(slots)
        assert len(slots) <= before + forks
        assert sum(len(group.outputs) for group in slots.groups()) == alive
        for number, group in enumerate(slots.owners):
            assert group.rows == [number]
            history = group.outputs[0].token_ids
            assert all(output.token_ids == history for output in group.outputs)
            memory[number] = [*memory[number][: len(history)], *group.last_tokens]  # the next step
            assert memory[number] == [0, *history]
        histories = [tuple(group.outputs[0].token_ids) for group in slots.groups()]
        assert len(set(histories)) == len(histories)
    assert alive == 0


# --- the class of row counts ----------------------------------------------------------------------


def test_invariant_batch_sizes_hold_on_this_machine() -> None:
    """Whatever the range is, the counts in it give equal bits."""
    model = tiny.loaded("gpt2").model
    found = invariant_batch_sizes(model.modules())
    assert found.allowed is not None
    assert 64 in found.allowed
    assert set(found.allowed) <= set(CANDIDATES)
    layer = model.transformer.h[0].mlp.c_fc
    rows = torch.randn(192, layer.weight.shape[0], generator=torch.Generator().manual_seed(9))
    among = torch.cat([layer(part) for part in rows.split(64)])
    for count in found.allowed:
        assert torch.equal(layer(rows[:count]), among[:count])


def test_a_product_that_differs_by_batch_size_narrows_the_sizes() -> None:
    class Odd(torch.nn.Linear):
        """Rounds differently below 32 and above 96 rows."""

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            out = super().forward(rows)
            return out if 32 <= len(rows) <= 96 else out * (1 + 2**-20)

    Odd.__name__ = "Linear"
    torch.manual_seed(0)
    found = invariant_batch_sizes([Odd(24, 40)])
    assert found.allowed is not None
    assert min(found.allowed) >= 32
    assert max(found.allowed) == found.largest <= 96


@pytest.mark.parametrize(("first", "most"), [(64, 64), (100, 96), (160, 160), (191, 176)])
def test_rows_beyond_the_reference_are_compared_too(first: int, most: int) -> None:
    """A product that rounds differently from some row on, which the first 64 never show."""

    class Late(torch.nn.Linear):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            out = super().forward(rows)
            out[first:] *= 1 + 2**-20
            return out

    Late.__name__ = "Linear"
    torch.manual_seed(0)
    found = invariant_batch_sizes([Late(24, 40)])
    assert found.allowed is not None
    assert found.largest <= most
    assert 64 in found.allowed


@pytest.mark.parametrize(("rows", "fed"), [(1, 4), (4, 4), (5, 16), (64, 64)])
def test_rows_are_padded_to_the_next_allowed_size(rows: int, fed: int) -> None:
    assert BatchSizes((4, 16, 64), 64).padded(rows) == fed
    assert BatchSizes(None, 64).padded(rows) == rows
