"""Train: recipes and trainings, what runs now, curves, samples over steps; start and stop."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from ethogram.errors import SpecError
from ethogram.report.curves import SMOOTHED, record_of
from ethogram.spec.recipes import RlhfRecipe, find_recipes
from ethogram.store import Trainings
from ethogram.study.workspace import Study
from ethogram.train.recorded import training_now
from ethogram.train.sitting import stop_sitting
from ethogram.ui.context import Context
from ethogram.ui.jobs import JobInfo
from ethogram.ui.models import Body
from ethogram.ui.training import (
    CurvesInfo,
    TrainingDetail,
    TrainingInfo,
    TrainView,
    curves_info,
    train_view,
    training_detail,
    training_info,
)
from ethogram.ui.training_follow import EVENTS, Follower
from ethogram.ui.training_process import plan_training, start_training
from ethogram.ui.training_samples import TrainingSample, training_samples

#: Trainings over each other, and quantities of one answer.
_TOGETHER, _QUANTITIES = 8, 30
Ids = Annotated[list[int], Query(alias="id", min_length=1, max_length=_TOGETHER)]


class TrainBody(Body):
    """A recipe of the study, and the seeds to train in place of its own."""

    recipe: str = Field(max_length=500)
    seeds: tuple[int, ...] = ()


class ContinueBody(Body):
    """A training to go on with."""

    id: int


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes = APIRouter()
    _add_reading(routes, context)
    _add_working(routes, context)
    Follower(context).start()
    return routes


def _add_reading(routes: APIRouter, context: Context) -> None:
    @routes.get("/trainings")
    def trainings() -> TrainView:
        """The recipes of the study, and what was trained."""
        with context.study() as study:
            return train_view(study)

    @routes.get("/trainings/curves")
    def curves(
        ids: Ids,
        quantities: Annotated[
            list[str], Query(alias="quantity", max_length=_QUANTITIES, default_factory=list)
        ],
        log: bool = False,
        window: Annotated[int, Query(ge=1, le=1000)] = SMOOTHED,
    ) -> CurvesInfo:
        """Curves of one or several trainings over each other."""
        with context.study() as study:
            return curves_info(study, list(dict.fromkeys(ids)), quantities, log=log, window=window)

    @routes.get("/trainings/{training}")
    def training(training: int) -> TrainingDetail:
        """One training: plan, warnings, behaviour by step."""
        with context.study() as study:
            return training_detail(study, training)

    @routes.get("/trainings/{training}/samples")
    def samples(training: int, prompt: str, decoding: str = "") -> list[TrainingSample]:
        """What it wrote to a prompt, by step."""
        with context.study() as study:
            return training_samples(study, training, prompt, decoding)


def _add_working(routes: APIRouter, context: Context) -> None:
    @routes.post("/trainings/plan")
    def plan(body: TrainBody) -> JobInfo:
        """Plan a training, as `ethogram train --dry-run` does."""
        with context.study() as study:
            _check(study, body.recipe)
        return plan_training(context, body.recipe, body.seeds)

    @routes.post("/trainings/start")
    def start(body: TrainBody) -> JobInfo:
        """Train a recipe in a process of its own; one that was stopped goes on."""
        with context.study() as study:
            _check(study, body.recipe)
        return start_training(context, body.recipe, body.seeds)

    @routes.post("/trainings/continue")
    def go_on(body: ContinueBody) -> JobInfo:
        """Go on with a training from its last checkpoint."""
        with context.study() as study:
            now = training_now(study, record_of(Trainings(study.store), body.id))
            info = training_info(study, now)
            if info.changed or now.state in ("finished", "running"):
                raise SpecError(
                    info.changed or f"the training is {now.state}", where=f"training {body.id}"
                )
        own = now.recipe.get("seeds") or ()
        seeds = (info.seed,) if not own and info.seed != _seed_of(context, info.recipe) else ()
        return start_training(context, info.recipe, seeds)

    @routes.post("/trainings/{training}/stop")
    def stop(training: int) -> TrainingInfo:
        """End the process that trains, wherever it was started; its last checkpoint is kept."""
        with context.study() as study:
            now = training_now(study, record_of(Trainings(study.store), training))
            if now.work is None:
                raise SpecError("no process trains this now", where=f"training {training}")
            stop_sitting(now.work)
            return training_info(study, now)


def _check(study: Study, recipe: str) -> None:
    """Refuse what is no recipe of the study, and one that is wrong.

    Raises:
        SpecError: it is not.
    """
    found = {each.path: each for each in find_recipes(study.folder)}
    if recipe not in found:
        hint = f"recipes: {', '.join(found)}" if found else "the study has none"
        raise SpecError(f"there is no recipe {recipe!r}", hint=hint)
    if found[recipe].problem:
        raise SpecError(found[recipe].problem)


def _seed_of(context: Context, recipe: str) -> int | None:
    """The seed that a recipe states."""
    for each in find_recipes(context.folder):
        if each.path == recipe and each.recipe and not isinstance(each.recipe, RlhfRecipe):
            return each.recipe.seed
    return None


__all__ = ["EVENTS", "router"]
