"""MT-bench: model answers (`model_answer/*.jsonl`) and questions of FastChat's judge.

Each turn is a prompt of its own, with the id `81/1`, `81/2`, …. A later turn is a chat that holds
the model's own replies to those before it, so it has a prompt only where the file has both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ethogram.formats.base import Fields, Row, Shape, Value, stateless
from ethogram.formats.content import reference_of

_NO_REPLY = "a later turn needs the reply to the turn before it"


def _is_answer(data: Fields) -> bool:
    choices = data.get("choices")
    is_list = isinstance(choices, list) and bool(choices)
    return (
        "question_id" in data
        and is_list
        and all(isinstance(choice, dict) and "turns" in choice for choice in choices or ())
    )


def _answer(value: Value) -> Iterator[Row]:
    """Each turn of each choice; with the questions where the row has them too (`turns`)."""
    data = value.data
    group = data.get("model_id") if isinstance(data.get("model_id"), str) else None
    asked = data["turns"] if _is_question(data) else []
    for place, choice in enumerate(data["choices"]):
        index, replies = choice.get("index", place), choice["turns"]
        if not isinstance(replies, list):
            yield value.row({}, group=group, problem="turns: must be a list of texts")
            continue
        for turn, text in enumerate(replies):
            fields = _about(data, turn) | {"sample": index, "text": text}
            if turn < len(asked):
                fields["prompt"] = _prompt(asked[: turn + 1], replies[:turn])
            problem = None if isinstance(text, str) else f"turn {turn + 1}: must be a text"
            left_out = _NO_REPLY if asked and fields.get("prompt") is None else None
            yield value.row(
                fields, group=group, problem=problem, left_out=left_out, test=bool(asked)
            )


def _is_question(data: Fields) -> bool:
    turns = data.get("turns")
    is_list = isinstance(turns, list) and all(isinstance(turn, str) for turn in turns)
    return "question_id" in data and is_list and bool(turns)


def _question(value: Value) -> Iterator[Row]:
    """Each turn; what a later one answers to, each model says for itself."""
    data = value.data
    problem = "a question has no output"
    for turn, text in enumerate(data["turns"]):
        fields = _about(data, turn)
        if turn == 0:
            yield value.row({**fields, "prompt": text}, problem=problem)
        else:
            yield value.row(fields, problem=problem, left_out=_NO_REPLY)


def _about(data: Fields, turn: int) -> Fields:
    """Id, right answer and tags of a turn; `reference` has an answer for each turn."""
    category, right = data.get("category"), data.get("reference")
    if isinstance(right, list):
        right = right[turn] if turn < len(right) else None
    return {
        "prompt_id": f"{data['question_id']}/{turn + 1}",
        "reference": reference_of(right),
        "tags": [category] if isinstance(category, str) else None,
    }


def _prompt(asked: Sequence[str], replies: Sequence[Any]) -> Any:
    """The first turn as text, a later one as the chat up to it; None without its replies."""
    if len(asked) == 1:
        return asked[0]
    if len(replies) < len(asked) - 1 or not all(
        isinstance(reply, str) and reply for reply in replies
    ):
        return None
    chat = []
    for place, question in enumerate(asked):
        chat.append({"role": "user", "content": question})
        if place < len(asked) - 1:
            chat.append({"role": "assistant", "content": replies[place]})
    return chat


ANSWERS = Shape("mt-bench", "MT-bench answers (FastChat)", _is_answer, stateless(_answer))
QUESTIONS = Shape(
    "mt-bench questions", "MT-bench questions (prompts only)", _is_question, stateless(_question)
)
