"""Beam search and contrastive search of a form: valid, and the most probable reply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine import tiny
from tests.engine.test_structure import form, least, mixed, requests, what

from benchmarks.structured import SCHEMAS, fault
from ethogram.engine import Engine
from ethogram.engine.structure import OutputForm, form_of
from ethogram.spec import Decoding

SEARCHES: tuple[dict[str, Any], ...] = (
    {"num_beams": 3},
    {"num_beams": 2, "early_stopping": True, "length_penalty": 0.0, "bad_words": ['"', "}"]},
    {"strategy": "contrastive", "penalty_alpha": 0.6, "top_k": 4},
)


@pytest.mark.parametrize("settings", SEARCHES)
@pytest.mark.parametrize("name", ["enum", "anything", "optional", "nested"])
def test_a_search_ends_within_every_limit(name: str, settings: dict[str, Any]) -> None:
    engine, shortest = Engine(tiny.loaded("llama")), least(SCHEMAS[name])
    made = [
        each
        for limit in range(shortest, shortest + 6)
        for each in engine.generate(
            [one for one in requests(settings, limit) if one.prompt_id == name], trace=limit % 2 > 0
        )
    ]
    for each in made:
        limit = int(each.identity.rpartition("/")[2])
        assert fault(each, SCHEMAS[name], limit) is None, each.text
        assert (each.trace is not None) == (limit % 2 > 0)
    assert "closed" in {each.finish_reason for each in made} or name == "enum"


def every_reply(form: OutputForm, eos: int, begun: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """All ways to write the replies of a form, in tokens."""
    words = form.mask()
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    found = []
    for token in np.flatnonzero(bits).tolist():
        after = form.after(token)
        if token == eos:
            found.append((*begun, token))
        elif after is not None:
            found += every_reply(after, eos, (*begun, token))
    return found


def test_beams_find_the_most_probable_reply_of_a_form() -> None:
    model, schema = tiny.loaded("llama"), {"enum": ["cat", "the", "old", 7, 12, 123, None, True]}
    made_of = Decoding(response_format=form(schema))
    compiled = form_of(
        made_of,
        tokenizer=model.tokenizer,
        vocab_size=model.vocab_size,
        eos_token_ids=model.eos_token_ids,
    )
    assert compiled is not None
    [eos] = model.eos_token_ids
    replies = every_reply(OutputForm(compiled, 20), eos)
    assert len(replies) >= 8
    settings = {"length_penalty": 0.0, "early_stopping": "never", "max_new_tokens": 20}
    decoding = Decoding(num_beams=len(replies), response_format=form(schema), **settings)
    [made] = Engine(model).generate([tiny.request("the cat", decoding)])
    prompt = list(made.prompt_token_ids)
    totals = []
    for reply in replies:
        with torch.inference_mode():
            logits = model.model(torch.tensor([[*prompt, *reply]])).logits[0, len(prompt) - 1 : -1]
        totals.append(float(logits.log_softmax(-1).gather(1, torch.tensor(reply)[:, None]).sum()))
    best = int(np.argmax(totals))
    assert made.token_ids == replies[best]
    assert sum(made.logprobs) == pytest.approx(totals[best], abs=1e-4)
    assert made.finish_reason == "eos"


def test_a_search_has_the_same_bits_alone_and_among_others() -> None:
    asked = [
        replace(request, identity=f"{number} {request.identity}")
        for number, settings in enumerate(SEARCHES)
        for request in requests(settings, 40)
        if request.prompt_id in ("flat", "objects")
    ]
    model = tiny.loaded("llama")
    together = {made.identity: what(made) for made in Engine(model).generate([*asked, *mixed()])}
    for request in asked:
        [alone] = Engine(model).generate([request])
        assert what(alone) == together[request.identity], request.identity
