"""Pools: what versions share that are made together, and the backend of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ethogram.processor import processor_kind
from ethogram.stages import stage
from ethogram.study.endpoints import Endpoints

if TYPE_CHECKING:
    from ethogram.backends import Backend, Budget
    from ethogram.backends.vllm import VllmBackend
    from ethogram.engine import Engine
    from ethogram.models import LoadedModel, ModelReference
    from ethogram.spec.endpoint import RemoteModel
    from ethogram.spec.version import BackendName

    #: The name that decodings give their amateur, and which model it is.
    Amateur = tuple[str, ModelReference]


class Pool(NamedTuple):
    """What versions share that are made together.

    Attributes:
        reference: the model.
        amateur: the name that their decodings give their amateur, and which model it is.
        backend: what generates.
        remote: the model at an endpoint; then `reference` only names it.
    """

    reference: ModelReference
    amateur: Amateur | None
    backend: BackendName
    remote: RemoteModel | None = None


class Backends:
    """Keeps one loaded model and its amateur: most versions of a study share them."""

    def __init__(
        self,
        max_rows: int | None,
        on_load: Callable[[str], None] | None,
        budget: Budget | None = None,
    ) -> None:
        self._max_rows, self._on_load = max_rows, on_load
        self._loaded: dict[ModelReference, LoadedModel] = {}
        self._engine: tuple[ModelReference, str | None, Engine] | None = None
        self._vllm: VllmBackend | None = None
        self.endpoints = Endpoints(budget)

    def get(self, pool: Pool) -> Backend:
        """The backend of a pool; the models of the previous one are freed first."""
        from ethogram.wrap import WrappedBackend

        if pool.remote is not None:
            return WrappedBackend(self.endpoints.get(pool.remote))
        if pool.backend == "vllm":
            return WrappedBackend(self._vllm_of(pool.reference))
        engine = self.engine(pool)
        return WrappedBackend(engine, engine.text)

    def engine(self, pool: Pool) -> Engine:
        """The engine of a pool."""
        self._close_vllm()
        return self._engine_of(pool.reference, pool.amateur)

    def processor(self, pool: Pool) -> str | None:
        """The kind of processor of the backend of a pool, got before; None at an endpoint."""
        if pool.remote is not None:
            return None
        if pool.backend == "vllm":
            from ethogram.engine.kind import accelerator

            return processor_kind(compiled=False, accelerator=accelerator())
        from ethogram.engine.kind import engine_kind

        return engine_kind(self.engine(pool))

    def close(self) -> None:
        """Stop vLLM, if it runs, and close connections."""
        self._close_vllm()
        self.endpoints.close()

    def _vllm_of(self, reference: ModelReference) -> VllmBackend:
        from ethogram.backends.vllm import VllmBackend

        self._engine, self._loaded = None, {}
        self._close_vllm()
        if self._on_load:
            self._on_load(reference.model)
        self._vllm = VllmBackend(reference, max_rows=self._max_rows)
        return self._vllm

    def _close_vllm(self) -> None:
        if self._vllm is not None:
            self._vllm.close()
            self._vllm = None

    def _engine_of(self, reference: ModelReference, amateur: Amateur | None) -> Engine:
        name = amateur[0] if amateur else None
        if self._engine and self._engine[0] == reference and name in (None, self._engine[1]):
            return self._engine[2]
        wanted = {reference, amateur[1]} if amateur else {reference}
        # Free what is not needed before loading the next: two might not fit.
        self._engine = None
        self._loaded = {known: made for known, made in self._loaded.items() if known in wanted}
        model = self._load(reference)  # Says so first: the import below takes seconds too.
        from ethogram.engine import MAX_ROWS, Engine

        stage(f"Preparing {reference.model}")
        engine = Engine(
            model,
            max_rows=self._max_rows or MAX_ROWS,
            amateurs={amateur[0]: self._load(amateur[1])} if amateur else None,
        )
        self._engine = (reference, name, engine)
        return engine

    def _load(self, reference: ModelReference) -> LoadedModel:
        if reference not in self._loaded:
            if self._on_load:
                self._on_load(reference.model)
            from ethogram.models import load

            self._loaded[reference] = load(reference)
        return self._loaded[reference]


def pool_backend(max_rows: int | None, pool: Pool) -> tuple[Backend, str | None]:
    """The backend of a pool and its kind of processor, made on a worker's machine."""
    backends = Backends(max_rows, None)
    return backends.get(pool), backends.processor(pool)
