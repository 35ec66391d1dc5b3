"""The engine on tiny models: determinism, ends of outputs, admission and errors."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from tests.engine import tiny

from ethogram.engine import Engine
from ethogram.errors import RequestError
from ethogram.spec import Decoding, Generation, Message, Request

PROMPTS = ("a", "the cat sat on the mat", "naïve café 日本語 🙂", "0 1 2 3 4 5 6 7 8 9 " * 4)
DECODINGS = (
    Decoding(strategy="greedy", repetition_penalty=1.2, max_new_tokens=20),
    Decoding(max_new_tokens=26),
    Decoding(temperature=0.8, top_p=0.9, max_new_tokens=14),
    Decoding(num_beams=3, max_new_tokens=12, frequency_penalty=0.5),
    Decoding(max_new_tokens=12, xtc={"probability": 0.5}, dry={"multiplier": 1.0}, bad_words=["e"]),
    Decoding(max_new_tokens=18, mirostat={"tau": 2.5, "eta": 0.3}, logit_bias={90: 2.0}),
)


def make_requests() -> list[Request]:
    return [
        Request(f"{i}-{j}-{k}", f"p{i}", k, prompt, decoding, noise_key=31 * i + k)
        for i, prompt in enumerate(PROMPTS)
        for j, decoding in enumerate(DECODINGS)
        for k in range(3 if decoding.is_stochastic else 1)
    ]


def run(model: tiny.Loaded, requests: Sequence[Request], **settings: Any) -> dict[str, Any]:
    """What was made, without the timing."""
    return {
        made.identity: (made.token_ids, made.logprobs, made.text, made.finish_reason)
        for made in Engine(model, **settings).generate(requests)
    }


def one(model: tiny.Loaded, prompt: Any, **settings: Any) -> Generation:
    settings = {"strategy": "greedy", "max_new_tokens": 20} | settings
    (made,) = Engine(model, deterministic=False).generate(
        [tiny.request(prompt, Decoding(**settings))]
    )
    return made


# --- determinism ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "llama", "t5"])
@pytest.mark.long
def test_a_generation_is_batch_invariant(kind: str, dtype: torch.dtype) -> None:
    """Alone, all together, shuffled, few or many rows: the same tokens and the same bits."""
    model, requests = tiny.loaded(kind, dtype), make_requests()
    together = run(model, requests)
    shuffled = list(requests)
    random.Random(3).shuffle(shuffled)
    assert run(model, shuffled) == together
    for max_rows in (4, 96):
        assert run(model, requests, max_rows=max_rows) == together
    for request in requests[::7]:
        assert run(model, [request]) == {request.identity: together[request.identity]}


def test_a_run_that_goes_on_later_gives_the_same() -> None:
    model, requests = tiny.loaded("llama"), make_requests()
    whole = run(model, requests)
    stopped = Engine(model).generate(requests)
    first = {made.identity for made in (next(stopped), next(stopped))}
    stopped.close()  # type: ignore[attr-defined]
    rest = run(model, [request for request in requests if request.identity not in first])
    assert rest == {name: made for name, made in whole.items() if name not in first}


def test_a_long_neighbour_changes_nothing() -> None:
    """Far past the 512 positions that torch's CPU attention takes at a time."""
    model = dataclasses.replace(tiny.long_llama(), eos_token_ids=frozenset())
    short = tiny.request("the cat sat", Decoding(max_new_tokens=70), name="short")
    long = tiny.request("the dog ran " * 330, Decoding(max_new_tokens=70), name="long")
    both = run(model, [short, long])
    assert run(model, [short]) == {"short-0": both["short-0"]}
    assert run(model, [long]) == {"long-0": both["long-0"]}
    (made,) = Engine(model).generate([dataclasses.replace(long, identity="again")])
    assert len(made.prompt_token_ids) > 600


def test_the_fast_mode_agrees_but_for_rounding() -> None:
    model, requests = tiny.loaded("llama"), make_requests()
    strict, fast = run(model, requests), run(model, requests, deterministic=False)
    assert {name: made[0] for name, made in fast.items()} == {
        name: made[0] for name, made in strict.items()
    }
    for name in strict:
        assert fast[name][1] == pytest.approx(strict[name][1], abs=1e-4)


