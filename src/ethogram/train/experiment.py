"""Experiment: is recipe B better than A? Several seeds of each, compared on the same prompts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.spec.recipes import RewardRecipe, RlhfRecipe, load_recipe
from ethogram.stats.seeds import SeedTest, compare_seeds
from ethogram.study.calling import takes_study
from ethogram.study.measure import Measured, measure, metric_names

if TYPE_CHECKING:
    from ethogram.metrics import Metric
    from ethogram.spec.recipes import ModelRecipe
    from ethogram.study.workspace import Study

#: Seed of the resampling, fixed so that every number can be derived again.
SEED = 20260101


@dataclass(frozen=True)
class RecipeDifference:
    """One metric of two recipes.

    Attributes:
        metric: what was measured.
        test: the difference, with its interval for new seeds and new prompts.
    """

    metric: Metric
    test: SeedTest

    @property
    def verdict(self) -> str:
        """Better, worse or changed where the interval excludes zero; else no clear change."""
        test = self.test
        if math.isnan(test.low):
            return "needs two seeds" if not math.isnan(test.estimate) else "not measured"
        if test.low <= 0 <= test.high:
            return "no clear change"
        if self.metric.direction == "none":
            return "changed"
        return "better" if (test.estimate > 0) == (self.metric.direction == "higher") else "worse"

    @property
    def advice(self) -> str:
        """How many seeds of each recipe would decide, in words; empty where it is decided."""
        if self.verdict != "no clear change" or not self.test.estimate:
            return ""
        needed = self.test.seeds_to_decide()
        if needed is None:
            return "needs more prompts"
        return f"{max(needed, min(self.test.seeds) + 1)} seeds would decide"


@dataclass(frozen=True)
class RecipeComparison:
    """Two recipes, by the versions of their seeds.

    Attributes:
        before: name of the first recipe.
        after: name of the second.
        versions: of either, one a seed.
        prompts: that all of them have.
        differences: one a metric.
    """

    before: str
    after: str
    versions: tuple[Sequence[str], Sequence[str]]
    prompts: int
    differences: Sequence[RecipeDifference]

    def to_json(self) -> dict[str, Any]:
        """Plain data; what cannot be known is null."""
        return {
            "before": self.before,
            "after": self.after,
            "versions": {self.before: self.versions[0], self.after: self.versions[1]},
            "prompts": self.prompts,
            "differences": [
                {
                    "metric": each.metric.name,
                    **{name: _known(value) for name, value in asdict(each.test).items()},
                    "verdict": each.verdict,
                    "seeds_to_decide": each.test.seeds_to_decide(),
                }
                for each in self.differences
            ],
        }


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


@takes_study
def compare_recipes(
    study: Study,
    before: str | Path,
    after: str | Path,
    *,
    metrics: Sequence[str] | None = None,
) -> RecipeComparison:
    """Compare two recipes by the versions that each wrote, one a seed.

    Args:
        study: opened; every version has been run on its suite.
        before: path of the first recipe.
        after: path of the second.
        metrics: names; default those of the study's table.

    Raises:
        SpecError: a recipe is wrong or writes no version, a version is missing or was not run, or
            the versions share fewer than two prompts.
    """
    recipes = [load_recipe(Path(path)) for path in (before, after)]
    names = tuple(metrics or metric_names(study))
    versions = [
        _versions(study, recipe, Path(path))
        for recipe, path in zip(recipes, (before, after), strict=True)
    ]
    measured = [[measure(study, name, names) for name in some] for some in versions]
    ids = _shared([each for side in measured for each in side], names)
    differences = []
    for name in names:
        first, second = (np.stack([_parts(each[name], ids) for each in side]) for side in measured)
        metric = measured[0][0][name].metric
        test = compare_seeds(first, second, metric.aggregate, seed=SEED)
        differences.append(RecipeDifference(metric, test))
    return RecipeComparison(
        recipes[0].name, recipes[1].name, (versions[0], versions[1]), len(ids), differences
    )


def _versions(study: Study, recipe: Any, path: Path) -> list[str]:
    if isinstance(recipe, RlhfRecipe | RewardRecipe) or recipe.version is None:
        raise SpecError(
            "this recipe writes no version to compare",
            where=str(path),
            hint="state `version:` in a recipe that trains a model to generate",
        )
    names = seed_versions(recipe)
    missing = [name for name in names if name not in study.versions]
    if missing:
        raise SpecError(
            f"version {missing[0]} is not there",
            where=str(path),
            hint=f"train it: ethogram train {path.name}",
        )
    return names


def seed_versions(recipe: ModelRecipe) -> list[str]:
    """The version that each seed of a recipe writes."""
    assert recipe.version is not None
    if not recipe.seeds:
        return [recipe.version]
    return [recipe.version, *(f"{recipe.version}-seed{seed}" for seed in recipe.seeds[1:])]


def _shared(measured: Sequence[dict[str, Measured]], names: Sequence[str]) -> list[str]:
    """Prompts that all versions have, in order."""
    lists = [each[names[0]].parts_by_prompt()[0] for each in measured]
    common = set(lists[0]).intersection(*lists[1:])
    if len(common) < 2:
        raise SpecError(
            f"the versions share {len(common)} prompts, and two are needed",
            where="compare",
            hint="run them on one suite",
        )
    return [prompt for prompt in lists[0] if prompt in common]


def _parts(measured: Measured, ids: Sequence[str]) -> Any:
    """Mean parts of each prompt: [prompts, k]."""
    known, parts = measured.parts_by_prompt()
    at = {prompt: row for row, prompt in enumerate(known)}
    return parts[[at[prompt] for prompt in ids]]
