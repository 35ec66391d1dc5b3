"""Setup of a sweep: what it makes better, and which prompts choose and which test."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ethogram.errors import SpecError
from ethogram.metrics import get
from ethogram.stats import split_prompts
from ethogram.stats.racing import LEAST_PROMPTS
from ethogram.study.sweeping.result import Objective
from ethogram.study.workspace import Study

#: Prompts of which, split by their ids, enough fall to each side (all but once in a thousand).
ENOUGH_PROMPTS = 30
#: Objectives of a version without `expect:`.
DEFAULT_OBJECTIVES = ("rep_4", "prompt_similarity")


def objectives_of(study: Study, base: str, names: Sequence[str]) -> list[Objective]:
    """The objectives as metrics with a direction.

    Raises:
        SpecError: an unknown metric, or one without a direction and none given.
    """
    version = study.spec.version(base)
    if not names and version.expect:
        names = [
            f"{name}:{'higher' if '>' in bound else 'lower'}"
            for name, bound in version.expect.items()
        ]
    objectives = []
    for text in names or DEFAULT_OBJECTIVES:
        name, _, direction = text.partition(":")
        metric = get(name)
        direction = direction or metric.direction
        if direction not in ("higher", "lower"):
            raise SpecError(
                "it has no better direction, so a sweep cannot optimise it",
                where=f"objective {text!r}",
                hint=f"state one: {name}:higher or {name}:lower",
            )
        objectives.append(Objective(metric, direction == "higher"))
    if len({objective.name for objective in objectives}) != len(objectives):
        raise SpecError("duplicate objective", where=", ".join(names))
    return objectives


def halves_of(study: Study, base: str) -> tuple[frozenset[str], frozenset[str]]:
    """Ids of the prompts for selection, and of those held out.

    Raises:
        SpecError: there are too few.
    """
    ids = [item.id for item in study.suite(base).prompts]
    halves = (frozenset[str](), frozenset[str]())
    fell = ""
    with suppress(ValueError):  # Hardly a prompt fell to one side.
        pairs = list(zip(ids, split_prompts(ids), strict=True))
        halves = (
            frozenset(name for name, one in pairs if one),
            frozenset(name for name, one in pairs if not one),
        )
        fell = f", here {len(halves[0])} | {len(halves[1])}"
    if min(map(len, halves)) < LEAST_PROMPTS:
        raise SpecError(
            f"{len(ids)} prompts are too few to split into selection and holdout{fell}",
            where=str(study.spec.suite_path(base)),
            hint=f"{LEAST_PROMPTS} are needed in each half; {ENOUGH_PROMPTS} prompts are enough",
        )
    return halves
