"""Memory and time of a live batch: slots take what is written, prompts run between decode steps."""

from __future__ import annotations

import random
import sys

import psutil
import pytest
import torch
from tests.engine import tiny
from tests.engine.test_engine import PROMPTS
from tests.engine.test_live import DECODINGS, requests, what

from ethogram.engine import Engine
from ethogram.engine.forward.kv_cache import KEPT, SlotCache
from ethogram.engine.forward.paged_memory import IS_SUPPORTED, PagedArray
from ethogram.engine.live import LiveBatch
from ethogram.spec import Decoding, Generation, Request

linux = pytest.mark.skipif(not IS_SUPPORTED, reason="memory by the page is Linux's")
LONG = " ".join(f"the old lighthouse keeper wrote letter {i} to the sea" for i in range(30))


def resident() -> int:
    return int(psutil.Process().memory_info().rss)


@linux
def test_an_array_takes_memory_where_it_is_written_and_gives_it_back() -> None:
    shape = (64, 4, 8192, 64)  # 512 MB in fp32
    before = resident()
    array = PagedArray(shape, torch.float32)
    assert array.tensor.shape == shape
    assert resident() - before < 20_000_000
    array.tensor[5] = 1.0
    assert array.tensor[5].sum() == 4 * 8192 * 64
    array.tensor[4, -1, -1], array.tensor[6, 0, 0] = 2.0, 3.0
    taken = resident()
    assert 8_000_000 <= taken - before < 30_000_000
    array.release(5)
    assert taken - resident() > 7_000_000
    assert float(array.tensor[4, -1, -1, 0]) == 2.0
    assert float(array.tensor[6, 0, 0, 0]) == 3.0
    assert not array.tensor[5, :, 64:-64].any()


@linux
def test_64_rows_of_8192_tokens_take_what_they_use() -> None:
    heads, dim, layers = 3, 64, 30  # the built-in model: 24 GB at full length
    cache = SlotCache(layers, 64, reserved=8192)
    before = resident()
    for row in range(64):
        length = 7000 if row == 9 else 40
        pair = torch.ones(1, heads, length, dim)
        cache.fill(row, [(pair, pair)] * layers)
    needed = (7000 + 63 * 40) * 2 * heads * dim * layers * 4
    taken = resident() - before
    assert needed * 0.9 < taken < needed * 1.5
    cache.release(9, 7000)
    assert resident() - before < taken * 0.5
    assert cache.capacity == 8192


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("paged", [True, False])
def test_paged_slots_give_the_same_bits(
    kind: str, paged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not paged:
        monkeypatch.setattr("ethogram.engine.forward.kv_cache.IS_SUPPORTED", False)
    monkeypatch.setattr("ethogram.engine.forward.kv_cache.KEPT", 4)
    model = tiny.loaded(kind)
    alone = {made.identity: what(made) for made in Engine(model).generate(requests())}
    live = LiveBatch(Engine(model), max_rows=6, max_tokens=200)
    made = run(live, requests(), random.Random(1))
    assert live._batch.forward.cache.is_paged == (paged and sys.platform == "linux")
    assert {identity: what(each) for identity, each in made.items()} == alone


def run(
    live: LiveBatch, given: list[Request], chance: random.Random, cancel: float = 0.0
) -> dict[str, Generation]:
    """Let requests join at random; return what finished."""
    waiting, made = list(given), dict[str, Generation]()
    while waiting or len(live):
        if waiting and chance.random() < 0.5:
            live.add(live.prepare(waiting.pop()))
        for chosen in live.step():
            if chosen.generation is not None:
                made[chosen.identity] = chosen.generation
        if chance.random() < cancel and len(live):
            live.cancel(chance.choice(sorted({each.identity for each in given} - set(made))))
    return made


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("seed", range(3))
def test_prompts_in_parts_change_no_bit(
    kind: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ethogram.engine.forward.decoder_only.DecoderOnly.chunk", 8)
    monkeypatch.setattr("ethogram.engine.forward.fused._LONGEST_PROMPT", 4)
    monkeypatch.setattr("ethogram.engine.live.PREFILL_TOKENS", 16)
    model = tiny.loaded(kind)
    given = requests()
    given += [
        Request(f"long-{i}-{j}", f"l{i}", j, text, decoding, noise_key=i)
        for i, text in enumerate((PROMPTS[0] * 3, f"{PROMPTS[0] * 2} and {PROMPTS[1] * 2}"))
        for j, decoding in enumerate(DECODINGS)
    ]
    alone = {made.identity: what(made) for made in Engine(model).generate(given)}
    chance = random.Random(seed)
    chance.shuffle(given)
    live = LiveBatch(Engine(model), max_rows=6)
    made = run(live, given, chance, cancel=0.05 * seed)
    assert {name: what(each) for name, each in made.items()} == {name: alone[name] for name in made}
    assert len(made) == len(given) if not seed else made
    assert (len(live), live.running, live._reserved) == (0, 0, 0)


def test_a_long_prompt_runs_between_the_steps_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ethogram.engine.forward.decoder_only.DecoderOnly.chunk", 8)
    monkeypatch.setattr("ethogram.engine.forward.fused._LONGEST_PROMPT", 4)
    monkeypatch.setattr("ethogram.engine.live.PREFILL_TOKENS", 8)
    live = LiveBatch(Engine(tiny.loaded("llama")), max_rows=4)
    decoding = Decoding(max_new_tokens=60, min_new_tokens=60)
    live.add(live.prepare(Request("short", "s", 0, "a", decoding, noise_key=1)))
    for _ in range(2):  # Its prompt, and the step that is due after a prompt.
        live.step()
    text = "the old lighthouse keeper"
    long = live.prepare(Request("long", "l", 0, text * 3, decoding, noise_key=1))
    parts = -(-len(long.prompt_ids) // 8)
    assert parts > 3
    live.add(long)
    steps = [[each.identity for each in live.step()] for _ in range(2 * parts)]
    assert steps == [[], ["short"]] * (parts - 1) + [["long"], ["short", "long"]]
    live.add(live.prepare(Request("other", "o", 0, text * 4, decoding, noise_key=1)))
    live.step()
    live.cancel("other")
    assert [each.identity for each in live.step()] == ["short", "long"]
    assert len(live) == 2


def test_requests_join_while_there_is_memory() -> None:
    engine = Engine(tiny.loaded("llama"))
    decoding = Decoding(max_new_tokens=40, min_new_tokens=40)
    live = LiveBatch(engine, max_rows=8, memory_bytes=1)
    jobs = [live.prepare(Request(n, n, 0, "a b", decoding, noise_key=1)) for n in "abc"]
    live.memory_bytes = 2 * live._bytes(jobs[0])
    for job in jobs[:2]:
        assert live.has_memory(job)
        live.add(job)
    assert not live.has_memory(jobs[2])
    live.cancel("a")
    assert live.has_memory(jobs[2])
    live.memory_bytes = 1
    assert not live.has_memory(jobs[2])
    live.cancel("b")
    assert live.has_memory(jobs[2]), "alone it always starts"


def test_what_is_kept_of_a_free_slot_is_a_request_of_ordinary_length() -> None:
    assert KEPT * 46_080 * 64 < 2**31