def test_the_noise_key_decides_the_sample() -> None:
    model, decoding = tiny.loaded("llama"), Decoding(max_new_tokens=12)
    same = [
        tiny.request("the cat", decoding, index=0, key=5),
        tiny.request("the cat", decoding, index=1, key=5),
        tiny.request("the cat", decoding, index=2, key=6),
    ]
    made = run(model, same)
    assert made["p-0"] == made["p-1"]
    assert made["p-0"][0] != made["p-2"][0]


# --- log-probabilities ----------------------------------------------------------------------------


@pytest.mark.parametrize("decoding", DECODINGS, ids=lambda d: d.resolved_strategy)
def test_logprobs_are_the_models_own(decoding: Decoding) -> None:
    """Before any step, at temperature 1: those of one forward pass over prompt and output."""
    model = tiny.loaded("llama")
    (made,) = Engine(model).generate([tiny.request(PROMPTS[1], decoding)])
    ids = torch.tensor([[*made.prompt_token_ids, *made.token_ids]])
    with torch.inference_mode():
        logits = model.model(ids).logits[0].log_softmax(-1)
    start = len(made.prompt_token_ids)
    expected = [float(logits[start + i - 1, token]) for i, token in enumerate(made.token_ids)]
    assert made.logprobs == pytest.approx(expected, abs=1e-4)
    assert len(made.logprobs) == len(made.token_ids) > 0


# --- ends -----------------------------------------------------------------------------------------


def test_an_output_ends_at_its_length() -> None:
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    made = one(model, "the cat", max_new_tokens=7)
    assert made.finish_reason == "length"
    assert len(made.token_ids) == 7
    assert made.text == model.tokenizer.decode(made.token_ids, skip_special_tokens=True)
    assert made.seconds > 0


@pytest.mark.parametrize("field", ["eos_token_ids", "stop_token_ids"])
def test_an_output_ends_at_an_ending_token(field: str) -> None:
    """The token is kept in the ids and left out of the text."""
    free = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    whole = one(free, "the cat").token_ids
    end = whole[5]
    cut = whole[: whole.index(end) + 1]
    if field == "eos_token_ids":
        made = one(dataclasses.replace(free, eos_token_ids=frozenset({end})), "the cat")
    else:
        made = one(free, "the cat", stop_token_ids=(end,))
    assert made.token_ids == cut
    assert made.text == free.tokenizer.decode(cut[:-1])
    assert made.finish_reason == {"eos_token_ids": "eos", "stop_token_ids": "stop"}[field]


def test_min_new_tokens_holds_back_the_end() -> None:
    free = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    end = one(free, "the cat").token_ids[0]
    model = dataclasses.replace(free, eos_token_ids=frozenset({end}))
    assert len(one(model, "the cat").token_ids) == 1
    held = one(model, "the cat", min_new_tokens=8)
    assert end not in held.token_ids[:8]
    assert len(held.token_ids) >= 8


@pytest.mark.parametrize("settings", [{}, {"num_beams": 3, "strategy": "beam"}])
def test_an_output_ends_at_a_stop_string(settings: dict[str, Any]) -> None:
    """Strings that lie inside a token, across two, and across three, each cut from the text."""
    free = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    whole = one(free, "the cat", no_repeat_ngram_size=1, **settings)
    pieces = [free.tokenizer.decode([token]) for token in whole.token_ids]
    tried = 0
    for count in (1, 2, 3):
        for first in range(2, len(pieces) - count):
            stop = "".join(pieces[first : first + count])
            if "�" in stop or stop not in whole.text or (count > 1 and settings):
                continue
            made = one(free, "the cat", no_repeat_ngram_size=1, stop=(stop, "never"), **settings)
            assert stop not in made.text
            if settings:  # another beam may win once one has ended
                assert made.finish_reason in ("stop", "length")
            else:
                assert made.text == whole.text[: whole.text.index(stop)]
                assert made.token_ids == whole.token_ids[: len(made.token_ids)]
                assert made.finish_reason == "stop"
            tried += 1
            break
    assert tried == (1 if settings else 3)


def test_of_two_ends_in_one_output_the_first_in_the_text_cuts() -> None:
    free = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    whole = one(free, "the cat", no_repeat_ngram_size=1)
    text = whole.text.replace("�", "")
    late, early = text[-3:], text[4:7]
    made = one(free, "the cat", no_repeat_ngram_size=1, stop=(late, early))
    assert made.text == whole.text[: whole.text.index(early)]


def test_a_full_context_ends_the_output() -> None:
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset(), context_length=20)
    made = one(model, "the cat sat on the mat", max_new_tokens=100)
    assert made.finish_reason == "length"
    assert len(made.prompt_token_ids) + len(made.token_ids) == 20


