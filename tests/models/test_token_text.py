"""The text of single tokens: characters that several tokens make together are shown once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import byte_level_tokenizer
from tests.profiles import examples

from ethogram.models.token_text import Piece, TokenText

TOKENIZER = byte_level_tokenizer()


@settings(max_examples=examples(100))
@given(st.text())
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    encodable = text.encode("utf-8", "replace").decode()
    ids = TOKENIZER(encodable, add_special_tokens=False).input_ids
    pieces = TokenText(TOKENIZER).pieces(ids)
    assert len(pieces) == len(ids)
    assert "".join(piece.text for piece in pieces) == TOKENIZER.decode(ids)
    for piece in pieces:
        assert (piece.part == 0) == (piece.of == 0)
        assert bool(piece.text) == (piece.part <= 1)


def test_a_character_of_several_tokens_is_joined_and_marked() -> None:
    ids = TOKENIZER("a⏎b", add_special_tokens=False).input_ids
    assert len(ids) == 5
    assert TokenText(TOKENIZER).pieces(ids) == [
        Piece("a"),
        Piece("⏎", 1, 3),
        Piece("", 2, 3),
        Piece("", 3, 3),
        Piece("b"),
    ]


def test_bytes_without_a_character_are_written_as_bytes() -> None:
    ids = TOKENIZER("⏎", add_special_tokens=False).input_ids
    texts = TokenText(TOKENIZER)
    assert [texts.single(token) for token in ids] == ["\\xe2", "\\x8f", "\\x8e"]
    cut = texts.pieces([*ids[:2], *TOKENIZER("sea", add_special_tokens=False).input_ids])
    assert [piece.text for piece in cut[:2]] == ["\\xe2", "\\x8f"]
    assert all(piece.of == 0 for piece in cut)


@pytest.mark.parametrize("text", ["sea", " the", "\n"])
def test_ordinary_tokens_are_as_decoded(text: str) -> None:
    for token in TOKENIZER(text, add_special_tokens=False).input_ids:
        assert TokenText(TOKENIZER).single(token) == TOKENIZER.decode([token])
