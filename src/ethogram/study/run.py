"""Run: make the generations that are missing, store them as they finish, measure the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethogram.errors import RequestError, WriteError
from ethogram.spec import Generation, Request
from ethogram.study.result import Made, RunResult, summarise
from ethogram.study.workspace import Study

if TYPE_CHECKING:
    from ethogram.engine import Engine
    from ethogram.models import ModelReference

#: Generations are stored in transactions of at most this many, or this many seconds apart: little
#: is lost by a crash, and SQLite is not asked to sync for every row.
COMMIT_ROWS = 32
COMMIT_SECONDS = 2.0
#: Progress is told at most this often.
REPORT_SECONDS = 0.1


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        version: the version in work.
        done: generations finished in this run.
        total: generations this run has to make.
        tokens: tokens chosen in this run.
        spent: token allowance used up: tokens chosen, and those that finished outputs left over.
        allowance: most tokens this run can choose, the sum of `max_new_tokens`.
        seconds: since the first request.
    """

    version: str
    done: int
    total: int
    tokens: int
    spent: int
    allowance: int
    seconds: float


OnProgress = Callable[[Progress], None]


def run(
    study: Study,
    versions: Sequence[str] | None = None,
    *,
    on_progress: OnProgress | None = None,
    on_wait: Callable[[], None] | None = None,
    on_load: Callable[[str], None] | None = None,
    max_rows: int | None = None,
) -> RunResult:
    """Generate what is missing, then measure every version asked for.

    Two runs on one study take turns: the second waits, and finds the first one's work done.

    Args:
        study: the opened study.
        versions: names; default all.
        on_progress: called as generations finish.
        on_wait: called once if another run holds the study.
        on_load: called with a model's name before it is loaded.
        max_rows: outputs in progress at once; default: the engine's.

    Raises:
        EthogramError: a spec, model, request or store error; what was made before is kept.
    """
    names = list(versions or study.versions)
    for name in names:
        study.spec.version(name)
        study.suite(name)
    done: dict[str, Made] = {}
    started = time.perf_counter()
    with _one_run_at_a_time(study, on_wait):
        engines = _Engines(max_rows, on_load)
        for name in names:
            done[name] = _run_version(study, name, engines, on_progress)
    return summarise(study, names, made=done, seconds=time.perf_counter() - started)


def add_samples(
    study: Study,
    version: str,
    samples: int,
    *,
    on_progress: OnProgress | None = None,
    on_wait: Callable[[], None] | None = None,
    on_load: Callable[[str], None] | None = None,
) -> Made:
    """Generate a version's samples up to a number per prompt, which may be beyond the study's.

    Args:
        study: the opened study.
        version: its name; one that samples.
        samples: per prompt.
        on_progress: called as generations finish.
        on_wait: called once if another run holds the study.
        on_load: called with the model's name before it is loaded.

    Raises:
        EthogramError: as `run`.
    """
    with _one_run_at_a_time(study, on_wait):
        return _run_version(study, version, _Engines(None, on_load), on_progress, samples=samples)


class _Engines:
    """Keeps one loaded model: the versions of a study mostly share it."""

    def __init__(self, max_rows: int | None, on_load: Callable[[str], None] | None) -> None:
        self._max_rows, self._on_load = max_rows, on_load
        self._loaded: tuple[ModelReference, Engine] | None = None

    def get(self, reference: ModelReference) -> Engine:
        """The engine of a model, loaded if the one before was another's."""
        from ethogram.engine import MAX_ROWS, Engine
        from ethogram.models import load

        if self._loaded is None or self._loaded[0] != reference:
            if self._on_load:
                self._on_load(reference.model)
            self._loaded = None  # Freed before the next is loaded: two might not fit.
            engine = Engine(load(reference), max_rows=self._max_rows or MAX_ROWS)
            self._loaded = (reference, engine)
        return self._loaded[1]


def _run_version(
    study: Study,
    name: str,
    engines: _Engines,
    on_progress: OnProgress | None,
    *,
    samples: int | None = None,
) -> Made:
    """Make what a version lacks."""
    version = study.versions[name]
    if version.outputs:
        return _store_imported(study, name)
    requests = {request.identity: request for request in study.requests(name, samples=samples)}
    missing = set(study.store.missing(list(requests)))
    todo = [request for identity, request in requests.items() if identity in missing]
    if not todo:
        return Made(reused=len(requests))
    engine = engines.get(study.model_reference(name))
    recorder = _Recorder(study, name, todo, on_progress)
    try:
        generations = engine.generate(todo, on_tokens=recorder.count_tokens)
    except RequestError as error:
        where = f"{study.spec.suite_path(name)}: {error.where} (version {name})"
        raise RequestError(error.what, where=where, mend=error.mend) from None
    run_id = study.store.start_run(name, version.identity)
    recorder.record(generations)
    study.store.finish_run(run_id, made=recorder.made, tokens=recorder.tokens)
    return Made(
        generations=recorder.made,
        reused=len(requests) - len(todo),
        tokens=recorder.tokens,
        computed=engine.work.computed + engine.work.prefills,
    )


def _store_imported(study: Study, name: str) -> Made:
    imported = study.imported(name)
    missing = set(study.store.missing([generation.identity for generation in imported]))
    study.store.add(
        [generation for generation in imported if generation.identity in missing],
        model=study.versions[name].model,
    )
    return Made(generations=len(missing), reused=len(imported) - len(missing))


class _Recorder:
    """Stores generations as they finish and says how far the run is."""

    def __init__(
        self, study: Study, name: str, todo: Sequence[Request], on_progress: OnProgress | None
    ) -> None:
        self.made = 0
        self.tokens = 0
        self._study, self._name, self._on_progress = study, name, on_progress
        self._model = study.model_identity(name)
        self._total = len(todo)
        self._limits = {request.identity: request.decoding.max_new_tokens for request in todo}
        self._allowance = sum(self._limits.values())
        self._chosen = self._left_over = 0
        self._started = self._told = time.perf_counter()

    def count_tokens(self, new_tokens: int) -> None:
        """Told by the engine after each step."""
        self._chosen += new_tokens
        if time.perf_counter() - self._told > REPORT_SECONDS:
            self._report()

    def record(self, generations: Iterator[Generation]) -> None:
        """Store all generations, also those finished when an error or Ctrl-C stops the run."""
        waiting: list[Generation] = []
        stored = time.perf_counter()
        self._report()
        try:
            for generation in generations:
                waiting.append(generation)
                self.made += 1
                self.tokens += len(generation.token_ids)
                self._left_over += self._limits[generation.identity] - len(generation.token_ids)
                if len(waiting) >= COMMIT_ROWS or time.perf_counter() - stored > COMMIT_SECONDS:
                    batch, waiting, stored = waiting, [], time.perf_counter()
                    self._study.store.add(batch, model=self._model)
        finally:
            if waiting:
                self._study.store.add(waiting, model=self._model)
        self._report()

    def _report(self) -> None:
        self._told = time.perf_counter()
        if self._on_progress:
            self._on_progress(
                Progress(
                    version=self._name,
                    done=self.made,
                    total=self._total,
                    tokens=self._chosen,
                    spent=min(self._chosen + self._left_over, self._allowance),
                    allowance=self._allowance,
                    seconds=self._told - self._started,
                )
            )


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
