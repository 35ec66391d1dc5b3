"""The KV cache: one slot a row, for rows of different lengths.

Each slot is filled from position 0, so a row's tokens have the positions that they have alone. The
compiled kernel reads only a row's own positions; for torch's attention the unused ones are masked,
and the capacity that it sees grows in buckets of 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin, EncoderDecoderCache

from ethogram.engine.forward.paged_memory import IS_SUPPORTED, PagedArray
from ethogram.engine.forward.shared_prefixes import PrefixGroups, PrefixReads

#: Slots grow, and attention sees them, in steps of this many positions.
BUCKET = 64

#: Positions of a slot whose memory is kept when it falls free: giving it back and taking it again
#: costs more than it saves for requests of ordinary length.
KEPT = 512

#: Keys and values of one prompt, one pair a layer, each [1, heads, length, dim].
Pairs = Sequence[tuple[Tensor, Tensor]]


def bucketed(length: int) -> int:
    """Round a length up to a whole number of buckets."""
    return -(-length // BUCKET) * BUCKET


class SlotLayer(CacheLayerMixin):  # type: ignore[misc]
    """Slots of one layer: keys and values, each [rows, heads, capacity, dim]."""

    is_sliding = False

    def __init__(self, slots: SlotCache) -> None:
        super().__init__()
        self.slots = slots
        self.paged: list[PagedArray] = []

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate slots shaped after states of [any, heads, any, dim]."""
        self.keys, self.values = self._empty(key_states), self._empty(value_states)
        self.is_initialized = True

    def _empty(self, like: Tensor) -> Tensor:
        shape = (self.slots.rows, like.shape[1], self.slots.capacity, like.shape[3])
        if not self.slots.is_paged:
            return like.new_zeros(shape)
        self.paged.append(PagedArray(shape, like.dtype))
        return self.paged[-1].tensor

    def grow(self) -> None:
        """Reallocate to the cache's capacity, keeping what is there."""
        if self.is_initialized:
            self.paged.clear()
            for name in ("keys", "values"):
                old = getattr(self, name)
                new = self._empty(old)
                new[:, :, : old.shape[2]] = old
                setattr(self, name, new)

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write one position for each row; return what attention reads.

        Args:
            key_states: [rows run, heads, 1, dim].
            value_states: [rows run, heads, 1, dim].
            args: unused, part of the interface of transformers.
            kwargs: unused, part of the interface of transformers.

        Returns:
            Keys and values, each [rows run, heads, visible capacity, dim].
        """
        first, running, visible = self.slots.first, self.slots.running, self.slots.visible
        if self.slots.same_slot:
            rows = torch.full((running,), first, device=key_states.device)
        else:
            rows = torch.arange(first, first + running, device=key_states.device)
        self.keys[rows, :, self.slots.positions] = key_states[:, :, 0]
        self.values[rows, :, self.slots.positions] = value_states[:, :, 0]
        if self.slots.same_slot:
            keys, values = self.keys[first, :, :visible], self.values[first, :, :visible]
            return keys.expand(running, -1, -1, -1), values.expand(running, -1, -1, -1)
        stop = first + running
        return self.keys[first:stop, :, :visible], self.values[first:stop, :, :visible]

    def get_seq_length(self) -> int:
        """Positions before this step; the same for all rows where a model needs it."""
        return self.slots.longest

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Visible capacity and offset, for models that build their own mask."""
        return self.slots.visible, 0

    def get_max_length(self) -> int:
        """No limit: the slots grow."""
        return -1


