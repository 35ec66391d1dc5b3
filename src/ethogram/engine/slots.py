"""Who holds which slot of the cache. Knows rows and histories; knows no tensor and no model.

Slots in use are always the first ones, so that a decode step feeds no holes: when one falls free,
the last one moves into its place. Outputs of one prompt whose tokens are still the same share one
slot, since the model would compute the same for each; they part when their tokens do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ethogram.engine.search.base import Search
from ethogram.engine.sequence import SequenceState

#: Copies the first positions of a slot to another one: (source, target, positions).
Copy = Callable[[int, int, int], None]


@dataclass
class SharedGroup:
    """Outputs with one history and the slot that holds it.

    Attributes:
        outputs: at least one, all with the same prompt and the same tokens so far.
        slot: where their keys and values lie.
    """

    outputs: list[SequenceState]
    slot: int

    @property
    def length(self) -> int:
        """Positions filled once the last token has been fed."""
        return self.outputs[0].length

    @property
    def last_token(self) -> int:
        """The token that it feeds next."""
        return self.outputs[0].token_ids[-1]


Group = SharedGroup | Search


@dataclass
class Slots:
    """The slots of a batch.

    Attributes:
        copy: moves what a slot holds.
        owners: of each slot in use, by number; a search owns several.
        merging: whether equal histories share a slot.
    """

    copy: Copy
    merging: bool = True
    owners: list[Group] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.owners)

    def groups(self) -> Iterator[Group]:
        """Every owner once, in the order of their first slots."""
        seen: set[int] = set()
        for owner in self.owners:
            if id(owner) not in seen:
                seen.add(id(owner))
                yield owner

    def share(
        self,
        outputs: Sequence[SequenceState],
        owner: Callable[[list[SequenceState], int], SharedGroup] = SharedGroup,
    ) -> list[SharedGroup]:
        """Give outputs of one prompt that have not begun their slots; returns the new groups."""
        groups = [list(outputs)] if self.merging else [[output] for output in outputs]
        made = [owner(group, len(self) + place) for place, group in enumerate(groups)]
        self.owners += made
        return made

    def give(self, search: Search) -> None:
        """Give a search its slots."""
        count = search.job.slots
        search.rows = list(range(len(self), len(self) + count))
        self.owners += [search] * count

    def part(self, owner: SharedGroup) -> int:
        """Split a owner whose outputs have chosen different tokens; returns the new groups.

        The largest group keeps the slot, the others get copies of it. Outputs that ended leave.
        """
        by_token: dict[int, list[SequenceState]] = {}
        for output in owner.outputs:
            if output.finish_reason is None:
                by_token.setdefault(output.token_ids[-1], []).append(output)
        if not by_token:
            self.release(owner)
            return 0
        first, *others = sorted(by_token.values(), key=len, reverse=True)
        owner.outputs = first
        for group in others:
            slot = len(self)
            # The last token is not fed yet: its position is filled by the next step.
            self.copy(owner.slot, slot, owner.length - 1)
            self.owners.append(replace(owner, outputs=group, slot=slot))
        return len(others)

    def release(self, owner: Group) -> None:
        """Take a owner's slots back and close the holes."""
        freed = [owner.slot] if isinstance(owner, SharedGroup) else list(owner.rows)
        for slot in sorted(freed, reverse=True):
            last = len(self) - 1
            if slot != last:
                mover = self.owners[last]
                self.copy(last, slot, mover.length)
                self.owners[slot] = mover
                if isinstance(mover, SharedGroup):
                    mover.slot = slot
                else:
                    mover.rows[mover.rows.index(last)] = slot
            self.owners.pop()
