"""Workers: actors that share tasks; what a dead one had not delivered, others do again.

A task's result is delivered once: a worker that stopped answering is killed before its tasks go to
another, and nothing more is taken from it.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ethogram.cluster.connect import Cluster, Share
from ethogram.cluster.worker import Answer, Runner, Worker
from ethogram.errors import BackendError, EthogramError
from ethogram.stages import stage

__all__ = ["Answer", "Runner", "Workers"]

#: Seconds that a call for results waits on the worker: how often progress is reported.
TAKE_SECONDS = 0.5
#: A worker may die so often in a row without a result before that is an error.
DEATHS = 3
#: Seconds without a ready worker until progress says so, and until it is an error.
PATIENCE, LONGEST_WAIT = 5.0, 300.0
#: Seconds without an answer to a call for results until a worker counts as dead: its machine hangs,
#: or the network to it is cut. Such a call takes `TAKE_SECONDS`.
SILENCE = 120.0
#: Most tasks that a worker is given at once, so that a death costs little.
MOST_TASKS = 4096
#: Fewest, where there are enough: a batch needs rows.
FEWEST_TASKS = 16

Task = tuple[str, Any]


@dataclass
class _Seat:
    """The place of one worker; a worker that died is replaced in it.

    Attributes:
        actor: the worker.
        call: what is awaited of it; None while it has nothing to do.
        since: when that was called.
        about: what computes there; empty until it is ready.
        tasks: those given to it and not delivered, by key.
        deaths: in a row, without a result.
    """

    actor: Any
    call: Any
    since: float = field(default_factory=time.monotonic)
    about: str = ""
    tasks: dict[str, Any] = field(default_factory=dict)
    deaths: int = 0


class Workers:
    """Actors that all run the same runner.

    Args:
        cluster: connected.
        make: makes a runner; picklable, and importable on every machine.
        on_report: called with the number of a seat and the runner's report, after each answer.

    Attributes:
        share: what each has.
        deaths: workers that died.
    """

    def __init__(
        self,
        cluster: Cluster,
        make: Callable[[], Runner],
        on_report: Callable[[int, Any, bool], None] | None = None,
    ) -> None:
        self.share: Share = cluster.share()
        self.deaths = 0
        self._cluster, self._ray, self._make = cluster, cluster.ray, make
        self._on_report = on_report
        self._seats = [self._seat() for _ in range(self.share.workers)]
        self._lonely_since = time.monotonic()

    def close(self) -> None:
        """Stop all workers."""
        for seat in self._seats:
            with suppress(Exception):
                self._ray.kill(seat.actor)
        self._seats = []

    def run(self, kind: str, groups: Sequence[Sequence[Task]]) -> Iterator[tuple[str, Any, str]]:
        """Run tasks on all workers.

        Args:
            kind: what the runner does with them.
            groups: tasks as (key, data); those of a group go to one worker. Keys are distinct.

        Returns:
            Key, result and what computed it, as results arrive.

        Raises:
            EthogramError: what a runner raised for the user.
            BackendError: workers keep dying, or no machine is left.
        """
        waiting = deque(group for group in groups if group)
        try:
            while waiting or any(seat.tasks for seat in self._seats):
                self._give(kind, waiting)
                calls = {seat.call: seat for seat in self._seats if seat.call is not None}
                done, _ = self._ray.wait(list(calls), num_returns=1, timeout=TAKE_SECONDS * 4)
                self._watch()
                for call in done:
                    yield from self._receive(calls[call], waiting)
                self._replace_silent(waiting)
        finally:
            if any(seat.tasks for seat in self._seats):
                self.close()  # Abandoned in the middle: what they still make belongs to nobody.

    def _give(self, kind: str, waiting: deque[Sequence[Task]]) -> None:
        """Give tasks to workers that have none."""
        for seat in self._seats:
            if not waiting or seat.call is not None:
                continue
            left = sum(map(len, waiting))
            even = math.ceil(left / len(self._seats))
            # Half of an even part: the parts get smaller, so that all workers end together.
            size = min(max(math.ceil(even / 2), min(FEWEST_TASKS, even)), MOST_TASKS)
            given: list[Task] = []
            while waiting and len(given) < size:
                given += waiting.popleft()
            seat.tasks = dict(given)
            self._call(seat, seat.actor.start.remote(kind, [task for _, task in given]))

    def _receive(
        self, seat: _Seat, waiting: deque[Sequence[Task]]
    ) -> Iterator[tuple[str, Any, str]]:
        """Take a worker's answer and call it again, or replace it where it died."""
        try:
            answer = self._ray.get(seat.call)
        except self._ray.exceptions.RayTaskError as error:
            raise self._cluster.failure("a worker failed", error) from None
        except self._ray.exceptions.RayError as error:
            self._replace(seat, waiting, error)
            return
        if isinstance(answer, EthogramError):
            raise answer
        if isinstance(answer, str):
            seat.about, seat.call = answer, None
            return
        for key, result in answer.results:
            if seat.tasks.pop(key, self) is not self:
                seat.deaths = 0
                yield key, result, seat.about
        if self._on_report and answer.report is not None:
            self._on_report(self._seats.index(seat), answer.report, answer.is_done)
        if answer.error is not None:
            raise answer.error
        if answer.is_done:
            if seat.tasks:
                raise BackendError(
                    f"a worker left {len(seat.tasks)} tasks undone", where=self._cluster.where
                )
            seat.call = None
        else:
            self._call(seat, seat.actor.take.remote(TAKE_SECONDS))

    @staticmethod
    def _call(seat: _Seat, call: Any) -> None:
        seat.call, seat.since = call, time.monotonic()

    def _replace_silent(self, waiting: deque[Sequence[Task]]) -> None:
        """Replace workers that do not answer; one that is not ready may take long to load."""
        late = time.monotonic() - SILENCE
        for seat in self._seats:
            if seat.call is None or not seat.about or seat.since > late:
                continue
            answered, _ = self._ray.wait([seat.call], timeout=0)
            if not answered:
                self._replace(seat, waiting, TimeoutError(f"no answer for {SILENCE:.0f} s"))

    def _replace(self, seat: _Seat, waiting: deque[Sequence[Task]], error: Exception) -> None:
        self.deaths += 1
        seat.deaths += 1
        if seat.deaths >= DEATHS:
            raise self._cluster.failure(
                f"a worker died {DEATHS} times in a row",
                error,
                hint="it may lack memory: use fewer workers; what was generated is stored",
            )
        stage("A Ray worker died; another one does its work again")
        with suppress(Exception):
            self._ray.kill(seat.actor)  # It may only be cut off; nothing is taken from it any more.
        if seat.tasks:
            waiting.appendleft(list(seat.tasks.items()))
        fresh = self._seat()
        seat.actor, seat.about, seat.tasks = fresh.actor, "", {}
        self._call(seat, fresh.call)

    def _seat(self) -> _Seat:
        made = self._ray.remote(Worker).options(
            num_cpus=self.share.threads,
            num_gpus=self.share.gpus,
            scheduling_strategy="SPREAD",
            max_restarts=0,
            max_task_retries=0,
        )
        try:
            actor = made.remote(self._make, self.share.threads)
            return _Seat(actor, actor.prepare.remote())
        except ImportError as error:  # Ray's client has the cluster import at once.
            raise self._cluster.failure("a worker cannot start", error) from None

    def _watch(self) -> None:
        """Say so while no worker is ready; give up where none can come.

        Raises:
            BackendError: no machine is left, or none was free for long.
        """
        now = time.monotonic()
        if any(seat.about for seat in self._seats):
            self._lonely_since = now
            return
        lonely = now - self._lonely_since
        if lonely < PATIENCE:
            return
        if not any(node.cpus >= self.share.threads for node in self._cluster.nodes()):
            raise BackendError(
                "no machine is left that could run a worker",
                where=self._cluster.where,
                hint="what was generated is stored; run again to continue",
            )
        if lonely > LONGEST_WAIT:
            raise BackendError(
                f"no worker was ready after {LONGEST_WAIT:.0f} s: others may hold its machines",
                where=self._cluster.where,
                hint="see `ray status`; what was generated is stored",
            )
        stage("Waiting for Ray workers: models load, or the cluster is busy")
