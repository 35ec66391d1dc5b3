"""Bounds on what a file may unpack to. Knows bytes only.

A line of a log holds one output and its prompt: the longest seen hold some MB. Deflate packs at
most 1032:1, and logs of models pack 5:1 to 20:1, so a small file that unpacks to much more than
that is a bomb.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from ethogram.errors import SpecError

#: Bytes of one line, of a document that is read whole, and of all that a file unpacks to.
MOST_LINE = 64 * 2**20
MOST_DOCUMENT = 2**30
MOST_UNPACKED = 16 * 2**30
#: Unpacked bytes that any file may have, and how many times its size beyond them.
FREE = 2**28
MOST_RATIO = 200
#: Bytes that a line of a packed file counts at least: a line takes time, however short it is.
LEAST_LINE = 64


class Unpacked(gzip.GzipFile):
    """A gzip file that stops where it unpacks to too much."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._budget = Budget(path)

    def read(self, size: int | None = -1) -> bytes:
        """As in the base class."""
        data = super().read(size)
        self._budget.spend(len(data))
        return data

    def readline(self, size: int | None = -1) -> bytes:
        """As in the base class."""
        line = super().readline(size)
        self._budget.spend(max(len(line), LEAST_LINE) if line else 0)
        return line


class Budget:
    """How much a packed file may still unpack to.

    Args:
        path: the file, whose size bounds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._most = min(MOST_UNPACKED, max(FREE, MOST_RATIO * path.stat().st_size))
        self._spent = 0

    @property
    def left(self) -> int:
        """Bytes that may still come."""
        return self._most - self._spent

    def spend(self, count: int) -> None:
        """Count some unpacked bytes.

        Raises:
            SpecError: there are too many.
        """
        self._spent += count
        if self._spent > self._most:
            raise SpecError(
                f"unpacks to more than {self._most // 2**20} MiB, {MOST_RATIO} times its size",
                where=str(self._path),
                hint="unpack it yourself if you trust it",
            )
