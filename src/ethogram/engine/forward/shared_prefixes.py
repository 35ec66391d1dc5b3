"""Which slots hold the same first positions. Knows slots and lengths; knows no tensor of a model.

Outputs of one prompt hold its keys and values each in a slot of their own, so that any of them can
end or part. While they do, one copy can be read for all of them: it stays in the processor's caches
where as many copies would come from memory. Every slot belongs to a family, whose members agree in
as many first positions as each of them counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class PrefixReads:
    """Where each of some rows reads its first positions.

    Attributes:
        rows: [rows] int64, the row whose copy it reads.
        lengths: [rows] int64, how many positions.
        order: [rows * heads] int64, row * heads + head, those that read one head of one copy side
            by side.
    """

    rows: Tensor
    lengths: Tensor
    order: Tensor


def addresses(reads: PrefixReads | None) -> tuple[int | None, int | None, int | None]:
    """Where the parts lie, as the attention kernel takes them; keep the reads while it runs."""
    if reads is None:
        return None, None, None
    return reads.rows.data_ptr(), reads.lengths.data_ptr(), reads.order.data_ptr()


class Prefixes:
    """The families of the slots of a cache.

    Args:
        slots: how many there are.
    """

    def __init__(self, slots: int) -> None:
        self._names = count()
        self._family: Ints = np.fromiter(self._names, dtype=np.int64, count=slots)
        self._agreed: Ints = np.zeros(slots, dtype=np.int64)
        self._reads: dict[tuple[int, int, int], PrefixReads | None] = {}

    def begin(self, slot: int, length: int) -> int:
        """A slot was filled with `length` positions that no other holds; returns its family."""
        family = next(self._names)
        self._set(slot, family, length)
        return family

    def join(self, slot: int, family: int, length: int) -> None:
        """A slot was filled with the same as the slot with which a family began."""
        self._set(slot, family, length)

    def follow(self, source: int, target: int, length: int) -> None:
        """The first `length` positions of a slot were copied to another one."""
        self._set(target, int(self._family[source]), min(length, int(self._agreed[source])))

    def reorder(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Slots were given what other slots held, all at once."""
        families, agreed = self._family[list(sources)], self._agreed[list(sources)]
        for target, family, positions in zip(targets, families, agreed, strict=True):
            self._set(target, int(family), min(length, int(positions)))

    def write(self, first: int, positions: Sequence[int]) -> None:
        """Consecutive slots were each written at a position."""
        stop = first + len(positions)
        kept = np.minimum(self._agreed[first:stop], positions)
        if (kept != self._agreed[first:stop]).any():
            self._agreed[first:stop] = kept
            self._reads.clear()

    def reads(self, first: int, rows: int, heads: int) -> PrefixReads | None:
        """Where consecutive slots read their first positions; None if none agree.

        Args:
            first: the first of the slots; the rows of the answer count from it.
            rows: how many slots.
            heads: of keys and values.
        """
        asked = (first, rows, heads)
        if asked not in self._reads:
            self._reads[asked] = self._find(first, rows, heads)
        return self._reads[asked]

    def _find(self, first: int, rows: int, heads: int) -> PrefixReads | None:
        agreed = self._agreed[first : first + rows]
        families, member_of = np.unique(self._family[first : first + rows], return_inverse=True)
        if len(families) == rows or not agreed.any():
            return None
        # The member that counts most positions has all that the others count.
        longest_last = np.argsort(agreed, kind="stable")
        group = np.zeros(len(families), dtype=np.int64)
        group[member_of[longest_last]] = longest_last
        row, head = np.divmod(np.arange(rows * heads), heads)
        order = np.lexsort((row, head, member_of[row]))
        return PrefixReads(*map(torch.from_numpy, (group[member_of], agreed.copy(), order)))

    def _set(self, slot: int, family: int, agreed: int) -> None:
        if (self._family[slot], self._agreed[slot]) != (family, agreed):
            self._family[slot], self._agreed[slot] = family, agreed
            self._reads.clear()
