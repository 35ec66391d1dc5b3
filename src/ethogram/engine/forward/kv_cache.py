"""Key/value slots of a batch whose rows have different lengths. Knows tensors; knows no request.

Each row owns a slot that is filled from position 0, so a row's tokens sit where they would sit
alone. The compiled kernel reads a row's own positions alone; for torch's attention the unused ones
are masked, and the capacity that it sees moves in buckets of 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin, EncoderDecoderCache

from ethogram.engine.forward.shared_prefixes import Prefixes, PrefixReads

#: Slots grow and show themselves to attention by this many positions.
BUCKET = 64

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

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate slots shaped after states of [any, heads, any, dim]."""
        self.keys, self.values = self._empty(key_states), self._empty(value_states)
        self.is_initialized = True

    def _empty(self, like: Tensor) -> Tensor:
        heads, dim = like.shape[1], like.shape[3]
        return like.new_zeros((self.slots.rows, heads, self.slots.capacity, dim))

    def grow(self) -> None:
        """Reallocate to the cache's capacity, keeping what is there."""
        if self.is_initialized:
            for name in ("keys", "values"):
                old = getattr(self, name)
                new = self._empty(old)
                new[:, :, : old.shape[2]] = old
                setattr(self, name, new)

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write one position for each row fed; return what attention may look at.

        Args:
            key_states: [rows fed, heads, 1, dim].
            value_states: [rows fed, heads, 1, dim].
            args: unused, part of the interface of transformers.
            kwargs: unused, part of the interface of transformers.

        Returns:
            Keys and values, each [rows fed, heads, visible capacity, dim].
        """
        first, fed, visible = self.slots.first, self.slots.fed, self.slots.visible
        if self.slots.is_chain:
            rows = torch.full((fed,), first, device=key_states.device)
        else:
            rows = torch.arange(first, first + fed, device=key_states.device)
        self.keys[rows, :, self.slots.positions] = key_states[:, :, 0]
        self.values[rows, :, self.slots.positions] = value_states[:, :, 0]
        if self.slots.is_chain:
            keys, values = self.keys[first, :, :visible], self.values[first, :, :visible]
            return keys.expand(fed, -1, -1, -1), values.expand(fed, -1, -1, -1)
        stop = first + fed
        return self.keys[first:stop, :, :visible], self.values[first:stop, :, :visible]

    def get_seq_length(self) -> int:
        """Positions before this step; the same for all rows where a model asks for it."""
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
    """

    def __init__(self, layers: int, rows: int) -> None:
        self.rows = rows
        self.capacity = BUCKET
        self.visible = BUCKET
        self.first, self.fed = 0, rows
        self.is_chain = False
        self.longest = 0
        self.positions = torch.zeros(rows, dtype=torch.int64)
        self.prefixes = Prefixes(rows)
        self._filled: tuple[Pairs, int] | None = None
        super().__init__(layers=[SlotLayer(self) for _ in range(layers)])

    def prepare(
        self,
        positions: Tensor,
        places: Sequence[int],
        first: int = 0,
        *,
        is_chain: bool = False,
    ) -> None:
        """Set where the next step writes.

        Args:
            positions: [rows fed] int64, of as many consecutive slots.
            places: the same as numbers of Python, which no device has to be asked for.
            first: the first of these slots.
            is_chain: all rows are positions of the first slot, each of which sees those before
                it, also where they are written in the same step.
        """
        longest = max(places)
        self.is_chain = is_chain
        self.positions, self.longest, self.fed = positions, longest, len(places)
        self.first = first
        self.prefixes.write(first, [min(places)] if is_chain else places)
        self.visible = bucketed(longest + 1)
        self.reserve(longest + 1)

    def reserve(self, length: int) -> None:
        """Make room for `length` positions in every slot."""
        if length > self.capacity:
            self.capacity = bucketed(length)
            for layer in self.layers:
                layer.grow()

    def fill(self, row: int, pairs: Pairs) -> None:
        """Copy a prompt's keys and values into a slot, from position 0."""
        length = pairs[0][0].shape[2]
        self.reserve(length)
        for layer, (keys, values) in zip(self.layers, pairs, strict=True):
            if not layer.is_initialized:
                layer.lazy_initialization(keys, values)
            layer.keys[row, :, :length] = keys[0]
            layer.values[row, :, :length] = values[0]
        if self._filled is not None and self._filled[0] is pairs:
            self.prefixes.join(row, self._filled[1], length)
        else:
            self._filled = (pairs, self.prefixes.begin(row, length))

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot to another one."""
        for layer in self.layers:
            layer.keys[target, :, :length] = layer.keys[source, :, :length]
            layer.values[target, :, :length] = layer.values[source, :, :length]
        self.prefixes.follow(source, target, length)

    def reorder(
        self, rows: Sequence[int], parents: Sequence[int], length: int, agreed: int = 0
    ) -> None:
        """Give each of `rows` what the row at its index in `parents` holds, in place.

        Args:
            rows: the slots of one search.
            parents: for each slot, the index into `rows` of the beam it continues.
            length: positions in use.
            agreed: positions from the start in which they hold the same.
        """
        moved = [(row, rows[parent]) for row, parent in zip(rows, parents, strict=True)]
        moved = [(row, source) for row, source in moved if row != source]
        if not moved:
            return
        targets, sources = (list(side) for side in zip(*moved, strict=True))
        for layer in self.layers:
            layer.keys[targets, :, agreed:length] = layer.keys[sources, :, agreed:length]
            layer.values[targets, :, agreed:length] = layer.values[sources, :, agreed:length]
        self.prefixes.reorder(sources, targets, length)

    def prefix_reads(self) -> PrefixReads | None:
        """Where the rows of this step may read their first positions; None if no two agree."""
        keys = self.layers[0].keys
        if self.is_chain or not keys.is_cpu:  # On other devices torch attends to every slot.
            return None
        return self.prefixes.reads(self.first, self.fed, keys.shape[1])

    def mask(self, dtype: torch.dtype) -> Tensor:
        """Additive mask [rows fed, 1, 1, visible]: 0 up to each row's position, lowest after it."""
        places = torch.arange(self.visible, device=self.positions.device)
        hidden = places.unsqueeze(0) > self.positions.unsqueeze(1)
        return additive(hidden, dtype)


