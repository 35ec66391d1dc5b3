"""Sentences said again, Whisper's limit and compression in equal lengths."""

import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.metrics.distance import jaccard_distance

from ethogram.metrics import Output, get
from ethogram.metrics.repetition import near_duplicates
from ethogram.metrics.text import sentence_spans

SENTENCES = st.lists(st.frozensets(st.sampled_from("abcdefghij"), min_size=4), max_size=9)


@given(SENTENCES)
def test_near_duplicates_are_those_of_nltk(sentences: list[frozenset[str]]) -> None:
    for at, like in enumerate(near_duplicates(sentences)):
        alike = [
            earlier
            for earlier in range(at)
            if jaccard_distance(sentences[at], sentences[earlier]) <= 0.2 + 1e-12
        ]
        assert (like >= 0) == bool(alike)
        assert like == -1 or like in alike


def test_a_sentence_said_again_is_shown() -> None:
    text = (
        "The old harbour was quiet that night. We slept well. "
        "That night the old harbour was very quiet. Gulls came at dawn and woke us."
    )
    score = get("near_duplicate_sentences").measure(Output(text))
    assert score.parts == (1, 3)
    assert score.value == pytest.approx(1 / 3)
    (span,) = score.spans
    assert text[span.start : span.end] == "That night the old harbour was very quiet."
    assert get("near_duplicate_sentences").measure(Output("Short. So short.")).value is None


def test_whisper_limit_is_on_bytes() -> None:
    loop, prose = "and round we go " * 30, "Kelp drifts by while the gulls argue over a crab."
    assert len(loop) / len(zlib.compress(loop.encode())) > 2.4
    assert get("whisper_repetitive").measure(Output(loop)).value == 1
    assert get("whisper_repetitive").measure(Output(prose)).value == 0
    assert get("whisper_repetitive").measure(Output("")).value is None


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        (
            "Dr. Low saw Mr. Day, e.g. at 3.5 km. Yes.",
            ["Dr. Low saw Mr. Day, e.g. at 3.5 km.", "Yes."],
        ),
        ('"Stop!" she said. "Why?" He did.', ['"Stop!" she said.', '"Why?"', "He did."]),
        ("1. Take it.\n2. Leave it", ["1. Take it.", "2. Leave it"]),
        ("No. 5 is open. No. Not yet.", ["No. 5 is open.", "No.", "Not yet."]),
        ("J. R. Smith wrote it.", ["J. R. Smith wrote it."]),
        ("Wait... what? No", ["Wait... what?", "No"]),
        ("no end", ["no end"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


@given(st.text(alphabet="aB .!?\n\"'…1)", max_size=60))
def test_sentences_cover_the_text_without_overlap(text: str) -> None:
    spans = sentence_spans(text)
    kept = "".join(text[start:end] for start, end in spans)
    assert kept.split() == [] or "".join(kept.split()) == "".join(text.split())
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_thousands_of_dots_take_no_time() -> None:
    assert len(sentence_spans("Yes" + "." * 200_000 + " Yes." * 1000)) == 1001
