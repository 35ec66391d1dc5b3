"""Exact match and token F1 against SQuAD's scoring as torchmetrics has it."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.metrics import Output, get

#: Articles, punctuation and words that two texts may share, between arbitrary letters.
PIECES = st.sampled_from(
    [
        *("a", "An", "the", "THE", "theme", "the.", "Paris", "paris", "Tide", "co-op", "it's"),
        *("5", "5.0", "$5", "£5", "it’s", "“", "—", ".", ",", "ß", "İ", "é", "e\u0301"),
        *("\n", "\u2028"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=8).map(" ".join) | st.text(max_size=12)


@pytest.fixture(scope="module")
def squad() -> Any:
    return pytest.importorskip("torchmetrics.functional.text").squad


def squad_words(text: str) -> list[str]:
    plain = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def agrees(squad: Any, text: str, reference: str) -> None:
    theirs = squad(
        [{"prediction_text": text, "id": "1"}],
        [{"answers": {"answer_start": [0], "text": [reference]}, "id": "1"}],
    )
    output = Output(text, reference=reference)
    if any(side.split() and not squad_words(side) for side in (text, reference)):
        return  # Where the script leaves nothing of an answer, ours keeps its words.
    ours = [get(name).measure(output).value for name in ("exact_match", "token_f1")]
    due = [float(theirs[name]) / 100 for name in ("exact_match", "f1")]
    assert ours == pytest.approx(due, abs=1e-6)  # Theirs are of single precision.


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("The Tide!", "tide"),
        ("a tide, an ebb", "Tide ebb"),
        ("the old harbour town here", "harbour town hall"),
        ("sea sea", "sea"),
        ("It is Paris.", "Paris"),
        ("Lyon", "Paris"),
        ("co-operate", "cooperate"),
        ("", "Paris"),
        ("", ""),
        ("the", "A"),
        ("the", "tide"),
        ("“Paris”", "Paris"),
        ("an-other", "another"),
        ("a.b", "ab"),
        ("theatre", "atre"),
    ],
)
def test_a_table_of_answers(squad: Any, text: str, reference: str) -> None:
    agrees(squad, text, reference)


@settings(max_examples=examples(150))
@given(text=TEXTS, reference=TEXTS)
def test_any_two_texts(squad: Any, text: str, reference: str) -> None:
    agrees(squad, text, reference)
