"""The header of a GGUF file against the file's size, before a reader believes it.

The reader of the gguf package makes an object of each element that a header states, so a header of
forty bytes that states 2⁶⁴ elements keeps it busy for ever. Here each count is compared with the
bytes that are left; nothing is stored but the place.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY, _UINT32 = 8, 9, 4
#: Bytes of a value by its type; of a string, its length alone.
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, _STRING: 8, 10: 8, 11: 8, 12: 8}
#: Fewest bytes of a key with its value, and of the entry of a tensor.
_PAIR, _TENSOR = 13, 24
#: Elements of all arrays together. Vocabularies have up to some 300 000 tokens, each with a score,
#: a type and a merge; the reader takes about 300 bytes for each.
MOST_ELEMENTS = 3_000_000
_MOST_DIMENSIONS = 8


def check_header(file: Path) -> None:
    """Refuse a header that states more than the file holds.

    Raises:
        ValueError: says what it states.
        OSError: the file cannot be read.
    """
    with file.open("rb") as stream:
        if file.stat().st_size < 24:
            raise ValueError("it has fewer than 24 bytes")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _Header(data).check()


class _Header:
    """A header that is read once, from front to back."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._size = data, len(data)
        self._at, self._elements, self._order = 0, 0, "<"

    def check(self) -> None:
        """Read it to its end."""
        if self._take(4) != _MAGIC:
            raise ValueError("it does not begin with GGUF")
        if struct.unpack_from("<I", self._data, 4)[0] & 0xFFFF == 0:
            self._order = ">"
        version = self._number("I")
        if version not in _VERSIONS:
            raise ValueError(f"version {version} of the format is not known")
        tensors, pairs = self._number("Q"), self._number("Q")
        self._fits(tensors, _TENSOR, "tensors")
        self._fits(pairs, _PAIR, "keys")
        alignment = 32
        for _ in range(pairs):
            key, kind = self._name(), self._number("I")
            start = self._at
            self._value(kind, key)
            if key == "general.alignment" and kind == _UINT32:
                alignment = int(struct.unpack_from(f"{self._order}I", self._data, start)[0])
        places = list(self._tensors(tensors))
        if alignment < 1 or alignment & (alignment - 1):
            raise ValueError(f"its alignment is {alignment}")
        start = -(-self._at // alignment) * alignment
        for name, offset, size in places:
            if start + offset + size > self._size:
                raise ValueError(f"tensor {name!r} ends behind the end of the file")

    def _take(self, count: int) -> bytes:
        if count > self._size - self._at:
            raise ValueError("it ends within its header")
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def _number(self, form: str) -> int:
        form = self._order + form
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def _fits(self, count: int, size: int, what: str) -> None:
        left = self._size - self._at
        if count > left // size:
            raise ValueError(f"its header states {count:,} {what}, and {left:,} bytes are left")

    def _skip_string(self) -> None:
        length = self._number("Q")
        self._fits(length, 1, "characters")
        self._at += length

    def _name(self) -> str:
        length = self._number("Q")
        if length > 65_535:
            raise ValueError(f"its header states a name of {length:,} characters")
        return self._take(length).decode("utf-8")

    def _value(self, kind: int, key: str) -> None:
        if kind == _STRING:
            self._skip_string()
        elif kind == _ARRAY:
            self._array(key)
        elif kind in _SIZES:
            self._take(_SIZES[kind])
        else:
            raise ValueError(f"{key!r} has the unknown type {kind}")

    def _array(self, key: str) -> None:
        kind, count = self._number("I"), self._number("Q")
        if kind not in _SIZES:
            what = "arrays in an array" if kind == _ARRAY else f"the unknown type {kind}"
            raise ValueError(f"{key!r} has {what}")
        self._fits(count, _SIZES[kind], f"elements of {key!r}")
        self._elements += count
        if self._elements > MOST_ELEMENTS:
            raise ValueError(f"its arrays have more than {MOST_ELEMENTS:,} elements")
        if kind != _STRING:
            self._at += count * _SIZES[kind]
            return
        for _ in range(count):
            self._skip_string()

    def _tensors(self, count: int) -> Iterator[tuple[str, int, int]]:
        """Name, place and fewest bytes of each tensor; two bits an element are the fewest."""
        for _ in range(count):
            name, dimensions = self._name(), self._number("I")
            if dimensions > _MOST_DIMENSIONS:
                raise ValueError(f"tensor {name!r} has {dimensions:,} dimensions")
            elements = math.prod(self._number("Q") for _ in range(dimensions))
            self._number("I")  # Its type: the reader refuses those that it does not know.
            yield name, self._number("Q"), elements // 8
