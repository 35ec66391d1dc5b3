"""Constraints: the 25 instructions of IFEval by id, and their arguments.

Zhou et al. 2023, Instruction-Following Evaluation for Large Language Models, arXiv:2311.07911.
"""

from __future__ import annotations

from typing import Any

from ethogram.spec.source import suggest

RELATIONS = ("less than", "at least")
_COUNT, _RELATION, _TEXT, _TEXTS, _LETTER = "count", "relation", "text", "texts", "letter"

#: Instruction id to the kinds of its arguments, all of them needed.
INSTRUCTIONS: dict[str, dict[str, str]] = {
    "keywords:existence": {"keywords": _TEXTS},
    "keywords:frequency": {"keyword": _TEXT, "frequency": _COUNT, "relation": _RELATION},
    "keywords:forbidden_words": {"forbidden_words": _TEXTS},
    "keywords:letter_frequency": {
        "letter": _LETTER,
        "let_frequency": _COUNT,
        "let_relation": _RELATION,
    },
    "language:response_language": {"language": _TEXT},
    "length_constraints:number_sentences": {"num_sentences": _COUNT, "relation": _RELATION},
    "length_constraints:number_paragraphs": {"num_paragraphs": _COUNT},
    "length_constraints:number_words": {"num_words": _COUNT, "relation": _RELATION},
    "length_constraints:nth_paragraph_first_word": {
        "num_paragraphs": _COUNT,
        "nth_paragraph": _COUNT,
        "first_word": _TEXT,
    },
    "detectable_content:number_placeholders": {"num_placeholders": _COUNT},
    "detectable_content:postscript": {"postscript_marker": _TEXT},
    "detectable_format:number_bullet_lists": {"num_bullets": _COUNT},
    "detectable_format:constrained_response": {},
    "detectable_format:number_highlighted_sections": {"num_highlights": _COUNT},
    "detectable_format:multiple_sections": {"section_spliter": _TEXT, "num_sections": _COUNT},
    "detectable_format:json_format": {},
    "detectable_format:title": {},
    "combination:two_responses": {},
    "combination:repeat_prompt": {"prompt_to_repeat": _TEXT},
    "startend:end_checker": {"end_phrase": _TEXT},
    "startend:quotation": {},
    "change_case:capital_word_frequency": {
        "capital_frequency": _COUNT,
        "capital_relation": _RELATION,
    },
    "change_case:english_capital": {},
    "change_case:english_lowercase": {},
    "punctuation:no_comma": {},
}


def check_constraint(instruction: str, kwargs: dict[str, Any]) -> None:
    """Refuse an instruction that is unknown, or arguments that do not fit it.

    Raises:
        ValueError: names what is wrong and the nearest valid name.
    """
    if instruction not in INSTRUCTIONS:
        raise ValueError(f"unknown instruction {instruction!r}; {_nearest(instruction)}")
    wanted = INSTRUCTIONS[instruction]
    for name in kwargs:
        if name not in wanted:
            hint = suggest(name, list(wanted)) if wanted else "it takes none"
            raise ValueError(f"{instruction} has no argument {name!r}; {hint}")
    for name, kind in wanted.items():
        if name not in kwargs:
            raise ValueError(f"{instruction} needs the argument {name!r}")
        if (expected := _expected(kind, kwargs[name])) is not None:
            raise ValueError(f"{instruction}: {name} must be {expected}, got {kwargs[name]!r}")


def _nearest(instruction: str) -> str:
    """The nearest id, by the whole or by the part behind the colon alone."""
    behind = {name.split(":")[1]: name for name in INSTRUCTIONS}
    if instruction in behind:
        return f"did you mean {behind[instruction]!r}?"
    return suggest(instruction, list(INSTRUCTIONS))


def _expected(kind: str, value: Any) -> str | None:
    """What a value of this kind has to be, where it is not."""
    text = isinstance(value, str) and bool(value.strip())
    fits, expected = {
        _COUNT: (
            isinstance(value, int) and not isinstance(value, bool) and value >= 0,
            "a whole number from 0 on",
        ),
        _RELATION: (value in RELATIONS, " or ".join(map(repr, RELATIONS))),
        _TEXT: (text, "a text"),
        _LETTER: (text and len(value.strip()) == 1, "one character"),
        _TEXTS: (
            isinstance(value, list | tuple)
            and bool(value)
            and all(isinstance(item, str) and item.strip() for item in value),
            "a list of texts",
        ),
    }[kind]
    return None if fits else expected
