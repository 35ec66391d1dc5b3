"""Run: generate what is missing, all versions of a model at once, and measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ethogram.backends import check_installed
from ethogram.cluster import Placement
from ethogram.errors import RequestError, WriteError
from ethogram.processor import processor_kind
from ethogram.spec import Request
from ethogram.spec.source import SourceMap
from ethogram.stages import stage
from ethogram.study.aims import aim_metrics
from ethogram.study.calling import names_of, takes_study
from ethogram.study.measure import metric_names
from ethogram.study.record import OnProgress, Recorder
from ethogram.study.remote import RayBackends
from ethogram.study.result import Computed, Made, RunResult, summarise
from ethogram.study.stale import remember_whole
from ethogram.study.workspace import WHOLE, Part, Study

if TYPE_CHECKING:
    from ethogram.backends import Backend
    from ethogram.backends.vllm import VllmBackend
    from ethogram.engine import Engine
    from ethogram.models import LoadedModel, ModelReference
    from ethogram.spec.version import BackendName

    #: The name that decodings give their amateur, and which model it is.
    Amateur = tuple[str, ModelReference]


class Pool(NamedTuple):
    """What versions share that are made together.

    Attributes:
        reference: the model.
        amateur: the name that their decodings give their amateur, and which model it is.
        backend: what generates.
    """

    reference: ModelReference
    amateur: Amateur | None
    backend: BackendName


@takes_study
def run(
    study: Study,
    versions: str | Sequence[str] | None = None,
    *,
    on_progress: OnProgress | None = None,
    on_wait: Callable[[], None] | None = None,
    on_load: Callable[[str], None] | None = None,
    max_rows: int | None = None,
    trace: bool | None = None,
    on: str | Placement | None = None,
) -> RunResult:
    """Generate missing outputs, then measure the requested versions.

    Versions with the same model and backend are generated in one batch. While outputs have the same
    tokens, the engine computes them once, whichever version they belong to.

    Two runs on one study take turns: the second waits, then uses what the first one stored.

    Args:
        study: opened, or its folder.
        versions: a name or several; default all.
        on_progress: called as generations finish.
        on_wait: called once if another run holds the study.
        on_load: called with a model's name before it is loaded.
        max_rows: outputs in progress at once; default: the engine's.
        trace: store how each token was chosen. Stored outputs without a trace are generated again,
            and get one if their tokens are the same. Default: as in study.yaml.
        on: `ray`, or the address of a Ray cluster; default: this process. Outputs are the same
            on machines of one kind.

    Raises:
        EthogramError: a spec, model, request or store error; earlier generations are kept.
    """
    names = names_of(study, versions)
    for name in names:
        study.suite(name)
        aim_metrics(study, name)
    metric_names(study)  # Reports a wrong name before anything is generated.
    traced = study.spec.settings.trace if trace is None else trace
    started = time.perf_counter()
    maker = Maker(study, on_progress, on_wait, on_load, max_rows, traced=traced, on=on)
    with maker:
        done = maker.make(study, names)
        for name in names:
            remember_whole(study, name)
    seconds = time.perf_counter() - started
    return summarise(study, names, made=done, computed=maker.computed, seconds=seconds)


class Maker:
    """Makes what versions lack, holding the study's run lock and the loaded model meanwhile.

    Args:
        study: the opened study.
        on_progress: called as generations finish.
        on_wait: called once if another run holds the study.
        on_load: called with a model's name before it is loaded.
        max_rows: outputs in progress at once; default: the engine's.
        traced: trace how each token is chosen, also for stored outputs without a trace.
        on: where to generate; see `run`.

    Attributes:
        computed: what all that was made took.
    """

    def __init__(
        self,
        study: Study,
        on_progress: OnProgress | None = None,
        on_wait: Callable[[], None] | None = None,
        on_load: Callable[[str], None] | None = None,
        max_rows: int | None = None,
        *,
        traced: bool = False,
        on: str | Placement | None = None,
    ) -> None:
        self.computed = Computed()
        self._on_progress, self._traced = on_progress, traced
        placement = Placement.of(on)
        self._backends: Backends | RayBackends = (
            Backends(max_rows, on_load)
            if placement is None
            else RayBackends(placement, partial(pool_backend, max_rows), study.identity_of, on_load)
        )
        self._lock = _one_run_at_a_time(study, on_wait)

    def __enter__(self) -> Maker:
        self._lock.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        try:
            self._backends.close()
        finally:
            self._lock.__exit__(*error)

    def make(self, study: Study, names: Sequence[str], part: Part = WHOLE) -> dict[str, Made]:
        """Make what versions lack of a part of their requests, those of one model at once.

        Args:
            study: the study, or a view of it with further versions.
            names: its versions.
            part: which requests.

        Raises:
            EthogramError: a spec, model, request or store error; earlier generations are kept.
        """
        done = {
            name: _store_imported(study, name) for name in names if study.versions[name].outputs
        }
        todo, replayed = _missing(
            study, [name for name in names if name not in done], part, self._traced
        )
        for pool, versions_of_it in _pools(study, todo).items():
            wanted = {name: todo[name] for name in versions_of_it}
            recorder = Recorder(study, wanted, self._on_progress, replayed)
            backend = self._backends.get(pool)
            recorder.processor = self._backends.processor(pool)
            self.computed += _generate(study, backend, wanted, recorder, self._traced)
            done |= {name: _made(recorder, name) for name in wanted}
        return done


class Backends:
    """Keeps one loaded model and its amateur: most versions of a study share them."""

    def __init__(self, max_rows: int | None, on_load: Callable[[str], None] | None) -> None:
        self._max_rows, self._on_load = max_rows, on_load
        self._loaded: dict[ModelReference, LoadedModel] = {}
        self._engine: tuple[ModelReference, str | None, Engine] | None = None
        self._vllm: VllmBackend | None = None

    def get(self, pool: Pool) -> Backend:
        """The backend of a pool; the models of the previous one are freed first."""
        from ethogram.wrap import WrappedBackend

        if pool.backend == "vllm":
            return WrappedBackend(self._vllm_of(pool.reference))
        engine = self.engine(pool)
        return WrappedBackend(engine, engine.text)

    def engine(self, pool: Pool) -> Engine:
        """The engine of a pool."""
        self._close_vllm()
        return self._engine_of(pool.reference, pool.amateur)

    def processor(self, pool: Pool) -> str:
        """The kind of processor that the backend of a pool, got before, computes on."""
        if pool.backend == "vllm":
            from ethogram.engine.kind import accelerator

            return processor_kind(compiled=False, accelerator=accelerator())
        from ethogram.engine.kind import engine_kind

        return engine_kind(self.engine(pool))

    def close(self) -> None:
        """Stop vLLM, if it runs."""
        self._close_vllm()

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


def pool_backend(max_rows: int | None, pool: Pool) -> tuple[Backend, str]:
    """The backend of a pool and its kind of processor, made on a worker's machine."""
    backends = Backends(max_rows, None)
    return backends.get(pool), backends.processor(pool)


