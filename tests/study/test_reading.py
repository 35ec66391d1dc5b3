"""Outputs to read: loops shown once, prompts that changed most, the files of a new version."""

from __future__ import annotations

import pytest

from ethogram.metrics import Output
from ethogram.study.reading import loop_spans, marked_loop


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No loop at all.", "No loop at all."),
        ("", ""),
        ("Well. " + "It is so. " * 5, "Well. [It is so.]×5"),
        ("Well. " + "It is so. " * 5 + "It is", "Well. [It is so.]×5It is"),
        ("on and on and on and on and", "[on and]×4"),
    ],
)
def test_a_loop_is_shown_once(text: str, shown: str) -> None:
    output = Output(text)
    assert " ".join(marked_loop(text, loop_spans(output)).split()) == shown


def test_a_loop_of_tokens_begins_at_a_sentence() -> None:
    text = "The wood was old, and t" + "he wood was warm. T" * 6
    output = Output(text, token_ids=(9, 8, *([1, 2, 3, 4] * 6)), finish_reason="length")
    assert loop_spans(output)
    assert marked_loop(text, loop_spans(output)) == (
        "The wood was old, and the wood was warm. [The wood was warm.]×5T"
    )
