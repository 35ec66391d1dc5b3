"""From messages to the prompt, as a table; and which history is dropped."""

from __future__ import annotations

from typing import Any

import pytest

from ethogram.errors import RequestError
from ethogram.spec.generation import Message
from ethogram.spec.prompt import Prompt
from ethogram.wrap.conversation import Rendered, fit, render

QA = "Question: {{ input }}\nAnswer:"
SHOTS = (
    "{% for each in examples %}Q: {{ each.input }}\nA: {{ each.output }}\n{% endfor %}"
    "Q: {{ input }}\nA:"
)
TALK = [("user", "Hi?"), ("assistant", " Hello. "), ("user", "Why?")]


def messages(turns: list[tuple[str, str]]) -> list[Message]:
    return [Message(role, text) for role, text in turns]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prompt", "turns", "expected"),
    [
        ({}, [("user", "Hi?")], "Hi?"),
        ({"template": QA}, [("user", "Hi?")], "Question: Hi?\nAnswer:"),
        (
            {"template": QA},
            TALK,
            "Question: Hi?\nAnswer: Hello.\n\nQuestion: Why?\nAnswer:",
        ),
        (
            {"template": SHOTS, "examples": [{"input": "a", "output": "b"}]},
            TALK,
            "Q: a\nA: b\nQ: Hi?\nA:  Hello. \nQ: Why?\nA:",
        ),
        (
            {"template": "{{ system }}\n{{ input }}", "system": "Be kind."},
            [("user", "Hi?")],
            "Be kind.\nHi?",
        ),
        (
            {"template": "{{ system }}\n{{ input }}", "system": "Be kind."},
            [("system", "Be brief."), ("user", "Hi?")],
            "Be brief.\nHi?",
        ),
        (
            {"template": QA},
            [("user", "One."), ("user", "Two."), ("assistant", "Ok."), ("user", "Go.")],
            "Question: One.\nTwo.\nAnswer: Ok.\n\nQuestion: Go.\nAnswer:",
        ),
        ({"chat": True}, TALK, TALK),
        ({"chat": True, "system": "S"}, TALK, [("system", "S"), *TALK]),
        ({"chat": True, "system": "S"}, [("system", "T"), *TALK], [("system", "T"), *TALK]),
        (
            {
                "chat": True,
                "template": "<{{ input }}>",
                "examples": [{"input": "a", "output": "b"}],
            },
            [("user", "Hi?")],
            [("user", "<a>"), ("assistant", "b"), ("user", "<Hi?>")],
        ),
    ],
)
def test_prompts(prompt: dict[str, Any], turns: list[tuple[str, str]], expected: Any) -> None:
    wanted: Rendered = expected if isinstance(expected, str) else tuple(messages(expected))
    assert render(Prompt.model_validate(prompt), messages(turns)) == wanted


def words(rendered: Rendered) -> int:
    text = rendered if isinstance(rendered, str) else " ".join(each.content for each in rendered)
    return len(text.split())


@pytest.mark.parametrize("chat", [True, False])
def test_the_oldest_exchanges_are_dropped_whole(chat: bool) -> None:
    turns = [("system", "be kind")]
    for number in range(4):
        turns += [("user", f"question {number}"), ("assistant", f"answer {number} of mine")]
    turns.append(("user", "the last one"))
    template = "{{ input }}" if chat else "{{ system }} {{ input }}"
    prompt = Prompt(chat=chat, template=template)
    whole = words(render(prompt, messages(turns)))
    assert fit(prompt, messages(turns), count=words, room=whole).dropped == 0
    one = fit(prompt, messages(turns), count=words, room=whole - 1)
    assert one.dropped == 2
    text = one.prompt if isinstance(one.prompt, str) else str(one.prompt)
    assert "be kind" in text
    assert "question 0" not in text
    assert "answer 0" not in text
    assert "question 1" in text
    least = fit(prompt, messages(turns), count=words, room=5)
    assert least.dropped == 8
    assert words(least.prompt) == 5


def test_a_message_that_does_not_fit_is_refused_in_one_line() -> None:
    prompt = Prompt(template=QA)
    with pytest.raises(RequestError, match="takes 5 tokens and there is room for 4") as refused:
        fit(prompt, messages([*TALK, ("assistant", "x"), ("user", "a b c")]), count=words, room=4)
    assert "\n" not in str(refused.value)


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(RequestError, match="empty"):
        render(Prompt(), [])
    with pytest.raises(RequestError, match="the last message is the assistant's"):
        render(Prompt(template=QA), messages(TALK[:2]))
