"""Chats: what becomes of messages, templates that refuse or drop them, and stop strings."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from tests.conftest import byte_level_tokenizer
from tests.engine import tiny

from ethogram.engine import Engine
from ethogram.engine.chat import chat_text, reads_clock
from ethogram.engine.stopping import StopRules
from ethogram.errors import RequestError
from ethogram.spec import Decoding, Message, Request
from ethogram.spec.generation import ChatFormat

TURNS = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
USERS_ALONE = "{% for m in messages if m['role'] == 'user' %}{{ m['content'] }}{% endfor %}"
GREEDY = Decoding(strategy="greedy", max_new_tokens=3)
USER = Message("user", "the sea")


def _loaded(template: str) -> Any:
    words = byte_level_tokenizer(template)
    return replace(tiny.loaded("llama"), tokenizer=words, has_chat_template=True)


def _request(*messages: Message, chat: ChatFormat | None = None) -> Request:
    return Request("r", "p7", 0, messages, GREEDY, chat=chat or ChatFormat())


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            "{% if messages[0]['role'] == 'system' %}"
            "{{ raise_exception('System role not supported') }}{% endif %}" + TURNS,
            "System role not supported",
        ),
        ("{% for m in messages %}{{ m['content'] }}", "Unexpected end of template"),
        ("{{ tools[0].name }}" + TURNS, "None has no element 0"),
        ("{{ 'a' + 1 }}" + TURNS, "can only concatenate str"),
        ("{{ messages[9]['content']['x'] }}" + TURNS, "has no element 9"),
    ],
)
def test_a_template_that_refuses_or_fails_is_one_line(template: str, reason: str) -> None:
    request = _request(Message("system", "Be brief."), USER)
    with pytest.raises(RequestError, match=reason) as caught:
        list(Engine(_loaded(template)).generate([request]))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("prompt p7: the model's chat template cannot format it")
    assert caught.value.request == "r"


@pytest.mark.parametrize(
    ("template", "role", "is_said"),
    [
        (TURNS, "system", False),
        (USERS_ALONE, "system", True),
        (USERS_ALONE, "developer", True),
        ("{{ messages | tojson }}", "system", False),
    ],
)
def test_a_dropped_system_message_is_said(
    template: str, role: str, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    text = 'Say "yes",\nthen stop.'
    with caplog.at_level(logging.WARNING):
        requests = [
            replace(_request(Message(role, text), Message("user", each)), identity=each)
            for each in ("a", "b")
        ]
        assert len(list(Engine(_loaded(template)).generate(requests))) == 2
    assert caplog.text.count(f"leaves out the {role} message (2 prompts)") == is_said


def test_arguments_reach_the_template() -> None:
    template = TURNS + "{% if not enable_thinking %}<think></think>{% endif %}"
    loaded = _loaded(template)
    for value, end in (("true", "<|assistant|>"), ("false", "<think></think>")):
        chat = ChatFormat(f'{{"enable_thinking": {value}}}')
        assert chat_text(_request(USER, chat=chat), loaded).endswith(end)


def test_a_last_assistant_message_is_left_open() -> None:
    loaded = _loaded(TURNS)
    messages = (USER, Message("assistant", "It is the"))
    closed = chat_text(_request(*messages), loaded)
    assert closed == "<|user|>the sea\n<|assistant|>It is the\n<|assistant|>"
    opened = chat_text(_request(*messages, chat=ChatFormat(continues=True)), loaded)
    assert opened == "<|user|>the sea\n<|assistant|>It is the"
    with pytest.raises(RequestError, match="its last message has role user"):
        chat_text(_request(USER, chat=ChatFormat(continues=True)), loaded)


def test_a_template_reads_the_clock_only_where_the_text_shows_it() -> None:
    dated = "{{ date if date else strftime_now('%d %B %Y') }}" + TURNS
    loaded = _loaded(dated)
    assert reads_clock((USER,), ChatFormat(), loaded)
    assert not reads_clock((USER,), ChatFormat('{"date": "1 May 2020"}'), loaded)
    assert not reads_clock((USER,), ChatFormat(), _loaded(TURNS))


def test_a_finished_text_is_not_made_again() -> None:
    request = _request(USER, chat=ChatFormat(text="as it was"))
    (made,) = Engine(_loaded("{{ raise_exception('no') }}")).generate([request])
    assert made.prompt_text == "as it was"


class TestStopStrings:
    """Stop strings that are, or contain, tokens which texts leave out."""

    @staticmethod
    def _rules(*stop: str) -> StopRules:
        from tokenizers import AddedToken

        words = byte_level_tokenizer()
        words.add_tokens([AddedToken("<turn>", special=True), AddedToken("<plain>", special=False)])
        return StopRules.from_decoding(
            Decoding(stop=stop), tokenizer=words, eos_token_ids=frozenset({1}), limit=9
        )

    def test_any_special_token_acts_by_its_id(self) -> None:
        assert self._rules("<turn>").stop_token_ids == {300}
        assert self._rules("<pad>", "x").stop_token_ids == {0}
        assert self._rules("<plain>").stop_token_ids == frozenset()

    @pytest.mark.parametrize("stop", ["<turn>\n", "\n<eos>", "a<turn>b"])
    def test_one_that_contains_a_special_token_is_refused(self, stop: str) -> None:
        with pytest.raises(RequestError, match="contains the special token") as caught:
            self._rules(stop)
        assert caught.value.where == "decoding.stop"

    def test_an_output_ends_at_a_special_token_that_has_no_name(self) -> None:
        from tokenizers import AddedToken

        words = byte_level_tokenizer()
        words.add_tokens([AddedToken("sea", special=True)])
        at = words.convert_tokens_to_ids("sea")
        decoding = Decoding(strategy="greedy", max_new_tokens=4, stop=("a",), logit_bias={50: 100})
        assert at == 300
        special = words.added_tokens_decoder[at].content
        loaded = replace(tiny.loaded("llama"), tokenizer=words)
        words.add_tokens([AddedToken(words.convert_ids_to_tokens(50), special=True)])
        stop = words.convert_ids_to_tokens(50)
        decoding = decoding.model_copy(update={"stop": (stop, special)})
        (made,) = Engine(loaded).generate([Request("a", "a", 0, "the old", decoding)])
        assert (made.token_ids, made.finish_reason, made.text) == ((50,), "stop", "")
