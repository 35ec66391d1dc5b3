"""Rubric: the criteria that a judge scores an answer by, read from YAML."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import SpecError
from ethogram.spec.source import read_yaml, validate

#: Every criterion is scored from LOWEST to HIGHEST, as MT-Bench does (Zheng et al. 2023).
LOWEST, HIGHEST = 1, 10


class Criterion(BaseModel):
    """One criterion, scored by a judge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,39}$", description="lower case, digits and underscores"
    )
    question: str = Field(min_length=1, max_length=2000, description="what the judge answers")
    low: str = Field("", max_length=2000, description="what a score of 1 means")
    high: str = Field("", max_length=2000, description="what a score of 10 means")


class Rubric(BaseModel):
    """Criteria with unique names, each scored from 1 to 10."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field("", max_length=200, description="for a reader; the judge does not see it")
    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=12)


#: The rubric when no file is named: general quality of short answers.
GENERAL = Rubric(
    title="General",
    criteria=(
        Criterion(
            name="answers",
            question="Does it do what was asked, all of it, without wandering off?",
            low="it ignores the request",
            high="it does everything that was asked and nothing else",
        ),
        Criterion(
            name="correct",
            question="Are its statements true, and is nothing made up?",
            low="false or invented throughout",
            high="nothing in it is wrong",
        ),
        Criterion(
            name="coherent",
            question="Does each sentence follow from the one before, without repeating itself?",
            low="fragments, loops or contradictions",
            high="one clear line of thought from the first sentence to the last",
        ),
        Criterion(
            name="language",
            question="Are its sentences well formed and natural?",
            low="hardly a whole sentence",
            high="as a careful writer would put it",
        ),
    ),
)
BUILT_IN = {"general": GENERAL}


def load_rubric(name: str | Path) -> Rubric:
    """A rubric by the name of a built-in one, or read from a YAML file.

    Raises:
        SpecError: no such file, an unknown field, a duplicate criterion, …; with line.
    """
    if str(name) in BUILT_IN:
        return BUILT_IN[str(name)]
    path = Path(name)
    if not path.exists():
        raise SpecError(
            "no such rubric",
            where=str(path),
            hint=f"name a YAML file, or one of: {', '.join(BUILT_IN)}",
        )
    data, places = read_yaml(path)
    rubric = validate(Rubric, data, path, places)
    seen: set[str] = set()
    for index, criterion in enumerate(rubric.criteria):
        if criterion.name in seen:
            raise SpecError(
                f"duplicate criterion {criterion.name!r}",
                where=places.where(("criteria", index, "name"), path),
                hint="give each its own name",
            )
        seen.add(criterion.name)
    return rubric
