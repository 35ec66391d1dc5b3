"""TruthfulQA: multiple choice by likelihood. Runs a model over given answers; generates nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from ethogram.errors import DataError
from ethogram.files import open_text
from ethogram.metrics.choices import Choices, multiple_choice
from ethogram.replications.data import DataFolders
from ethogram.replications.result import Replicated, Row
from ethogram.replications.running import DEFAULT_MODEL, likelihoods, mean, part, share

SOURCE = "Lin et al. 2022, TruthfulQA, arXiv:2109.07958: MC1 and MC2"
_NOT_PUBLISHED = (
    "No published value for this model. Values of other models circulate in many copies; none "
    "could be read at its source, so none is shown."
)
_OTHERWISE = (
    "Values elsewhere are mostly of the first release (817 questions), and of a prompt that puts "
    "six answered questions before each; here each question is alone, as 'Q: …' and 'A:', and "
    "the data are the authors' revision of 2025. Right answers are the best one and all others "
    "that the table lists. An answer's likelihood is not divided by its length, as in the paper."
)


def replicate(
    data: DataFolders,
    *,
    model: str = DEFAULT_MODEL,
    limit: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Replicated:
    """MC1 and MC2 of a model.

    Args:
        data: where the questions lie.
        model: built-in name, hub id, local folder or .gguf file; decoder-only.
        limit: the first so many questions only; None for all.
        on_progress: called with how many answers have been scored.
    """
    asked = questions(data.files("truthfulqa")["questions"])
    chosen = asked[:limit]
    score = multiple_choice(chosen, likelihoods(model, on_progress))
    rows = [
        Row.of_interval(model, "MC1", share(sum(score.mc1), len(score.mc1)), 3),
        Row.of_interval(model, "MC2", mean(score.mc2), 3),
    ]
    return Replicated(
        name="truthfulqa-mc",
        title=f"TruthfulQA multiple choice, {len(asked)} questions (shares)",
        source=SOURCE,
        rows=rows,
        why=(_NOT_PUBLISHED, _OTHERWISE),
        notes=part(len(chosen), len(asked), "questions"),
    )


def questions(path: Path) -> list[Choices]:
    """The questions of TruthfulQA's table, the best right answer first.

    Raises:
        DataError: a row lacks a column.
    """
    with open_text(path, newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return [
            Choices(
                prompt=f"Q: {row['Question'].strip()}\nA:",
                right=tuple(
                    dict.fromkeys([row["Best Answer"].strip(), *_listed(row["Correct Answers"])])
                ),
                wrong=_listed(row["Incorrect Answers"]),
            )
            for row in rows
        ]
    except (KeyError, AttributeError):
        raise DataError("a row lacks a column of TruthfulQA's table", where=str(path)) from None


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(answer for each in cell.split(";") if (answer := each.strip()))
