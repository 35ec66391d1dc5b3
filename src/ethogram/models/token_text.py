"""The text of single tokens, where tokens may split characters.

A byte-level token can hold part of a character, which has no text of its own. The tokens that make
a character together are shown together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

#: What a tokenizer decodes bytes to that are not a whole character.
_UNFINISHED = "�"
#: Most tokens that are joined: a character has at most four bytes, and one token may hold the end
#: of a character and the start of the next.
_MOST_JOINED = 8
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True, slots=True)
class Piece:
    r"""The text of a token of an output.

    Attributes:
        text: its own. Of tokens that make characters together, the first has all their text and
            the others have none. Bytes that make no character are written as \xe6.
        part: which of these tokens it is, from 1; 0 if it stands alone.
        of: how many there are; 0 if it stands alone.
    """

    text: str
    part: int = 0
    of: int = 0


class TokenText:
    """Texts of the tokens of one tokenizer.

    Args:
        tokenizer: the model's.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[int, str] = {}

    def single(self, token: int) -> str:
        r"""A token's own text, bytes of part of a character as \xe6; without text, its name."""
        if token not in self._known:
            self._known[token] = self._single(token)
        return self._known[token]

    def _single(self, token: int) -> str:
        text = self._decoded([token])
        if _UNFINISHED in text:
            known = self._bytes(token)
            if known is not None:
                return known.decode("utf-8", "backslashreplace")
        return text or str(self._tokenizer.convert_ids_to_tokens(token))

    def ids(self, text: str) -> list[int]:
        """The tokens of a text, without special ones; half surrogate pairs become `?`."""
        encodable = text.encode("utf-8", "replace").decode("utf-8")
        coded = self._tokenizer(encodable, add_special_tokens=False, verbose=False)
        return [int(token) for token in coded.input_ids]

    def pieces(self, ids: Sequence[int]) -> list[Piece]:
        """The texts of an output's tokens, those that split characters joined."""
        found: list[Piece] = []
        while len(found) < len(ids):
            start = len(found)
            count = self._joined(ids, start)
            if count == 1:
                found.append(Piece(self.single(ids[start])))
                continue
            text = self._decoded(ids[start : start + count])
            found += [Piece(text if part == 1 else "", part, count) for part in range(1, count + 1)]
        return found

    def _joined(self, ids: Sequence[int], start: int) -> int:
        """How many tokens from `start` on make whole characters together; 1 if it stands alone."""
        if _UNFINISHED not in self._decoded(ids[start : start + 1]):
            return 1
        for count in range(2, min(_MOST_JOINED, len(ids) - start) + 1):
            if _UNFINISHED not in self._decoded(ids[start : start + count]):
                return count
        return 1

    def _decoded(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))

    def _bytes(self, token: int) -> bytes | None:
        """The bytes of a token, where the tokenizer spells bytes."""
        spelled = str(self._tokenizer.convert_ids_to_tokens(token))
        found = _BYTE.fullmatch(spelled)
        if found:
            return bytes([int(found[1], 16)])
        if all(character in self._byte_of for character in spelled):
            return bytes(self._byte_of[character] for character in spelled)
        return None

    @cached_property
    def _byte_of(self) -> dict[str, int]:
        """The byte that each character of a byte-level token stands for (Radford et al. 2019)."""
        printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        others = [byte for byte in range(0x100) if byte not in printable]
        spelled = {chr(byte): byte for byte in printable}
        return spelled | {chr(0x100 + index): byte for index, byte in enumerate(others)}
