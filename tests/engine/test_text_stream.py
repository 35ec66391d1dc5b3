"""Pieces of a stream: joined, they are the final text, whatever stops and tokens come."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine import tiny
from tests.profiles import examples

from ethogram.engine.stopping import StopRules, StopWatch, decode, final_text
from ethogram.engine.text_stream import StopFilter, TextStream

TOKENIZER = tiny.tokenizer()
TEXT = st.text(alphabet="ab \n.é日🙂", min_size=1, max_size=30)
STOPS = st.lists(st.text(alphabet="ab \n.é日🙂", min_size=1, max_size=4), max_size=3)


def pieces_of(ids: list[int], stops: list[str], cuts: list[int]) -> tuple[list[str], str]:
    """The pieces of a stream that ends where the engine would end it, and the final text."""
    rules = StopRules(frozenset(), frozenset(), tuple(stops), len(ids))
    watch = StopWatch(rules, TOKENIZER)
    ends = next((at for at, token in enumerate(ids) if watch.push(token)), len(ids))
    ids = ids[: ends + 1]
    final = final_text(TOKENIZER, ids, rules)
    stream = TextStream(TOKENIZER, stops)
    pieces, at = [], 0
    for size in [*cuts, len(ids)]:
        pieces.append(stream.push(ids[at : at + size]))
        at += size
    return [*pieces, stream.finish(final)], final


@settings(max_examples=examples(200), deadline=None)
@given(TEXT, STOPS, st.lists(st.integers(0, 4), max_size=8))
def test_joined_pieces_are_the_final_text(text: str, stops: list[str], cuts: list[int]) -> None:
    ids = TOKENIZER.encode(text, add_special_tokens=False)
    pieces, final = pieces_of(ids, stops, cuts)
    assert "".join(pieces) == final
    assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)


def test_the_start_of_a_stop_string_is_held_back() -> None:
    stream = TextStream(TOKENIZER, ["\nQ:"])
    sent = [stream.push(TOKENIZER.encode(part, add_special_tokens=False)) for part in ("a\n", "b")]
    assert sent == ["a", "\nb"]
    sent = [stream.push(TOKENIZER.encode(part, add_special_tokens=False)) for part in ("\nQ", ":")]
    assert sent == ["", ""]
    assert stream.finish("a\nb") == ""


@pytest.mark.parametrize(
    ("pieces", "stops", "shown"),
    [
        (["one st", "op two"], ["stop"], ["one ", ""]),
        (["one st", "ill"], ["stop"], ["one ", "still"]),
        (["aab", "aac"], ["aabaac"], ["", ""]),
        (["a\n", "\nb"], ["\n\n"], ["a", ""]),
        (["beta ", "gamma"], ["beta gamma", "gam"], ["", ""]),
        (["x", "y"], [], ["x", "y"]),
    ],
)
def test_what_may_begin_a_stop_string_is_held_back(
    pieces: list[str], stops: list[str], shown: list[str]
) -> None:
    stream = StopFilter(stops)
    assert [stream.push(piece) for piece in pieces] == shown


@given(
    tokens=st.lists(st.integers(2, len(tiny.tokenizer()) - 1), max_size=40),
    stops=st.lists(st.text("abehnot .\n", min_size=1, max_size=4), max_size=3),
    chunk=st.integers(1, 4),
)
def test_the_joined_stream_is_the_final_text(
    tokens: list[int], stops: list[str], chunk: int
) -> None:
    tokenizer = tiny.tokenizer()
    rules = StopRules(frozenset({1}), frozenset(), tuple(stops), 1000)
    watch = StopWatch(rules, tokenizer)
    written = []
    for token in tokens:
        written.append(token)
        if watch.push(token) is not None:
            break
    final = final_text(tokenizer, written, rules)
    stream = TextStream(tokenizer, stops, rules.ending_ids)
    pieces = [stream.push(written[at : at + chunk]) for at in range(0, len(written), chunk)]
    shown = "".join(pieces)
    assert final.startswith(shown)
    assert shown + stream.finish(final) == final
    assert stream.sent == final


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.integers(0, len(TOKENIZER) - 1), max_size=12))
def test_a_text_is_what_transformers_decodes(ids: list[int]) -> None:
    expected = TOKENIZER.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert decode(TOKENIZER, ids) == expected


def test_a_tokenizer_that_decodes_in_its_own_way_is_asked() -> None:
    class Own(type(TOKENIZER)):  # type: ignore[misc]
        def _decode(self, *arguments: Any, **options: Any) -> str:
            return str(super()._decode(*arguments, **options)).upper()

    own = copy.copy(TOKENIZER)
    own.__class__ = Own
    ids = TOKENIZER.encode("ab", add_special_tokens=False)
    assert decode(own, ids) == "AB"
