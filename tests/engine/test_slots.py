"""Slots hold the tokens of their outputs without holes."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.engine.slots import Slots


class Written:
    """Stands for an output: a history of letters."""

    def __init__(self, name: str) -> None:
        self.name, self.token_ids, self.finish_reason = name, list[int](), None

    @property
    def length(self) -> int:
        return 1 + len(self.token_ids)


@given(seed=st.integers(0, 10**6), count=st.integers(1, 9))
@settings(max_examples=examples(60))
def test_slots_hold_the_tokens_of_their_outputs_without_holes(seed: int, count: int) -> None:
    """A random life of outputs over slots of plain lists, checked after each step."""
    chance = random.Random(seed)
    memory: dict[int, list[int]] = {}

    def copy(source: int, target: int, length: int) -> None:
        memory[target] = memory[source][:length]

    slots = Slots(copy)
    for shared in slots.share([Written(str(n)) for n in range(count)]):  # type: ignore[misc]
        memory[shared.slot] = [0]
    alive = count
    while len(slots):
        for group in list(slots.groups()):
            for output in group.outputs:
                output.token_ids.append(chance.choice((1, 1, 1, 2)))
                if chance.random() < 0.15:
                    output.finish_reason = "eos"
                    alive -= 1
        before = len(slots)
        forks = 0
        for group in list(slots.groups()):
            forks += group.settle(slots)
        assert len(slots) <= before + forks
        assert sum(len(group.outputs) for group in slots.groups()) == alive
        for number, group in enumerate(slots.owners):
            assert group.rows == [number]
            history = group.outputs[0].token_ids
            assert all(output.token_ids == history for output in group.outputs)
            memory[number] = [*memory[number][: len(history)], *group.last_tokens]  # the next step
            assert memory[number] == [0, *history]
        histories = [tuple(group.outputs[0].token_ids) for group in slots.groups()]
        assert len(set(histories)) == len(histories)
    assert alive == 0
