"""A live batch: requests join and leave at random, and every output keeps its bits."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
from tests.engine import tiny
from tests.engine.test_engine import PROMPTS

from ethogram.engine import Engine
from ethogram.engine.live import Chosen, LiveBatch
from ethogram.errors import RequestError
from ethogram.spec import Decoding, Generation, Request

DECODINGS = (
    Decoding(strategy="greedy", repetition_penalty=1.2, max_new_tokens=20),
    Decoding(max_new_tokens=26),
    Decoding(temperature=0.8, top_p=0.9, max_new_tokens=14, stop=["e "]),
    Decoding(max_new_tokens=18, mirostat={"tau": 2.5, "eta": 0.3}),
)


def requests() -> list[Request]:
    return [
        Request(f"{i}-{j}-{k}", f"p{i}", k, prompt, decoding, noise_key=31 * i + k)
        for i, prompt in enumerate(PROMPTS)
        for j, decoding in enumerate(DECODINGS)
        for k in range(2 if decoding.is_stochastic else 1)
    ]


def what(made: Generation) -> tuple[object, ...]:
    return made.token_ids, made.logprobs, made.text, made.finish_reason


@pytest.mark.parametrize("merging", [True, False], ids=["merged", "alone"])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("seed", range(3))
def test_requests_that_join_and_leave_change_no_bit_of_the_others(
    kind: str, seed: int, merging: bool
) -> None:
    model = tiny.loaded(kind, torch.bfloat16 if seed == 2 else torch.float32)
    alone = {made.identity: what(made) for made in Engine(model).generate(requests())}
    chance = random.Random(seed)
    live = LiveBatch(Engine(model, merging=merging), max_rows=5)
    waiting = requests()
    chance.shuffle(waiting)
    made: dict[str, Generation] = {}
    tokens: dict[str, list[int]] = {}
    left: set[str] = set()
    while waiting or len(live):
        if waiting and chance.random() < 0.4:
            live.add(live.prepare(waiting.pop()))
        for chosen in live.step():
            tokens.setdefault(chosen.identity, []).extend(chosen.token_ids)
            if chosen.generation is not None:
                made[chosen.identity] = chosen.generation
        if chance.random() < 0.05 and len(live):
            identity = chance.choice(sorted({each.identity for each in requests()} - set(made)))
            live.cancel(identity)
            left.add(identity)
    started = set(made)
    assert started | left >= set(alone) - left
    assert {identity: what(each) for identity, each in made.items()} == {
        identity: alone[identity] for identity in made
    }
    assert all(tuple(tokens[identity]) == each.token_ids for identity, each in made.items())
    assert (len(live), live.running) == (0, 0)


def test_a_row_is_free_at_the_step_after_its_request_left() -> None:
    live = LiveBatch(Engine(tiny.loaded("llama")), max_rows=1)
    first, second = (Request(name, name, 0, "a b", DECODINGS[1], noise_key=3) for name in "ab")
    live.add(live.prepare(first))
    live.add(live.prepare(second))
    assert [each.identity for each in live.step()] == ["a"]
    live.cancel("a")
    assert [each.identity for each in live.step()] == ["b"]
    live.cancel("b")
    live.cancel("unknown")
    assert live.step() == []


def test_running_rows_advance_between_the_prefills_of_long_prompts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ethogram.engine.live.PREFILL_TOKENS", 60)
    live = LiveBatch(Engine(tiny.loaded("llama")), max_rows=8)
    live.add(live.prepare(Request("short", "s", 0, "a", Decoding(max_new_tokens=40), noise_key=1)))
    live.step()
    for number in range(3):
        long = f"{number} " * 25
        live.add(live.prepare(Request(long, long, 0, long, DECODINGS[1], noise_key=1)))
    steps = [[each.identity for each in live.step()] for _ in range(6)]
    assert ["short" in step for step in steps] == [True, False, True, False, True, False]


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(num_beams=2),
        Decoding(best_of=2),
        Decoding(penalty_alpha=0.5, top_k=4),
    ],
)
def test_what_cannot_join_is_refused(decoding: Decoding) -> None:
    live = LiveBatch(Engine(tiny.loaded("llama")))
    with pytest.raises(RequestError, match="cannot join a running batch"):
        live.prepare(Request("a", "p", 0, "a", decoding, noise_key=1))


def test_a_request_beyond_the_limit_is_refused() -> None:
    live = LiveBatch(Engine(tiny.loaded("llama")), max_tokens=30)
    with pytest.raises(RequestError, match="asks for 40 more; the limit is 30"):
        live.prepare(Request("a", "p", 0, "a b", Decoding(max_new_tokens=40), noise_key=1))


def test_a_request_joins_once() -> None:
    live = LiveBatch(Engine(tiny.loaded("llama")))
    job = live.prepare(Request("a", "p", 0, "a", DECODINGS[0]))
    live.add(job)
    with pytest.raises(ValueError, match="is running already"):
        live.add(job)
    assert isinstance(live.step()[0], Chosen)


@pytest.mark.parametrize("compiled", [True, False])
def test_alternatives_go_to_those_who_ask_and_change_no_bit(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr("ethogram.engine.native.library", lambda: None)
    model = tiny.loaded("llama")
    given = [replace(each, identity=f"{each.identity}-{i}") for i in "ab" for each in requests()]
    alone = {made.identity: what(made) for made in Engine(model).generate(given)}
    traced = {made.identity: made for made in Engine(model).generate(given, trace=True)}
    live = LiveBatch(Engine(model), max_rows=6)
    found: dict[str, list[object]] = {}
    for number, request in enumerate(given):
        live.add(live.prepare(request), alternatives=3 if number % 3 == 0 else 0)
        for _ in range(2):
            for chosen in live.step():
                found.setdefault(chosen.identity, []).extend(chosen.alternatives)
                if chosen.generation is not None:
                    assert what(chosen.generation) == alone[chosen.identity]
                    assert chosen.generation.trace is None
    while len(live):
        for chosen in live.step():
            found.setdefault(chosen.identity, []).extend(chosen.alternatives)
    for number, request in enumerate(given):
        trace = traced[request.identity].trace
        assert trace is not None
        expected = [
            tuple(zip(ids[:3], logprobs[:3], strict=True))
            for ids, logprobs in zip(
                trace.alternatives.tolist(), trace.alternative_logprobs.tolist(), strict=True
            )
        ]
        assert found[request.identity] == (expected if number % 3 == 0 else [])


def test_a_prompt_of_token_ids_is_read_as_it_is() -> None:
    live = LiveBatch(Engine(tiny.loaded("llama")))
    ids = (5, 9, 2, 7)
    job = live.prepare(Request("a", "p", 0, "unread", DECODINGS[0]), ids)
    assert (job.prompt_ids, job.decoder_prompt) == (ids, ids)
