"""How many threads the engine computes with: those allowed, fewer while other programs run.

On a machine that is shared, two threads may give less than one: a step waits for the thread that
the system has just taken off its core. Which number is best depends on the other programs, so it is
measured. No output depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from ethogram.cores import Contention, is_number_set

#: Steps are compared over this many seconds, long beside the milliseconds for which the system
#: takes a thread off its core, and over at least this many of them.
WINDOW, WINDOW_STEPS = 0.3, 3
#: Threads that waited this share of the time that they could run had another program beside them.
#: Measured on two cores: up to 0.18 alone, about 0.4 beside one busy process.
CONTENDED = 0.25
#: Windows in a row that have to show it.
CONTENDED_WINDOWS = 2
#: More threads have to be this much better, as rates of two windows differ by as much by chance;
#: fewer need only be as good.
MARGIN = 1.08
#: What a step costs beside its rows, in rows: reading the weights. Measured for SmolLM2-135M.
FIXED_ROWS = 10
#: Rates of so different numbers of rows are not compared, as a ratio.
COMPARABLE = 1.5
#: Seconds until another number is tried again; doubled each time that it is no better.
SHORTEST_HOLD, LONGEST_HOLD = 1.0, 16.0


class AdaptiveThreads:
    """Chooses the number of threads of each step by the rates of those before.

    While nothing else runs it stays at the most allowed. Otherwise it tries fewer, and more again,
    for one window at a time, and keeps what is faster.

    Args:
        clock: seconds.
        contention: how long this process's threads waited for a core.

    Attributes:
        count: threads of the next step.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        contention: Contention | None = None,
    ) -> None:
        self._clock, self._contention = clock, contention or Contention()
        self._most = self.count = 0
        self._kept = 0  # what to go back to if the number on trial is no better; 0 without a trial
        self._kept_rate = 0.0
        self._contended = 0  # windows in a row
        self._hold, self._held_since = SHORTEST_HOLD, clock() - SHORTEST_HOLD
        self._restart(0)

    @contextmanager
    def step(self, rows: int = 0) -> Iterator[None]:
        """While it lasts torch, and the kernels with it, compute with the number chosen.

        Args:
            rows: of the step, whose time is learnt from; 0 for a step of another kind.
        """
        most = torch.get_num_threads()
        if most < 2 or is_number_set():
            yield
            return
        if self._most != most:
            self._most = self.count = most
            self._kept = 0
        if self.count != most:
            torch.set_num_threads(self.count)
        begun = self._clock()
        try:
            yield
        finally:
            if self.count != most:
                torch.set_num_threads(most)
        if rows:
            self._learn(rows, self._clock() - begun)

    def _learn(self, rows: int, seconds: float) -> None:
        if not self._rows / COMPARABLE <= rows <= self._rows * COMPARABLE:
            self._restart(rows)
            self._end_trial()
        self._seconds += seconds
        self._work += rows + FIXED_ROWS
        self._steps += 1
        if self._seconds >= WINDOW and self._steps >= WINDOW_STEPS:
            self._decide(self._work / self._seconds, self._contention.share())
            self._restart(rows)

    def _restart(self, rows: int) -> None:
        """Begin a window."""
        self._contention.share()
        self._rows, self._steps, self._work, self._seconds = rows, 0, 0, 0.0

    def _end_trial(self) -> None:
        """Go back to the number before a trial, if there is one."""
        if self._kept:
            self.count, self._kept = self._kept, 0

    def _decide(self, rate: float, waited: float) -> None:
        """Choose by the rate of a window, in rows per second, and its share of waiting."""
        now = self._clock()
        if self._kept:
            if rate > self._kept_rate * (MARGIN if self.count > self._kept else 1.0):
                self._hold, self._kept = SHORTEST_HOLD, 0
            else:
                self._hold = min(2 * self._hold, LONGEST_HOLD)
                self._end_trial()
            self._held_since, self._contended = now, 0
            return
        self._contended = self._contended + 1 if waited >= CONTENDED else 0
        if self.count == self._most and self._contended < CONTENDED_WINDOWS:
            return
        if now - self._held_since >= self._hold:
            self._kept, self._kept_rate = self.count, rate
            self.count = self._other()

    def _other(self) -> int:
        """Fewer if the threads wait for cores, else more."""
        fewer = self.count - max(1, self.count // 4)
        more = min(self.count + max(1, self.count // 3), self._most)
        return fewer if fewer >= 1 and (self._contended or more == self.count) else more
