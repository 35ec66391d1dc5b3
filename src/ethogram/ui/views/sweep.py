"""Sweep: settings raced against each other, with charts, outputs, and promotion to a version."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from ethogram.errors import SpecError
from ethogram.metrics.registry import all_metrics, named_metrics
from ethogram.report.sweep_charts import SweepCharts
from ethogram.spec import Decoding
from ethogram.spec.setting import leaves
from ethogram.spec.space import grid, parse_axis
from ethogram.store import Sweeps
from ethogram.study.record import Progress
from ethogram.study.sweeping.promote import doubt_of, promote
from ethogram.study.sweeping.result import SweepResult
from ethogram.study.sweeping.setup import halves_of, objectives_of
from ethogram.study.sweeping.stored import StoredSweep, read_sweep
from ethogram.study.sweeping.sweep import sweep
from ethogram.study.sweeping.values import SweepValues
from ethogram.study.workspace import Study
from ethogram.ui.comparison_models import ChartInfo, chart_info
from ethogram.ui.context import Context
from ethogram.ui.events import Event, StudyChanged
from ethogram.ui.jobs import Job, JobInfo
from ethogram.ui.sweep_heat import heat_info
from ethogram.ui.sweep_models import (
    FormVersion,
    HeatInfo,
    PromoteBody,
    SamplesInfo,
    SweepBody,
    SweepInfo,
    SweepsView,
)
from ethogram.ui.sweep_samples import samples_info
from ethogram.ui.sweeps import stored_line, sweep_info
from ethogram.ui.views.play import Saved

#: Prompts of one page of outputs.
_ROWS = 50


class SweepChanged(Event):
    """More of a sweep was stored.

    Attributes:
        sweep: its number.
    """

    type: Literal["sweep"] = "sweep"
    sweep: int


EVENTS = (SweepChanged,)


class _Working:
    """Which job runs which sweep."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._jobs: dict[int, str] = {}

    def set(self, number: int, job: Job) -> None:
        self._jobs[number] = job.id

    def job(self, number: int) -> str | None:
        """The job that runs a sweep now."""
        found = self._context.jobs.get(self._jobs.get(number, ""))
        return found.id if found and found.is_running else None


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes, working, values = APIRouter(), _Working(context), SweepValues()
    _add_reading(routes, context, working)
    _add_charts(routes, context, values)
    _add_acts(routes, context, working)
    return routes


def _add_reading(routes: APIRouter, context: Context, working: _Working) -> None:
    @routes.get("/sweeps")
    def sweeps() -> SweepsView:
        """The sweeps, and what a new one can be made of."""
        with context.study() as study:
            records = reversed(Sweeps(study.store).all())
            return SweepsView(
                sweeps=[stored_line(study, each, working.job(each.id)) for each in records],
                versions=[_form(study, name) for name in study.versions],
                fields=[f"decoding.{name}" for name, _ in leaves(Decoding)],
                metrics=[
                    (metric.name, metric.title) for metric in (*all_metrics(), *named_metrics())
                ],
            )

    @routes.get("/sweeps/{number}")
    def one_sweep(number: int) -> SweepInfo:
        """A sweep as far as it came."""
        with context.study() as study:
            return sweep_info(study, read_sweep(study, number), working.job(number))

    @routes.get("/sweeps/{number}/samples")
    def sweep_samples(
        number: int,
        setting: str,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=_ROWS)] = 10,
    ) -> SamplesInfo:
        """Outputs of a setting on the prompts for selection, beside the parent's."""
        with context.study() as study:
            return samples_info(study, read_sweep(study, number), setting, offset, limit)


def _add_charts(routes: APIRouter, context: Context, values: SweepValues) -> None:
    @routes.get("/sweeps/{number}/heat")
    def sweep_heat(
        number: int,
        x: str,
        metric: str,
        y: str = "",
        fixed: Annotated[list[str] | None, Query(max_length=50)] = None,
    ) -> HeatInfo:
        """A metric over two fields; `fixed` are other fields, FIELD=VALUE."""
        held = dict(_pair(each) for each in fixed or ())
        with context.study() as study:
            charts = SweepCharts(study, read_sweep(study, number), values)
            return heat_info(charts.heat(x, y, metric, held))

    @routes.get("/sweeps/{number}/front")
    def sweep_front(number: int, x: str, y: str) -> ChartInfo:
        """Two metrics of each setting, and the Pareto front."""
        with context.study() as study:
            charts = SweepCharts(study, read_sweep(study, number), values)
            return chart_info(charts.front(x, y))

    @routes.get("/sweeps/{number}/parallel")
    def sweep_parallel(
        number: int, metrics: Annotated[list[str], Query(min_length=1, max_length=20)]
    ) -> ChartInfo:
        """Each setting as a line over its fields and metrics."""
        with context.study() as study:
            charts = SweepCharts(study, read_sweep(study, number), values)
            return chart_info(charts.parallel(metrics))

    @routes.get("/sweeps/{number}/race")
    def sweep_race(number: int, metric: str) -> ChartInfo:
        """An objective round by round."""
        with context.study() as study:
            charts = SweepCharts(study, read_sweep(study, number), values)
            return chart_info(charts.race(metric))