def test_an_encoder_decoder_has_its_context_for_the_prompt() -> None:
    model = dataclasses.replace(tiny.loaded("t5"), eos_token_ids=frozenset(), context_length=12)
    made = one(model, "the cat sat", max_new_tokens=40)
    assert len(made.token_ids) == 40
    assert made.prompt_token_ids[-1] == 1
    with pytest.raises(RequestError, match=r"prompt p: .*context of 12"):
        one(model, PROMPTS[3])


# --- admission ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_rows_are_replaced_when_they_finish(kind: str) -> None:
    """Four rows, twelve outputs of 2 or 8 tokens: no more at once, and the short ones first."""
    model = dataclasses.replace(tiny.loaded(kind), eos_token_ids=frozenset())
    requests = [
        tiny.request(
            "the cat", Decoding(strategy="greedy", max_new_tokens=8 - 6 * (i % 2)), index=i
        )
        for i in range(12)
    ]
    counts: list[int] = []
    made = list(Engine(model, max_rows=4).generate(requests, on_tokens=counts.append))
    assert max(counts) == 4
    assert sum(counts) == sum(len(one.token_ids) for one in made) == 60
    assert made[0].sample_index % 2 == 1
    assert sorted(one.sample_index for one in made) == list(range(12))
    # Rows admitted at once take fewer steps than three full rounds of four.
    assert len(counts) < 3 * 8 if kind == "llama" else len(counts) == 3 * 8


def test_a_beam_search_gets_its_rows_beyond_max_rows() -> None:
    model = tiny.loaded("gpt2")
    decoding = Decoding(num_beams=6, max_new_tokens=9)
    requests = [tiny.request(prompt, decoding, name=prompt) for prompt in PROMPTS[:2]]
    wide = run(model, requests, max_rows=2, deterministic=False)
    for prompt in PROMPTS[:2]:
        (name,) = (request.identity for request in requests if request.prompt == prompt)
        assert list(wide[name][0]) == tiny.generate(model, prompt, decoding)


def test_no_requests_give_nothing() -> None:
    assert list(Engine(tiny.loaded("gpt2")).generate([])) == []


def test_a_chat_goes_through_the_models_template() -> None:
    model = tiny.loaded("llama")
    words = tiny.tokenizer.__wrapped__()
    words.chat_template = (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }};{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    chatty = dataclasses.replace(model, tokenizer=words, has_chat_template=True)
    made = one(chatty, (Message("system", "halt"), Message("user", "the cat")))
    assert made.prompt_text == "<system>halt;<user>the cat;<assistant>"
    assert made.token_ids == one(model, made.prompt_text).token_ids


# --- errors ---------------------------------------------------------------------------------------


def test_a_prompt_that_does_not_fit_is_named_with_its_lengths() -> None:
    """And nothing runs: the error comes at the call, before the first generation is asked for."""
    model = tiny.loaded("llama")
    requests = [
        tiny.request("the cat", Decoding(), name="short"),
        tiny.request("the dog ran " * 100, Decoding(), name="long-one"),
    ]
    with pytest.raises(RequestError) as caught:
        Engine(model).generate(requests)
    tokens = len(model.tokenizer("the dog ran " * 100).input_ids)
    assert str(caught.value).startswith(f"prompt long-one: the prompt has {tokens} tokens")
    assert "256" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("prompt", "decoding", "key", "message"),
    [
        ("", Decoding(), 1, "no tokens"),
        ("the cat", Decoding(), None, "noise key"),
        ((Message("user", "the cat"),), Decoding(), 1, "no chat template"),
    ],
    ids=["empty", "no key", "no template"],
)
def test_requests_that_cannot_be_served(
    prompt: Any, decoding: Decoding, key: int | None, message: str
) -> None:
    request = Request("x", "p7", 0, prompt, decoding, noise_key=key)
    with pytest.raises(RequestError, match=rf"^prompt p7: .*{message}"):
        Engine(tiny.loaded("gpt2")).generate([request])


def test_a_noise_key_of_zero_is_a_key() -> None:
    request = Request("x", "p", 0, "the cat", Decoding(max_new_tokens=3), noise_key=0)
    assert len(run(tiny.loaded("llama"), [request])["x"][0]) <= 3


def test_rows_must_be_positive() -> None:
    with pytest.raises(ValueError, match="max_rows is 0"):
        Engine(tiny.loaded("gpt2"), max_rows=0)
