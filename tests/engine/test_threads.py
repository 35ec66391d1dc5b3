"""The number of threads of a step: all while alone, fewer where they give more."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from ethogram import cores
from ethogram.engine.threads import AdaptiveThreads


class Machine(cores.Contention):
    """A machine with a clock of its own, on which a step of 48 rows takes `seconds[threads]`."""

    def __init__(self, seconds: dict[int, float], waited: dict[int, float]) -> None:
        self.now, self.seconds, self.waited = 0.0, seconds, waited
        self.threads = AdaptiveThreads(lambda: self.now, self)

    def share(self) -> float:
        return self.waited.get(torch.get_num_threads(), 0.0)

    def run(self, steps: int, rows: int = 48) -> list[int]:
        used = []
        for _ in range(steps):
            with self.threads.step(rows):
                used.append(torch.get_num_threads())
                self.now += self.seconds[used[-1]] * rows / 48
        return used


@pytest.fixture(autouse=True)
def four_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(cores.VARIABLE, raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def test_alone_all_threads_compute() -> None:
    machine = Machine({4: 0.05, 3: 0.01, 2: 0.01, 1: 0.01}, {})
    assert set(machine.run(400)) == {4}


def test_a_busy_machine_is_computed_on_by_as_many_threads_as_give_most() -> None:
    seconds = {4: 0.30, 3: 0.20, 2: 0.10, 1: 0.15}
    machine = Machine(seconds, dict.fromkeys(seconds, 0.5))
    machine.run(200)
    used = machine.run(400)
    assert used.count(2) > 0.8 * len(used)


def test_threads_come_back_when_the_machine_is_quiet_again() -> None:
    machine = Machine({4: 0.30, 3: 0.25, 2: 0.20, 1: 0.10}, dict.fromkeys(range(1, 5), 0.5))
    assert machine.run(300)[-1] < 4
    machine.seconds, machine.waited = {4: 0.05, 3: 0.07, 2: 0.10, 1: 0.20}, {}
    machine.run(1000)
    assert set(machine.run(100)) == {4}


def test_batches_of_different_sizes_are_not_compared() -> None:
    """A step of few rows is quick whatever its threads: fewer threads get no credit for it."""
    machine = Machine({4: 0.10, 3: 0.20, 2: 0.30, 1: 0.40}, dict.fromkeys(range(1, 5), 0.5))
    for _ in range(30):
        machine.run(4, rows=48)
        machine.run(4, rows=3)
    assert machine.run(1, rows=48) == [4]


def test_steps_of_another_kind_teach_nothing() -> None:
    machine = Machine({4: 0.30, 3: 0.01, 2: 0.01, 1: 0.01}, dict.fromkeys(range(1, 5), 0.5))
    for _ in range(100):
        with machine.threads.step():
            machine.now += 1.0
    assert machine.threads.count == 4


def test_the_variable_fixes_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, cores.VARIABLE, "4")
    machine = Machine({4: 0.30, 3: 0.01, 2: 0.01, 1: 0.01}, dict.fromkeys(range(1, 5), 0.5))
    assert set(machine.run(100)) == {4}


def test_outside_a_step_torch_keeps_its_number() -> None:
    machine = Machine({4: 0.30, 3: 0.20, 2: 0.10, 1: 0.05}, dict.fromkeys(range(1, 5), 0.5))
    assert machine.run(300)[-1] < 4
    assert torch.get_num_threads() == 4
    with pytest.raises(RuntimeError, match="stop"), machine.threads.step(48):
        raise RuntimeError("stop")
    assert torch.get_num_threads() == 4
