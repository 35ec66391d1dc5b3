"""What the sweeps and trainings of a study are in a report: what the server would answer.

An answer is kept under its route and what was asked, as `keyOf` in `web/src/offline.ts` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import permutations, product
from typing import Any

from ethogram.errors import SpecError
from ethogram.report.curves import SMOOTHED
from ethogram.report.sweep_charts import SweepCharts
from ethogram.store import Sweeps, Trainings
from ethogram.study.sweeping.stored import StoredSweep, read_sweep
from ethogram.study.sweeping.values import SweepValues
from ethogram.study.workspace import Study
from ethogram.ui.comparison_models import chart_info
from ethogram.ui.models import Answer
from ethogram.ui.report_limits import Limits
from ethogram.ui.sweep_heat import heat_info
from ethogram.ui.sweep_models import SweepsView
from ethogram.ui.sweep_samples import samples_info
from ethogram.ui.sweeps import stored_line, sweep_info
from ethogram.ui.training import curves_info, train_view, training_detail
from ethogram.ui.training_samples import training_samples

#: Means of the last points that the page offers; `WINDOWS` of `web/src/parts/curves.tsx`.
WINDOWS = (1, 5, 15, 50)
#: Trainings that are drawn over each other at most, as on the page.
TOGETHER = 8
Answers = Iterator[tuple[str, Any]]


def key_of(route: str, **asked: Any) -> str:
    """Under what an answer is kept."""
    return " ".join([route, *(f"{name}={_word(value)}" for name, value in asked.items())])


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def plain(answer: Answer) -> Any:
    """An answer as JSON."""
    return answer.model_dump(mode="json")


class Kept:
    """Answers that are the same for further limits that are tried: made once."""

    def __init__(self) -> None:
        self._made: dict[object, list[tuple[str, Any]]] = {}

    def of(self, what: object, making: Answers) -> list[tuple[str, Any]]:
        """The answers of `making`, which is not begun if those about `what` are there."""
        if what not in self._made:
            self._made[what] = list(making)
        return self._made[what]


class SweepAnswers:
    """The answers about sweeps: all that the page can ask for, but heat maps with fixed fields."""

    def __init__(self, study: Study, kept: Kept) -> None:
        self._study, self._kept, self._values = study, kept, SweepValues()

    def all(self, limits: Limits) -> Answers:
        """The list, and each sweep that can be read."""
        records = list(reversed(Sweeps(self._study.store).all()))
        if not records:
            return
        lines = [stored_line(self._study, record, None) for record in records]
        view = SweepsView(sweeps=lines, versions=[], fields=[], metrics=[])
        yield key_of("/api/sweeps"), plain(view)
        for record in records:
            with suppress(SpecError):  # Of another release: the list says so.
                yield from self._one(read_sweep(self._study, record.id), limits)

    def _one(self, sweep: StoredSweep, limits: Limits) -> Answers:
        info, number = sweep_info(self._study, sweep, None), sweep.record.id
        shown = [each for each in info.metrics if limits.every or each.objective]
        key = key_of("/api/sweeps/{number}", number=number)
        yield key, plain(info.model_copy(update={"metrics": shown}))
        if limits.charts:
            charts = self._charts(sweep, [each.name for each in shown])
            yield from self._kept.of((key, limits.every), charts)
            yield from self._samples(sweep, limits)

    def _charts(self, sweep: StoredSweep, metrics: Sequence[str]) -> Answers:
        route, number = "/api/sweeps/{number}", sweep.record.id
        charts = SweepCharts(self._study, sweep, self._values)
        fields, own = charts.fields, charts.objectives
        for x, y in list(permutations(fields, 2)) or [(fields[0], "")]:
            for metric in metrics:
                key = key_of(f"{route}/heat", number=number, x=x, y=y, metric=metric, fixed=())
                yield key, plain(heat_info(charts.heat(x, y, metric, {})))
        for x, y in product(metrics, repeat=2):
            key = key_of(f"{route}/front", number=number, x=x, y=y)
            yield key, plain(chart_info(charts.front(x, y)))
        for more in ([], *([metric] for metric in metrics if metric not in own)):
            key = key_of(f"{route}/parallel", number=number, metrics=[*own, *more])
            yield key, plain(chart_info(charts.parallel([*own, *more])))
        for metric in own:
            key = key_of(f"{route}/race", number=number, metric=metric)
            yield key, plain(chart_info(charts.race(metric)))

    def _samples(self, sweep: StoredSweep, limits: Limits) -> Answers:
        number, chosen = sweep.record.id, sweep.result and sweep.result.chosen
        for trial in sweep.trials:
            if not limits.every and trial.name != chosen:
                continue
            asked = (self._study, sweep, trial.name, 0, None)
            key = key_of("/api/sweeps/{number}/samples", number=number, setting=trial.name)
            with suppress(SpecError):  # Not run, or pruned.
                yield key, plain(samples_info(*asked, most=limits.characters))


def together(study: Study) -> list[int]:
    """The trainings that a report draws over each other: the newest, or none if there is one."""
    ids = [record.id for record in Trainings(study.store).all()][-TOGETHER:]
    return ids if len(ids) > 1 else []


class TrainingAnswers:
    """The answers about trainings; over each other only all of them are drawn."""

    def __init__(self, study: Study, kept: Kept) -> None:
        self._study, self._kept = study, kept

    def all(self, limits: Limits) -> Answers:
        """The list, each training, and the curves of all over each other."""
        view = train_view(self._study)
        if not view.trainings:
            return
        yield key_of("/api/trainings"), plain(view)
        for each in view.trainings:
            detail = training_detail(self._study, each.id)
            yield key_of("/api/trainings/{training}", training=each.id), plain(detail)
            if limits.charts:
                yield from self._kept.of((each.id, limits.every), self._curves([each.id], limits))
                yield from self._samples(each.id, detail.prompts, limits)
        if limits.charts and (ids := together(self._study)):
            yield from self._kept.of((*ids, limits.every), self._curves(ids, limits))

    def _curves(self, ids: list[int], limits: Limits) -> Answers:
        """All curves under each axis and mean; the page takes from them what it wants to show."""
        first = curves_info(self._study, ids, (), log=False, window=SMOOTHED)
        names = [panel.name for panel in first.panels]
        names += first.further if limits.every else []
        for log, window in product((False, True), WINDOWS):
            key = key_of("/api/trainings/curves", id=ids, log=log, window=window)
            found = curves_info(self._study, ids, names, log=log, window=window)
            yield key, plain(found) | {"first": len(first.panels)}

    def _samples(self, number: int, prompts: Iterable[str], limits: Limits) -> Answers:
        for prompt in prompts:
            found = training_samples(self._study, number, prompt, "", most=limits.characters)
            last = max((each.step for each in found), default=0)
            key = key_of("/api/trainings/{training}/samples", training=number, prompt=prompt)
            yield key, [plain(each) for each in found if limits.every or each.step == last]