def _missing(
    study: Study, names: Sequence[str], part: Part, traced: bool
) -> tuple[dict[str, list[Request]], frozenset[str]]:
    """What each version lacks; a request that two of them share belongs to the first.

    Returns:
        The requests of each version that lacks something, and the identities of those that are
        stored and lack a trace only.
    """
    claimed: set[str] = set()
    replayed: set[str] = set()
    todo = {}
    for name in dict.fromkeys(names):
        requests = {request.identity: request for request in study.requests(name, part)}
        missing = set(study.store.missing(list(requests)))
        if traced:
            untraced = set(study.store.missing_traces(list(requests)))
            replayed |= untraced - missing
            missing |= untraced
        missing -= claimed
        claimed |= missing
        todo[name] = [request for identity, request in requests.items() if identity in missing]
    return {name: requests for name, requests in todo.items() if requests}, frozenset(replayed)


def _made(recorder: Recorder, name: str) -> Made:
    return Made(
        generations=recorder.made[name],
        tokens=recorder.tokens[name],
        traced=recorder.traced[name],
        parted=recorder.parted[name],
    )


def _pools(study: Study, names: Iterable[str]) -> dict[Pool, list[str]]:
    """Versions under what they share, so that one batch makes them all.

    Raises:
        MissingExtraError: a version's backend is not installed; nothing was generated.
    """
    pools: dict[Pool, list[str]] = {}
    for name in names:
        check_installed(study.versions[name].backend)
        pools.setdefault(pool_of(study, name), []).append(name)
    return pools


def pool_of(study: Study, name: str) -> Pool:
    """The pool of a version."""
    backend = study.versions[name].backend
    return Pool(study.model_reference(name), _amateur(study, name), backend)


def _amateur(study: Study, name: str) -> Amateur | None:
    named = study.versions[name].decoding.contrastive.amateur
    reference = study.amateur_reference(name)
    return (named, reference) if named and reference else None


def place_of(study: Study, version: str, where: str | None) -> str:
    """The file of a refused setting (the version's) or prompt (the suite's)."""
    if where and where.startswith("decoding."):
        places = study.spec.places.get(version, SourceMap())
        return places.where(tuple(where.split(".")), study.folder)
    return f"{study.spec.suite_path(version)}: {where}"


def _generate(
    study: Study,
    backend: Backend,
    todo: Mapping[str, Sequence[Request]],
    recorder: Recorder,
    traced: bool,
) -> Computed:
    """Make what the versions of one pool lack, all in one batch; returns what it took.

    Raises:
        RequestError: names the version and the file of the prompt; nothing was generated.
    """
    requests = [request for one in todo.values() for request in one]
    try:
        generations = backend.generate(requests, on_tokens=recorder.count_tokens, trace=traced)
    except RequestError as error:
        name = recorder.owner(error.request)
        where = f"{place_of(study, name, error.where)} (version {name})"
        raise RequestError(error.what, where=where, hint=error.hint) from None
    recorder.record(generations)
    work = backend.work
    return Computed(
        delivered=work.output_tokens,
        rows=work.computed_tokens + work.prefills - work.extra_beams,
        prompt_tokens=work.prompt_tokens,
        prompt_tokens_computed=work.prompt_tokens_computed,
    )


def _store_imported(study: Study, name: str) -> Made:
    imported = study.imported(name)
    missing = set(study.store.missing([generation.identity for generation in imported]))
    study.store.add(
        [generation for generation in imported if generation.identity in missing],
        model=study.versions[name].model,
    )
    count = len(missing)
    return Made(generations=count, reused=len(imported) - count, imported=count)


@contextmanager
def _one_run_at_a_time(study: Study, on_wait: Callable[[], None] | None) -> Iterator[None]:
    """Hold the study's run lock; the system frees it when the process dies.

    Raises:
        WriteError: the lock file cannot be made.
    """
    from filelock import FileLock, Timeout

    folder = study.folder / ".ethogram"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "run.lock")
        try:
            lock.acquire(timeout=0.1)
        except Timeout:
            if on_wait:
                on_wait()
            lock.acquire()
    except OSError as error:
        raise WriteError(folder, error) from None
    try:
        yield
    finally:
        lock.release()
