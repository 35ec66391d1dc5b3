"""Trainings for the page: recipes and recorded trainings in words, and their curves."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import JsonValue

from ethogram.report.curves import (
    EVERY_STEP,
    CurvePanel,
    quantity_of,
    record_of,
    training_curves,
)
from ethogram.report.training import duration, plan_lines
from ethogram.report.training_words import training_words
from ethogram.spec.recipes import FoundRecipe, ModelRecipe, RlhfRecipe, find_recipes
from ethogram.store import Trainings
from ethogram.study.workspace import Study
from ethogram.train.events import plan_from
from ethogram.train.job import Finding
from ethogram.train.recorded import TrainingNow, training_now, trainings_now
from ethogram.ui.models import Answer, Text
from ethogram.ui.training_samples import watched_prompts

#: Looks whose behaviour the table shows at most, first and last among them.
_LOOKS = 8


class RecipeInfo(Answer):
    """A recipe file of the study.

    Attributes:
        path: from the study's folder.
        name: of the model.
        kind: of training; empty where the file is wrong.
        title: what it tries.
        parent: version that it starts from.
        version: child version that it writes.
        data: what it learns from, in words.
        problem: why the file is wrong.
        trainings: ids of its recorded trainings, newest first.
        words: what came of the newest one, or that it was never trained.
        action: what its button does: Train, Continue, or nothing where it is wrong, running or
            finished.
    """

    path: str
    name: Text
    kind: str
    title: Text
    parent: str
    version: str
    data: Text
    problem: Text
    trainings: list[int]
    words: Text
    action: str


class TrainingInfo(Answer):
    """A recorded training.

    Attributes:
        words: how far it is, or what came of it.
        recipe: path of the recipe file that trains it; empty where none does any more.
        exists: whether its child version is there.
        changed: why continuing it would be another training; empty where it would not.
    """

    id: int
    name: Text
    kind: str
    seed: int
    parent: str
    version: str
    exists: bool
    state: str
    words: Text
    step: int
    steps: int
    started_at: str
    recipe: str
    changed: Text


class TrainView(Answer):
    """All trainings, newest first, and all recipes."""

    recipes: list[RecipeInfo]
    trainings: list[TrainingInfo]


class PointName(Answer):
    """Where the points of one stored name go in a chart."""

    training: int
    stored: str
    run: Text
    series: Text


class PanelInfo(Answer):
    """One chart.

    Attributes:
        name: of the quantity.
        title: of it.
        words: first and last value of each curve.
        left_out: how points were thinned.
        smoothed: whether a moving mean is drawn.
        names: where new points belong.
        spec: Vega-Lite, its data in `data.values`.
    """

    name: str
    title: Text
    words: Text
    left_out: Text
    smoothed: bool
    names: list[PointName]
    spec: JsonValue


class CurvesInfo(Answer):
    """Charts, and what else could be drawn: name to title."""

    panels: list[PanelInfo]
    further: dict[str, Text]


class LookRow(Answer):
    """One value of behaviour by step; formatted."""

    title: Text
    decoding: Text
    values: list[str]


class TrainingDetail(Answer):
    """One training in full.

    Attributes:
        training: in short.
        plan: lines of name and words; what was planned before the first step.
        measured: the estimate beside what it took: name, estimate, measured.
        warnings: of the checks before the first step and after the last one.
        looks: steps of the columns of `behaviour`.
        behaviour: values by step.
        prompts: id to the beginning of its text, of those that were watched.
        decodings: that were watched.
        recipe: as it was when the training began, as JSON.
    """

    training: TrainingInfo
    plan: list[tuple[str, Text]]
    measured: list[tuple[str, str, str]]
    warnings: list[Text]
    looks: list[int]
    behaviour: list[LookRow]
    prompts: dict[str, Text]
    decodings: list[Text]
    recipe: Text


def train_view(study: Study) -> TrainView:
    """All recipes and trainings."""
    recipes, trainings = find_recipes(study.folder), trainings_now(study)
    return TrainView(
        recipes=[_recipe(each, trainings) for each in recipes],
        trainings=[training_info(study, each, recipes) for each in reversed(trainings)],
    )


def _recipe(found: FoundRecipe, trainings: Sequence[TrainingNow]) -> RecipeInfo:
    recipe = found.recipe
    mine = [each for each in reversed(trainings) if _trains(found, each)]
    one = None if recipe is None or isinstance(recipe, RlhfRecipe) else recipe
    newest = mine[0] if mine else None
    words = "not trained yet" if one is not None else ""
    if isinstance(recipe, RlhfRecipe):
        words = f"a chain of {', '.join(recipe.steps)}"
    if newest is not None:
        words = f"{newest.state}: {training_words(newest)}"
        words = "finished" if newest.state == "finished" and not _changed(found, newest) else words
    return RecipeInfo(
        path=found.path,
        name=recipe.name if recipe else found.path,
        kind=recipe.kind if recipe else "",
        title=one.title if one else "",
        parent=(one.parent or "") if one else "",
        version=(one.version or "") if one else "",
        data=_data(one) if one else "",
        problem=found.problem,
        trainings=[each.record.id for each in mine],
        words=words,
        action=_action(found, newest),
    )


def _action(found: FoundRecipe, newest: TrainingNow | None) -> str:
    if found.recipe is None or (newest is not None and newest.state == "running"):
        return ""
    if newest is None or _changed(found, newest):
        return "Train"
    return "" if newest.state == "finished" else "Continue"


def _data(recipe: ModelRecipe) -> str:
    if recipe.data.votes:
        return f"votes between {' and '.join(recipe.data.votes)}"
    return ", ".join(recipe.data.train)


def _trains(found: FoundRecipe, now: TrainingNow) -> bool:
    return found.recipe is not None and found.recipe.name == now.record.name


def _changed(found: FoundRecipe, now: TrainingNow) -> bool:
    """Whether a recipe file states something else than a training that it began."""
    recipe = found.recipe
    if recipe is None or isinstance(recipe, RlhfRecipe):
        return True
    stated = json.loads(recipe.model_dump_json())
    before = dict(now.recipe)
    stated["seed"] = before.get("seed")
    if stated["training"].get("precision") is None:  # Chosen when it began.
        stated["training"]["precision"] = before["training"].get("precision")
    return bool(stated != before)


def training_info(
    study: Study, now: TrainingNow, recipes: Sequence[FoundRecipe] | None = None
) -> TrainingInfo:
    """A training in short."""
    recipes = find_recipes(study.folder) if recipes is None else recipes
    found = next((each for each in recipes if _trains(each, now)), None)
    changed = ""
    if found is None:
        changed = "no recipe file of this study has its name"
    elif _changed(found, now):
        changed = f"{found.path} has changed since: it would be another training"
    version = now.version or ""
    return TrainingInfo(
        id=now.record.id,
        name=now.record.name,
        kind=now.record.kind,
        seed=now.record.seed,
        parent=now.recipe.get("parent") or "",
        version=version,
        exists=version in study.versions,
        state=now.state,
        words=training_words(now),
        step=now.step,
        steps=now.steps,
        started_at=now.record.started_at,
        recipe=found.path if found else "",
        changed=changed,
    )


def curves_info(
    study: Study, trainings: Sequence[int], names: Sequence[str], *, log: bool, window: int
) -> CurvesInfo:
    """The charts of trainings; those of most use where none is named."""
    panels = training_curves(study, trainings, names or None)
    shown = {each.quantity.name for each in panels}
    stored = Trainings(study.store)
    every = {name for number in trainings for name in stored.ends(number)}
    further = {
        quantity.name: quantity.title
        for quantity in map(quantity_of, sorted(every))
        if quantity.name not in shown
    }
    return CurvesInfo(panels=[_panel(each, log, window) for each in panels], further=further)


def _panel(panel: CurvePanel, log: bool, window: int) -> PanelInfo:
    chart = panel.chart(log=log, window=window, width="container", height=170)
    smoothed = window > 1 and any(each.quantity.series == EVERY_STEP for each in panel.curves)
    return PanelInfo(
        name=panel.quantity.name,
        title=panel.quantity.title,
        words=panel.words,
        left_out=panel.left_out,
        smoothed=smoothed,
        names=[
            PointName(
                training=each.training,
                stored=each.stored,
                run=each.run,
                series=each.quantity.series,
            )
            for each in panel.curves
        ],
        spec=chart.spec,
    )


def training_detail(study: Study, number: int) -> TrainingDetail:
    """One training in full.

    Raises:
        SpecError: there is no such training.
    """
    stored = Trainings(study.store)
    now = training_now(study, record_of(stored, number))
    outputs = stored.outputs(number)
    looks, behaviour = _behaviour(stored, number)
    about = now.plan.get("about")
    plan = plan_from(about) if about else None
    after = (Finding(**each) for each in now.result.get("findings", ()))
    findings = [*(plan.findings if plan else ()), *after]
    return TrainingDetail(
        training=training_info(study, now),
        plan=plan_lines(plan) if plan else [],
        measured=_measured(now),
        warnings=[_finding(each) for each in findings],
        looks=looks,
        behaviour=behaviour,
        prompts=watched_prompts(study, now, outputs),
        decodings=list(dict.fromkeys(each.decoding for each in outputs)),
        recipe=json.dumps(now.recipe, indent=2, ensure_ascii=False),
    )


def _measured(now: TrainingNow) -> list[tuple[str, str, str]]:
    planned, spent = now.plan.get("seconds"), now.seconds
    rows = []
    if spent is not None:
        estimate = "–" if planned is None else duration(planned)
        state = duration(spent) if now.state == "finished" else f"{duration(spent)} so far"
        rows.append(("time", estimate, state))
    peak, memory = now.result.get("peak_memory_bytes"), now.plan.get("memory_bytes")
    if peak and memory:
        rows.append(("memory", f"{memory / 2**30:.1f} GiB", f"{peak / 2**30:.1f} GiB"))
    return rows


def _finding(found: Finding) -> str:
    where = f"{found.where}: " if found.where else ""
    return f"{where}{found.message}" + (f"; {found.hint}" if found.hint else "")


def _behaviour(stored: Trainings, number: int) -> tuple[list[int], list[LookRow]]:
    """Behaviour at no more than `_LOOKS` steps, first and last among them."""
    wanted = [name for name in stored.ends(number) if quantity_of(name).behaviour]
    by_name: dict[str, dict[int, float | None]] = {name: {} for name in wanted}
    for point in stored.points(number, wanted) if wanted else ():
        by_name[point.name][point.step] = point.value
    steps = sorted({step for values in by_name.values() for step in values})
    if len(steps) > _LOOKS:
        steps = [steps[round(at * (len(steps) - 1) / (_LOOKS - 1))] for at in range(_LOOKS)]
    rows = []
    for name in wanted:
        what = quantity_of(name)
        said = [what.said(by_name[name].get(step)) for step in steps]
        rows.append(LookRow(title=what.title, decoding=what.series, values=said))
    return steps, sorted(rows, key=lambda row: (row.decoding, row.title))
