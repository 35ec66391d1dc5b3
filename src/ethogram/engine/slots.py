"""Assigns slots of the KV cache to outputs.

Slots in use are always the first ones, so a decode step runs consecutive slots: when one falls
free, the last one moves there. Outputs of one prompt whose tokens are still equal share
one slot, since the model would compute the same for each; they fork when they diverge.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from torch import Tensor

from ethogram.engine.sampling.trace import Distribution
from ethogram.engine.sequence import SequenceState
from ethogram.spec.generation import Generation

#: Copies the first positions of a slot to another one: (source, target, positions).
Copy = Callable[[int, int, int], None]
#: Lets slots continue others: (slots, parent of each as an index into them, positions, of which
#: so many from the start are equal).
Reorder = Callable[[Sequence[int], Sequence[int], int, int], None]
#: Collects how tokens are chosen: logits and log-probabilities [rows, vocab] to what a trace needs.
Collect = Callable[[Tensor, Tensor], Distribution | None]


class Ended(NamedTuple):
    """What ended in a group with a step.

    Attributes:
        generations: finished ones.
        slots: how many fewer outputs are in progress.
        tokens: chosen for the generations, those of all candidates of each.
    """

    generations: list[Generation]
    slots: int
    tokens: int


class Group(ABC):
    """Outputs that advance together: equal histories in one slot, or the slots of one search.

    Attributes:
        outputs: those whose tokens the sampler chooses; none for a search.
    """

    outputs: list[SequenceState]
    #: Whether it reads the model's last hidden states.
    needs_states = False

    @property
    @abstractmethod
    def rows(self) -> list[int]:
        """Its slots."""

    @property
    @abstractmethod
    def length(self) -> int:
        """Positions filled in each of its slots once the last tokens have been run."""

    @property
    @abstractmethod
    def last_tokens(self) -> list[int]:
        """The token that each of its slots runs next."""

    @abstractmethod
    def move(self, source: int, target: int) -> None:
        """Take slot `target` instead of slot `source`."""

    @abstractmethod
    def end(self, now: float) -> Ended:
        """What ended with the last step, at clock reading `now`, seconds."""

    @abstractmethod
    def settle(self, slots: Slots) -> int:
        """Bring the slots up to the last step; returns how many forks that took."""

    def search(self, logits: Tensor, collect: Collect) -> int:
        """Choose by a rule of its own; returns the tokens chosen: none where the sampler chooses.

        Args:
            logits: [slots, vocab] of its slots in any floating type.
            collect: what a trace needs of them, where one is wanted.
        """
        return 0

    def take_states(self, states: Tensor) -> None:
        """Called before each choice where `needs_states`.

        Args:
            states: [positions, width] of the prompt at first, then [slots, width] of the tokens
                just run.
        """
        raise NotImplementedError


@dataclass
class SharedGroup(Group):
    """Outputs with equal histories and the slot that holds them.

    Attributes:
        outputs: at least one, all with the same prompt and the same tokens so far.
        slot: where their keys and values are.
    """

    outputs: list[SequenceState]
    slot: int

    @property
    def rows(self) -> list[int]:
        """Its one slot."""
        return [self.slot]

    @property
    def length(self) -> int:
        """Positions filled once the last token has been run."""
        return self.outputs[0].length

    @property
    def last_tokens(self) -> list[int]:
        """The token that it runs next."""
        return self.outputs[0].token_ids[-1:]

    def move(self, source: int, target: int) -> None:
        """Take slot `target`."""
        self.slot = target

    def end(self, now: float) -> Ended:
        """The outputs that ended."""
        ended = [output for output in self.outputs if output.finish_reason is not None]
        made = [one for output in ended if (one := output.generation(now)) is not None]
        known = sum(len(output.job.known) for output in ended)
        return Ended(made, len(ended), sum(map(_chosen, made)) - known)

    def settle(self, slots: Slots) -> int:
        """Fork histories that diverged, and free the slot if all outputs ended."""
        return slots.fork(self)


def _chosen(generation: Generation) -> int:
    """Tokens chosen for a finished output, those of all its candidates."""
    selection = generation.selection
    return sum(selection.tokens) if selection else len(generation.token_ids)


@dataclass
class Slots:
    """The slots of a batch.

    Attributes:
        copy: copies what a slot holds.
        merging: whether equal histories share a slot.
        reorder: lets the slots of a search continue its beams.
        freed: called with a slot that falls free and how many of its positions were written.
        owners: of each slot in use, by number; a search owns several.
    """

    copy: Copy
    merging: bool = True
    reorder: Reorder | None = None
    freed: Callable[[int, int], None] = lambda slot, length: None
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
        """Assign slots to new outputs of one prompt; returns the new groups."""
        groups = [list(outputs)] if self.merging else [[output] for output in outputs]
        made = [owner(group, len(self) + index) for index, group in enumerate(groups)]
        self.owners += made
        return made

    def assign(self, group: Group, count: int) -> list[int]:
        """Assign `count` slots to a group; returns them."""
        rows = list(range(len(self), len(self) + count))
        self.owners += [group] * count
        return rows

    def fork(self, owner: SharedGroup) -> int:
        """Split a group whose outputs chose different tokens; returns how many groups it added.

        The largest part keeps the slot, the others get copies of it. Outputs that ended leave.
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
            # The last token has not run yet: the next step fills its position.
            self.copy(owner.slot, slot, owner.length - 1)
            self.owners.append(replace(owner, outputs=group, slot=slot))
        return len(others)

    def release(self, owner: Group) -> None:
        """Free the slots of a group, and move the last slots there."""
        for slot in sorted(owner.rows, reverse=True):
            self.freed(slot, owner.length)
            last = len(self) - 1
            if slot != last:
                mover = self.owners[last]
                self.copy(last, slot, mover.length)
                self.owners[slot] = mover
                mover.move(last, slot)
                self.freed(last, mover.length)
            self.owners.pop()