class SlotCache(Cache):  # type: ignore[misc]
    """A transformers cache of `rows` slots, one per sequence, each written at its own position.

    Args:
        layers: number of attention layers.
        rows: number of slots.
        reserved: positions of each slot for which addresses are reserved, where memory is given by
            the page; 0 for slots that grow.
    """

    def __init__(self, layers: int, rows: int, reserved: int = 0) -> None:
        self.rows = rows
        self.is_paged = bool(reserved) and IS_SUPPORTED
        self.capacity = bucketed(reserved) if self.is_paged else BUCKET
        self.visible = BUCKET
        self.first, self.running = 0, rows
        self.same_slot = False
        self.longest = 0
        self.positions = torch.zeros(rows, dtype=torch.int64)
        self.prefixes = PrefixGroups(rows)
        self._filled: tuple[int, int] | None = None  # prefix id and prefix group of the last fill
        super().__init__(layers=[SlotLayer(self) for _ in range(layers)])

    def prepare(
        self,
        positions: Tensor,
        position_list: Sequence[int],
        first: int = 0,
        *,
        same_slot: bool = False,
    ) -> None:
        """Set where the next step writes.

        Args:
            positions: [rows run] int64, of as many consecutive slots.
            position_list: the same as Python integers, so that no device has to be synchronised.
            first: the first of these slots.
            same_slot: all rows are positions of the first slot; each sees those before it, also
                those written in the same step.
        """
        longest = max(position_list)
        self.same_slot = same_slot
        self.positions, self.longest, self.running = positions, longest, len(position_list)
        self.first = first
        self.prefixes.write(first, [min(position_list)] if same_slot else position_list)
        self.visible = bucketed(longest + 1)
        self.reserve(longest + 1)

    def reserve(self, length: int) -> None:
        """Grow every slot to at least `length` positions."""
        if length > self.capacity:
            self.capacity = bucketed(length)
            for layer in self.layers:
                layer.grow()

    def release(self, row: int, length: int) -> None:
        """A slot of so many written positions fell free: give back its memory if they are many."""
        if self.is_paged and length > KEPT:
            for layer in self.layers:
                for array in layer.paged:
                    array.release(row)

    def fill(self, row: int, pairs: Pairs, prefix_id: int | None = None) -> None:
        """Copy a prompt's keys and values into a slot, from position 0.

        Args:
            row: the slot.
            pairs: keys and values of each layer.
            prefix_id: the same as in the fill before if `pairs` are: the slots then share a
                prefix. None for a slot of its own.
        """
        length = pairs[0][0].shape[2]
        self.reserve(length)
        for layer, (keys, values) in zip(self.layers, pairs, strict=True):
            if not layer.is_initialized:
                layer.lazy_initialization(keys, values)
            layer.keys[row, :, :length] = keys[0]
            layer.values[row, :, :length] = values[0]
        if self._filled is not None and self._filled[0] == prefix_id:
            self.prefixes.join(row, self._filled[1], length)
        else:
            group = self.prefixes.begin(row, length)
            self._filled = None if prefix_id is None else (prefix_id, group)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot to another one."""
        for layer in self.layers:
            layer.keys[target, :, :length] = layer.keys[source, :, :length]
            layer.values[target, :, :length] = layer.values[source, :, :length]
        self.prefixes.follow(source, target, length)

    def reorder(
        self, rows: Sequence[int], parents: Sequence[int], length: int, shared_length: int = 0
    ) -> None:
        """Give each of `rows` the content of the row at its index in `parents`, in place.

        Args:
            rows: the slots of one search.
            parents: for each slot, the index into `rows` of the beam it continues.
            length: positions in use.
            shared_length: positions from the start that are equal in all of them.
        """
        moved = [(row, rows[parent]) for row, parent in zip(rows, parents, strict=True)]
        moved = [(row, source) for row, source in moved if row != source]
        if not moved:
            return
        targets, sources = (list(side) for side in zip(*moved, strict=True))
        own = slice(shared_length, length)
        for layer in self.layers:
            layer.keys[targets, :, own] = layer.keys[sources, :, own]
            layer.values[targets, :, own] = layer.values[sources, :, own]
        self.prefixes.reorder(sources, targets, length)

    def prefix_reads(self) -> PrefixReads | None:
        """Where the rows of this step may read their prefixes; None if no two share one."""
        keys = self.layers[0].keys
        if self.same_slot or not keys.is_cpu:  # On other devices torch attends to every slot.
            return None
        return self.prefixes.reads(self.first, self.running, keys.shape[1])

    def mask(self, dtype: torch.dtype) -> Tensor:
        """Additive mask [rows run, 1, 1, visible]: 0 up to each row's position, lowest after it."""
        columns = torch.arange(self.visible, device=self.positions.device)
        hidden = columns.unsqueeze(0) > self.positions.unsqueeze(1)
        return additive(hidden, dtype)


def additive(hidden: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn [rows, positions] bool, True for hidden, into a mask [rows, 1, 1, positions]."""
    mask = torch.zeros(hidden.shape, dtype=dtype, device=hidden.device)
    return mask.masked_fill_(hidden, torch.finfo(dtype).min)[:, None, None, :]


class CrossSlots:
    """Cross-attention slots of a static batch: keys and values of each row's source, right-padded.

    Args:
        layers: number of cross-attention layers.
        rows: number of slots.
        source_capacity: positions of each slot, a whole number of buckets.
    """

    def __init__(self, layers: int, rows: int, source_capacity: int) -> None:
        self.slots = SlotCache(layers, rows)
        self.slots.capacity = self.slots.visible = source_capacity
        self.lengths = [1] * rows  # one for an empty slot, so that its softmax is finite

    def fill(self, row: int, pairs: Pairs) -> None:
        """Copy a source's keys and values into a slot."""
        self.slots.fill(row, pairs)
        self.lengths[row] = pairs[0][0].shape[2]

    def copy(self, source: int, target: int) -> None:
        """Copy a whole source to another slot."""
        self.slots.copy(source, target, self.slots.capacity)
        self.lengths[target] = self.lengths[source]

    def mask(self, lengths: Tensor, dtype: torch.dtype) -> Tensor:
        """Additive mask [rows, 1, 1, source capacity] for rows of these lengths."""
        columns = torch.arange(self.slots.capacity, device=lengths.device)
        return additive(columns.unsqueeze(0) >= lengths.unsqueeze(1), dtype)

    def joined(self, own: SlotCache) -> EncoderDecoderCache:
        """The pair of caches that an encoder-decoder model expects; the sources are complete."""
        self.slots.longest = self.slots.capacity
        cache = EncoderDecoderCache(own, _ReadOnly(self.slots, own.first, own.first + own.running))
        cache.is_updated = dict.fromkeys(range(len(self.slots.layers)), True)
        return cache


class _ReadOnly(Cache):  # type: ignore[misc]
    """Some rows of finished cross-attention slots, as layers that are only read."""

    def __init__(self, slots: SlotCache, first: int, stop: int) -> None:
        layers = []
        for layer in slots.layers:
            part = SlotLayer(slots)
            part.keys, part.values = layer.keys[first:stop], layer.values[first:stop]
            part.is_initialized = True
            layers.append(part)
        super().__init__(layers=layers)
