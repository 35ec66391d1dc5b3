"""MT-bench: model answers (`model_answer/*.jsonl`) and questions of FastChat's judge.

An answer has several turns; each is an output of its own, with the prompt id `81/1`, `81/2`, ….
"""

from __future__ import annotations

from collections.abc import Iterator

from ethogram.formats.base import Fields, Row, Shape, Value, stateless
from ethogram.formats.content import reference_of


def _is_answer(data: Fields) -> bool:
    choices = data.get("choices")
    is_list = isinstance(choices, list) and bool(choices)
    return (
        "question_id" in data
        and is_list
        and all(isinstance(choice, dict) and "turns" in choice for choice in choices or ())
    )


def _answer(value: Value) -> Iterator[Row]:
    """Each turn of each choice."""
    data = value.data
    group = data.get("model_id") if isinstance(data.get("model_id"), str) else None
    for place, choice in enumerate(data["choices"]):
        index, turns = choice.get("index", place), choice["turns"]
        if not isinstance(turns, list):
            yield value.row({}, group=group, problem="turns: must be a list of texts")
            continue
        for turn, text in enumerate(turns, start=1):
            fields = {
                "prompt_id": f"{data['question_id']}/{turn}",
                "sample": index,
                "text": text,
            }
            problem = None if isinstance(text, str) else f"turn {turn}: must be a text"
            yield value.row(fields, group=group, problem=problem)


def _is_question(data: Fields) -> bool:
    turns = data.get("turns")
    is_list = isinstance(turns, list) and all(isinstance(turn, str) for turn in turns)
    return "question_id" in data and is_list and bool(turns)


def _question(value: Value) -> Iterator[Row]:
    """The first turn; what the second answers to, each model says for itself."""
    data = value.data
    category = data.get("category")
    fields = {
        "prompt": data["turns"][0],
        "prompt_id": f"{data['question_id']}/1",
        "reference": reference_of(data.get("reference")),
        "tags": [category] if isinstance(category, str) else None,
    }
    yield value.row(fields, problem="a question has no output")


ANSWERS = Shape("mt-bench", "MT-bench answers (FastChat)", _is_answer, stateless(_answer))
QUESTIONS = Shape(
    "mt-bench questions", "MT-bench questions (prompts only)", _is_question, stateless(_question)
)
