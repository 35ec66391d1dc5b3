"""Remote: the backends of a run whose work is shared by the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from ethogram import __version__
from ethogram.cluster import Placement, connected
from ethogram.stages import stage

if TYPE_CHECKING:
    from ethogram.backends import Backend
    from ethogram.backends.ray_backend import RayBackend
    from ethogram.cluster import Cluster
    from ethogram.models import ModelReference
    from ethogram.study.pools import Backends, Pool


class RayBackends:
    """Keeps the workers of one pool; those of the pool before are stopped first.

    Args:
        placement: the cluster, reached (or started) when the first backend is needed.
        make: makes the backend of a pool on a worker's machine, and says its kind of processor;
            picklable.
        identity_of: the identity of a model's weights on this machine.
        on_load: called with a model's name before the workers load it.
        local: the backends of this process, for models at endpoints.

    Attributes:
        endpoints: of `local`.
    """

    def __init__(
        self,
        placement: Placement,
        make: Callable[[Any], tuple[Backend, str | None]],
        identity_of: Callable[[ModelReference], str],
        on_load: Callable[[str], None] | None,
        local: Backends,
    ) -> None:
        self._local, self.endpoints = local, local.endpoints
        self._placement, self._make, self._identity_of = placement, make, identity_of
        self._on_load = on_load
        self._stack = ExitStack()
        self._cluster: Cluster | None = None
        self._current: tuple[Any, RayBackend] | None = None

    def get(self, pool: Pool) -> Backend:
        """The backend of a pool; a model at an endpoint is asked by this process."""
        if pool.remote is not None:
            return self._local.get(pool)
        if self._current and self._current[0] == pool:
            return self._current[1]
        self._close_workers()
        if self._cluster is None:
            self._cluster = self._stack.enter_context(connected(self._placement))
        from ethogram.backends.ray_backend import RayBackend, Setup
        from ethogram.models import identity

        references = [pool.reference, *([pool.amateur[1]] if pool.amateur else [])]
        identities = [
            (partial(identity, reference), reference.model, self._identity_of(reference))
            for reference in references
        ]
        if self._on_load:
            self._on_load(pool.reference.model)
        backend = RayBackend(
            self._cluster, Setup(partial(self._make, pool), identities, __version__)
        )
        stage(f"Loading {pool.reference.model} on {backend.workers} Ray workers")
        self._current = (pool, backend)
        return backend

    def processor(self, pool: Pool) -> None:
        """Unknown here: every generation names the kind that computed it."""

    def close(self) -> None:
        """Stop the workers, and Ray if it was started here."""
        try:
            self._close_workers()
        finally:
            self._stack.close()
            self._local.close()

    def _close_workers(self) -> None:
        if self._current is not None:
            self._current[1].close()
            self._current = None
