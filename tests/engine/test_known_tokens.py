"""Known tokens: forced ones that are read with the prompt, which changes no output."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.engine import tiny
from tests.engine.test_replay import DECODINGS, PROMPT
from tests.engine.test_trace import NO_END

from ethogram.engine import Engine
from ethogram.engine.live import LiveBatch
from ethogram.engine.work import Work
from ethogram.spec import Decoding, Generation, Request

#: Those of which the first tokens leave more behind than themselves, or need another model's pass.
ALWAYS_CHOSEN = ("mirostat", "guided", "layers")
NEW = 24


def asked(decoding: Decoding, known: tuple[float, ...] = (), *, name: str = "one") -> Request:
    return Request(name, "p", 0, PROMPT, decoding, noise_key=11, known_logprobs=known)


def made(kind: str, *requests: Request, trace: bool = False) -> tuple[list[Generation], Work]:
    engine = Engine(dataclasses.replace(tiny.loaded(kind), eos_token_ids=NO_END))
    done = {each.identity: each for each in engine.generate(requests, trace=trace)}
    return [done[request.identity] for request in requests], engine.work


def continued(decoding: Decoding, original: Generation, at: int, *, limit: int = NEW) -> Request:
    forced = decoding.model_copy(
        update={"forced_tokens": original.token_ids[:at], "max_new_tokens": limit}
    )
    return asked(forced, original.logprobs[:at])


@pytest.mark.parametrize("name", DECODINGS)
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_what_follows_known_tokens_is_what_follows_chosen_ones(kind: str, name: str) -> None:
    decoding = Decoding(max_new_tokens=NEW, **DECODINGS[name])
    [original], _ = made(kind, asked(decoding))
    for at in (1, 13, NEW - 1, NEW):
        request = continued(decoding, original, at)
        [chosen], slow = made(kind, dataclasses.replace(request, known_logprobs=()))
        [known], quick = made(kind, request)
        assert known.token_ids == chosen.token_ids
        assert (known.text, known.finish_reason) == (chosen.text, chosen.finish_reason)
        assert known.prompt_token_ids == chosen.prompt_token_ids
        np.testing.assert_allclose(known.logprobs, chosen.logprobs, atol=1e-4)
        read = 0 if name in ALWAYS_CHOSEN else min(at, NEW - 1)
        assert slow.steps - quick.steps == read
        assert slow.output_tokens - quick.output_tokens == read
        if read:
            assert known.logprobs[:read] == original.logprobs[:read]


def test_only_the_kept_tokens_and_no_more() -> None:
    decoding = Decoding(strategy="greedy", max_new_tokens=NEW)
    [original], _ = made("llama", asked(decoding))
    [kept], work = made("llama", continued(decoding, original, 9, limit=9))
    assert kept.token_ids == original.token_ids[:9]
    assert kept.finish_reason == "length"
    assert work.output_tokens == 1


def test_a_trace_has_a_row_for_each_token() -> None:
    decoding = Decoding(temperature=0.9, max_new_tokens=NEW)
    [original], _ = made("gpt2", asked(decoding))
    [traced], _ = made("gpt2", continued(decoding, original, 9), trace=True)
    assert traced.trace is not None
    assert len(traced.trace) == len(traced.token_ids) == NEW


def test_requests_of_one_text_share_a_row_only_where_all_that_is_read_is_equal() -> None:
    decoding = Decoding(temperature=0.9, max_new_tokens=NEW)
    [original], _ = made("llama", asked(decoding))
    known = [continued(decoding, original, at) for at in (5, 9)]
    requests = [asked(decoding, name="plain")] + [
        dataclasses.replace(request, identity=f"at {len(request.known_logprobs)}")
        for request in known
    ]
    alone = [made("llama", request)[0][0] for request in requests]
    together, _ = made("llama", *requests)
    for one, other in zip(alone, together, strict=True):
        assert (one.token_ids, one.logprobs) == (other.token_ids, other.logprobs)
        assert other.token_ids == original.token_ids


def test_a_live_batch_reads_them_too() -> None:
    decoding = Decoding(temperature=0.9, max_new_tokens=NEW)
    [original], _ = made("llama", asked(decoding))
    request = continued(decoding, original, 9)
    [alone], _ = made("llama", request)
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=NO_END)
    for alternatives in (0, 3):
        live = LiveBatch(Engine(model), max_rows=4)
        live.add(live.prepare(request), alternatives=alternatives)
        steps = []
        while len(live):
            steps += live.step()
        assert steps[-1].generation is not None
        assert steps[-1].generation.token_ids == alone.token_ids
        assert sum(len(each.token_ids) for each in steps) == NEW
        if alternatives:  # Each token was chosen, and has its alternatives.
            assert sum(len(each.alternatives) for each in steps) == NEW
        else:
            assert live.work.output_tokens == NEW - 9
