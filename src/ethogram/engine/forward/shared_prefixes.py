"""Prefix groups: which slots of the KV cache hold equal first positions.

Each output of a prompt has its keys and values in a slot of its own, so that any of them can end or
diverge. As long as they are equal, attention may read one copy for all of them: it stays in the
processor's caches, where separate copies would come from memory. Every slot belongs to one prefix
group; each member's shared length says how many of its first positions equal the group's.
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
    """Where each row of a step reads its first positions.

    Attributes:
        rows: [rows] int64, the row whose copy it reads.
        lengths: [rows] int64, how many positions.
        order: [rows * heads] int64, row * heads + head, tasks that read one head of one copy
            adjacent.
    """

    rows: Tensor
    lengths: Tensor
    order: Tensor


def addresses(reads: PrefixReads | None) -> tuple[int | None, int | None, int | None]:
    """Addresses for the attention kernel; keep the reads alive while it runs."""
    if reads is None:
        return None, None, None
    return reads.rows.data_ptr(), reads.lengths.data_ptr(), reads.order.data_ptr()


class PrefixGroups:
    """The prefix groups of the slots of a cache.

    Args:
        slots: number of slots.
    """

    def __init__(self, slots: int) -> None:
        self._ids = count()
        self._group_of: Ints = np.fromiter(self._ids, dtype=np.int64, count=slots)
        self._shared: Ints = np.zeros(slots, dtype=np.int64)
        self._reads: dict[tuple[int, int, int], PrefixReads | None] = {}

    def begin(self, slot: int, length: int) -> int:
        """A slot was filled with `length` positions that no other holds; returns its group."""
        group = next(self._ids)
        self._set(slot, group, length)
        return group

    def join(self, slot: int, group: int, length: int) -> None:
        """A slot was filled with the same as the slot with which a group began."""
        self._set(slot, group, length)

    def follow(self, source: int, target: int, length: int) -> None:
        """The first `length` positions of a slot were copied to another one."""
        self._set(target, int(self._group_of[source]), min(length, int(self._shared[source])))

    def reorder(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Slots were given what other slots held, all at once."""
        groups, shared_length = self._group_of[list(sources)], self._shared[list(sources)]
        for target, group, positions in zip(targets, groups, shared_length, strict=True):
            self._set(target, int(group), min(length, int(positions)))

    def write(self, first: int, positions: Sequence[int]) -> None:
        """Consecutive slots were each written at a position."""
        stop = first + len(positions)
        kept = np.minimum(self._shared[first:stop], positions)
        if (kept != self._shared[first:stop]).any():
            self._shared[first:stop] = kept
            self._reads.clear()

    def reads(self, first: int, rows: int, heads: int) -> PrefixReads | None:
        """Where consecutive slots read their first positions; None if no two share a prefix.

        Args:
            first: the first of the slots; the rows of the answer count from it.
            rows: how many slots.
            heads: of keys and values.
        """
        key = (first, rows, heads)
        if key not in self._reads:
            self._reads[key] = self._find(first, rows, heads)
        return self._reads[key]

    def _find(self, first: int, rows: int, heads: int) -> PrefixReads | None:
        shared_length = self._shared[first : first + rows]
        groups, member_of = np.unique(self._group_of[first : first + rows], return_inverse=True)
        if len(groups) == rows or not shared_length.any():
            return None
        # The member with the greatest shared length holds the prefixes of all others.
        longest_last = np.argsort(shared_length, kind="stable")
        group = np.zeros(len(groups), dtype=np.int64)
        group[member_of[longest_last]] = longest_last
        row, head = np.divmod(np.arange(rows * heads), heads)
        order = np.lexsort((row, head, member_of[row]))
        return PrefixReads(*map(torch.from_numpy, (group[member_of], shared_length.copy(), order)))

    def _set(self, slot: int, group: int, shared_length: int) -> None:
        if (self._group_of[slot], self._shared[slot]) != (group, shared_length):
            self._group_of[slot], self._shared[slot] = group, shared_length
            self._reads.clear()
