"""How many slots a batch takes, and how many outputs a budget of bytes holds. Knows no tensor."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass

from ethogram.engine.forward.batch_invariance import RowClass


@dataclass(frozen=True, slots=True)
class SlotNeed:
    """What the outputs of a batch need of the slots of one forward pass.

    Attributes:
        rows: how many rows a decode step may feed: padding takes slots as well.
        slot_bytes: of the longest of them.
        outputs: slots that all of them would use if they ran at once.
    """

    rows: RowClass
    slot_bytes: int
    outputs: int

    def slots(self, usable: int) -> int:
        """Slots for up to `usable` outputs in progress, with those that padding needs."""
        return self.rows.slots(min(usable, self.outputs))


def allocated_bytes(needs: Collection[SlotNeed], usable: int) -> int:
    """Bytes of all slots of a batch with up to `usable` outputs in progress."""
    return sum(need.slots(usable) * need.slot_bytes for need in needs)


def most_outputs(needs: Collection[SlotNeed], budget: int, limit: int) -> int:
    """The largest number of outputs, up to `limit`, whose slots fit the budget; 0 if none does."""
    return bisect_right(
        range(1, limit + 1), budget, key=lambda usable: allocated_bytes(needs, usable)
    )