def _add_acts(routes: APIRouter, context: Context, working: _Working) -> None:
    @routes.post("/sweeps")
    def start_sweep(body: SweepBody) -> JobInfo:
        """Start a sweep, or go on with one; its job's first row names the stored sweep."""
        with context.study() as study:
            _check(study, body)
        fields = ", ".join(axis.partition("=")[0].rsplit(".", 1)[-1] for axis in body.axes)
        title = f"Sweep {fields} of {body.base}"
        return context.jobs.start("sweep", title, lambda job: _sweep(context, body, job, working))

    @routes.post("/sweeps/{number}/promote")
    def promote_setting(number: int, body: PromoteBody) -> Saved:
        """Write a setting as a child version, with the reason and the numbers in its notes."""
        with context.study() as study:
            stored = read_sweep(study, number)
            result = _finished(study, stored)
            stored.trial(body.setting)  # Refuses a name that there is not.
            doubt = doubt_of(result, body.setting)
            if doubt and not body.force:
                raise SpecError(doubt, where=body.name, hint="write it anyway, if you mean it")
            path = promote(study, result, body.name, body.setting)
            saved = Saved(file=str(path.relative_to(study.folder)))
        context.events.publish(SweepChanged(sweep=number))
        return saved


def _form(study: Study, name: str) -> FormVersion:
    try:
        goals = [each.name for each in objectives_of(study, name, ())]
    except SpecError:  # A bound of `expect:` on a metric that has no value for one prompt.
        goals = []
    return FormVersion(
        name=name,
        title=study.versions[name].title,
        goals=goals,
        samples=study.spec.samples(name),
    )


def _pair(text: str) -> tuple[str, str]:
    field, _, value = text.partition("=")
    return field, value


def _check(study: Study, body: SweepBody) -> None:
    """Refuse before anything is started what a sweep would refuse."""
    study.spec.version(body.base)
    axes = [parse_axis(text) for text in body.axes]
    if not axes:
        raise SpecError("no field to vary", where=body.base, hint="name one as FIELD=VALUES")
    if body.search == "grid":
        grid(axes)
    objectives_of(study, body.base, body.goals)
    halves_of(study, body.base)


def _finished(study: Study, stored: StoredSweep) -> SweepResult:
    """The result of a sweep whose parent is still what it was.

    Raises:
        SpecError: it is not finished, or the parent was edited since.
    """
    where, base = f"sweep {stored.record.id}", stored.record.base
    if stored.result is None:
        raise SpecError("it is not finished", where=where)
    if study.spec.version(base).identity != stored.record.base_identity:
        raise SpecError(f"{base} was edited since", where=where, hint="do the sweep again")
    return stored.result


def _sweep(context: Context, body: SweepBody, job: Job, working: _Working) -> Any:
    stage = ""

    def staged(words: str) -> None:
        nonlocal stage
        stage = words
        job.say(words)

    def stored(number: int) -> None:
        if not job.detail.rows:
            working.set(number, job)
            job.add({"sweep": number})
        context.events.publish(SweepChanged(sweep=number))
        job.check()

    def progressed(now: Progress) -> None:
        job.progress(now.done, now.total, stage)

    with context.own_study() as study:
        result = sweep(
            study,
            body.base,
            [parse_axis(text) for text in body.axes],
            objectives=body.goals,
            search=body.search,
            trials=body.trials,
            samples=body.samples,
            racing=body.race,
            on_progress=progressed,
            on_stage=staged,
            on_stored=stored,
            on_wait=lambda: job.say("waiting for another run of this study"),
            on_load=lambda model: job.say(f"loading {model}"),
        )
    context.events.publish(StudyChanged())
    return {"sweep": result.id}
