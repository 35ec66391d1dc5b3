"""The Ray backend: requests shared among workers on a cluster, each with a backend of its own.

Any placement gives the same outputs: the noise of a request is its own, and decoding is
batch-invariant. Machines of different kinds may differ in the last bits, so each generation says
which kind of processor made it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

from ethogram.backends.base import Backend
from ethogram.cluster import Cluster, Workers
from ethogram.engine.work import Work
from ethogram.errors import ModelError
from ethogram.spec.generation import Generation, Request

#: Requests of one prompt stay together up to this many: they share its prefill and first rows.
GROUP = 64


@dataclass(frozen=True)
class Setup:
    """What a worker needs to make its backend; picklable.

    Attributes:
        make: makes the backend, and says what kind of processor it computes on.
        identities: of the models' weights: functions that compute one there, and what it is here.
        ethogram: release of the program that asks.
    """

    make: Callable[[], tuple[Backend, str | None]]
    identities: Sequence[tuple[Callable[[], str], str, str]]
    ethogram: str

    def __call__(self) -> BackendRunner:
        """Make the runner, on the worker's machine."""
        return BackendRunner(self)


class BackendRunner:
    """Runs requests on a worker's backend.

    Raises:
        ModelError: this machine has another release or other weights than the one that asks.
    """

    def __init__(self, setup: Setup) -> None:
        from ethogram import __version__

        here = f"machine {socket.gethostname()}"
        if __version__ != setup.ethogram:
            raise ModelError(
                f"has Ethogram {__version__}, not {setup.ethogram}",
                where=here,
                hint="install the same release on every machine of the cluster",
            )
        for identify, model, identity in setup.identities:
            if identify() != identity:
                raise ModelError(
                    f"has other weights under the name {model}",
                    where=here,
                    hint="pull the same model on every machine, or use a shared folder",
                )
        self._backend, about = setup.make()
        self._about = about or "unknown processor"
        self._tokens = 0

    def about(self) -> str:
        """The kind of processor."""
        return self._about

    def report(self) -> tuple[int, Work]:
        """Tokens and work of the requests of now."""
        return self._tokens, self._backend.work

    def run(self, kind: str, tasks: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        """Check requests (`check`) or generate (`generate`, `trace`)."""
        self._tokens = 0
        made = self._backend.generate(
            tasks, on_tokens=self._count, trace=kind in ("trace", "check-trace")
        )
        if kind.startswith("check"):
            yield from ((request.identity, None) for request in tasks)
            return
        for generation in made:
            yield generation.identity, generation

    def _count(self, tokens: int) -> None:
        self._tokens += tokens


class RayBackend:
    """Generates on the workers of a cluster.

    Args:
        cluster: connected.
        setup: of each worker.
    """

    def __init__(self, cluster: Cluster, setup: Setup) -> None:
        self._workers = Workers(cluster, setup, self._reported)
        self._on_tokens: Callable[[int], None] | None = None
        self._finished: list[Work] = []
        self._running: dict[int, tuple[int, Work]] = {}

    @property
    def work(self) -> Work:
        """What the last call of `generate` computed so far, on all workers."""
        return reduce(add, [*self._finished, *(work for _, work in self._running.values())], Work())

    @property
    def workers(self) -> int:
        """How many workers share the requests."""
        return self._workers.share.workers

    @property
    def deaths(self) -> int:
        """Workers that died."""
        return self._workers.deaths

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
    ) -> Iterator[Generation]:
        """Generate; all requests are checked, by all workers together, before the first one runs.

        See `Backend.generate`. Tokens of a worker that died are counted again.

        Raises:
            EthogramError: what a worker's backend raises.
            BackendError: workers keep dying, or no machine is left.
        """
        distinct = {request.identity: request for request in requests}
        groups = _groups(distinct)
        self._on_tokens = None
        for _ in self._workers.run("check-trace" if trace else "check", groups):
            pass
        self._finished, self._running, self._on_tokens = [], {}, on_tokens
        return self._generate(groups, "trace" if trace else "generate")

    def close(self) -> None:
        """Stop the workers."""
        self._workers.close()

    def _generate(
        self, groups: Sequence[Sequence[tuple[str, Request]]], kind: str
    ) -> Iterator[Generation]:
        for _, generation, about in self._workers.run(kind, groups):
            yield replace(generation, processor=about)

    def _reported(self, seat: int, report: tuple[int, Work], is_done: bool) -> None:
        tokens, work = report
        before = self._running.get(seat, (0, Work()))
        if tokens < before[0]:  # A new worker in the place of one that died.
            self._finished.append(before[1])
            before = (0, Work())
        if self._on_tokens and tokens > before[0]:
            self._on_tokens(tokens - before[0])
        if is_done:
            self._finished.append(work)
            self._running.pop(seat, None)
        else:
            self._running[seat] = report


def _groups(requests: Mapping[str, Request]) -> list[list[tuple[str, Request]]]:
    """Requests of one prompt together, those of one noise key beside each other."""
    by_prompt: dict[Any, list[tuple[str, Request]]] = {}
    for identity, request in requests.items():
        by_prompt.setdefault(request.prompt, []).append((identity, request))
    groups = []
    for members in by_prompt.values():
        members.sort(key=lambda each: each[1].noise_key or 0)
        groups += [members[start : start + GROUP] for start in range(0, len(members), GROUP)]
    return groups