def additive(hidden: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn [rows, places] bool (True is hidden) into an additive mask [rows, 1, 1, places]."""
    mask = torch.zeros(hidden.shape, dtype=dtype, device=hidden.device)
    return mask.masked_fill_(hidden, torch.finfo(dtype).min)[:, None, None, :]


class CrossSlots:
    """Cross-attention slots of a wave: keys and values of each row's source, right-padded.

    Args:
        layers: number of cross-attention layers.
        rows: number of slots.
        source_capacity: positions of each slot, a whole number of buckets.
    """

    def __init__(self, layers: int, rows: int, source_capacity: int) -> None:
        self.slots = SlotCache(layers, rows)
        self.slots.capacity = self.slots.visible = source_capacity
        self.lengths = [1] * rows  # an empty slot shows one place, so that its softmax is finite

    def fill(self, row: int, pairs: Pairs) -> None:
        """Copy a source's keys and values into a slot."""
        self.slots.fill(row, pairs)
        self.lengths[row] = pairs[0][0].shape[2]

    def copy(self, source: int, target: int) -> None:
        """Copy a whole source to another slot."""
        self.slots.copy(source, target, self.slots.capacity)
        self.lengths[target] = self.lengths[source]

    def mask(self, lengths: Tensor, dtype: torch.dtype) -> Tensor:
        """Additive mask [rows fed, 1, 1, source capacity] of rows of these lengths."""
        places = torch.arange(self.slots.capacity, device=lengths.device)
        return additive(places.unsqueeze(0) >= lengths.unsqueeze(1), dtype)

    def joined(self, own: SlotCache) -> EncoderDecoderCache:
        """The pair of caches that an encoder-decoder model expects; the sources are complete."""
        self.slots.longest = self.slots.capacity
        cache = EncoderDecoderCache(own, _Shown(self.slots, own.first, own.first + own.fed))
        cache.is_updated = dict.fromkeys(range(len(self.slots.layers)), True)
        return cache


class _Shown(Cache):  # type: ignore[misc]
    """Some rows of finished cross-attention slots, as layers that are only read."""

    def __init__(self, slots: SlotCache, first: int, stop: int) -> None:
        layers = []
        for layer in slots.layers:
            shown = SlotLayer(slots)
            shown.keys, shown.values = layer.keys[first:stop], layer.values[first:stop]
            shown.is_initialized = True
            layers.append(shown)
        super().__init__(layers=layers)
