"""How many slots a batch allocates, and how many outputs fit a memory budget."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from ethogram.engine.forward.batch_invariance import BatchSizes
from ethogram.engine.guidance import BranchModel


@dataclass(frozen=True, slots=True)
class SlotNeed:
    """Slots that the outputs of a batch need of one forward pass.

    Attributes:
        sizes: batch sizes of a decode step: padding takes slots as well.
        slot_bytes: bytes of a slot for the longest of them.
        outputs: slots that all of them use if they run at once.
    """

    sizes: BatchSizes
    slot_bytes: int
    outputs: int

    def slots(self, usable: int) -> int:
        """Slots for up to `usable` outputs in progress, with those that padding needs."""
        return self.sizes.slots(min(usable, self.outputs))


@dataclass(frozen=True, slots=True)
class BatchNeeds:
    """Slots that the outputs of a batch need of all its forward passes.

    Attributes:
        own: for their own rows.
        branches: for the rows of their guidance branches, by the model that these run on.
    """

    own: SlotNeed
    branches: Mapping[BranchModel, SlotNeed] = field(default_factory=dict)

    def allocated_bytes(self, usable: int) -> int:
        """Bytes of all slots of a batch with up to `usable` outputs in progress."""
        needs = (self.own, *self.branches.values())
        return sum(need.slots(usable) * need.slot_bytes for need in needs)

    def most_outputs(self, budget: int, limit: int) -> int:
        """The most outputs, up to `limit`, whose slots fit a budget in bytes; 0 if none does."""
        return bisect_right(range(1, limit + 1), budget, key=self.allocated_bytes)
