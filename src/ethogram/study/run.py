"""Run: generate what is missing, all versions of a model at once, and measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ethogram.backends import check_installed
from ethogram.cluster import Placement
from ethogram.errors import RequestError
from ethogram.spec import Request
from ethogram.spec.endpoint import is_remote, remote_model
from ethogram.spec.source import SourceMap
from ethogram.study.aims import aim_metrics
from ethogram.study.calling import names_of, takes_study
from ethogram.study.complete import is_complete
from ethogram.study.locking import one_run_at_a_time
from ethogram.study.measure import metric_names
from ethogram.study.pools import Backends, Pool, pool_backend
from ethogram.study.record import OnProgress, Recorder
from ethogram.study.remote import RayBackends
from ethogram.study.result import Computed, Made, RunResult, summarise
from ethogram.study.stale import remember_whole
from ethogram.study.workspace import WHOLE, Part, Study

if TYPE_CHECKING:
    from ethogram.backends import Backend, Budget
    from ethogram.study.pools import Amateur


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
    budget: Budget | None = None,
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
        budget: what may be spent at endpoints. Default: as in ETHOGRAM_ENDPOINT.

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
    maker = Maker(
        study, on_progress, on_wait, on_load, max_rows, traced=traced, on=on, budget=budget
    )
    with maker:
        done = maker.make(study, names)
        for name in names:
            remember_whole(study, name)
    seconds = time.perf_counter() - started
    result = summarise(study, names, made=done, computed=maker.computed, seconds=seconds)
    return replace(result, spent=maker.spent)


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
        budget: what may be spent at endpoints.

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
        budget: Budget | None = None,
    ) -> None:
        self.computed = Computed()
        self._on_progress, self._traced = on_progress, traced
        local, placement = Backends(max_rows, on_load, budget), Placement.of(on)
        self._backends: Backends | RayBackends = local
        if placement is not None:
            make = partial(pool_backend, max_rows)
            self._backends = RayBackends(placement, make, study.identity_of, on_load, local)
        self._lock = one_run_at_a_time(study, on_wait)

    @property
    def spent(self) -> list[str]:
        """What was spent at each endpoint so far, in words."""
        return self._backends.endpoints.spent

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
        if not traced and is_complete(study, name, part):
            continue
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
    version = study.versions[name]
    backend = version.backend
    if is_remote(version.model):
        from ethogram.models import ModelReference

        return Pool(ModelReference(version.model), None, backend, remote_model(version))
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
