"""Replications: published tables made again with our metrics, and what there is to make."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.replications.data import DataFolders
from ethogram.replications.registry import DATA_SETS, DataFile, DataSet
from ethogram.replications.result import Replicated, Row
from ethogram.spec.source import suggest

__all__ = [
    "DATA_SETS",
    "REPLICATIONS",
    "DataFile",
    "DataFolders",
    "DataSet",
    "Replicated",
    "Replication",
    "Row",
    "replicate",
]


@dataclass(frozen=True, slots=True)
class Replication:
    """A published table that can be made again.

    Attributes:
        name: what `ethogram replicate` calls it.
        about: what it makes, in a line.
        data: names of the data sets that it reads.
        module: in this package; its function `replicate` does it.
        options: what may be said of it beside its data.
    """

    name: str
    about: str
    data: tuple[str, ...]
    module: str
    options: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        sets = [DATA_SETS[name] for name in self.data]
        return {
            "name": self.name,
            "about": self.about,
            "data": [
                {"name": each.name, "origin": each.origin, "licence": each.licence} for each in sets
            ],
            "options": sorted(self.options),
        }


REPLICATIONS = {
    each.name: each
    for each in (
        Replication(
            "contrastive-search",
            "diversity and length of gpt2-large's released outputs on WebText",
            ("gpt2-large-webtext",),
            "contrastive_search",
        ),
        Replication(
            "holtzman",
            "sameness, vocabulary and loops of gpt2-large's outputs on WebText",
            ("gpt2-large-webtext",),
            "holtzman",
        ),
        Replication(
            "alpaca-eval",
            "raw win rates of four models, from released judgements",
            ("alpaca-eval-judgements",),
            "alpaca",
        ),
        Replication(
            "truthfulqa-mc",
            "TruthfulQA multiple choice (MC1, MC2) of a model, by likelihood",
            ("truthfulqa",),
            "truthfulqa",
            frozenset({"limit", "model"}),
        ),
        Replication(
            "ditto",
            "self-reinforcement of a repeated sentence in a model",
            ("wikitext-2",),
            "ditto",
            frozenset({"limit", "model"}),
        ),
        Replication(
            "ifeval",
            "instructions that a chat model follows, on IFEval's 541 prompts",
            ("ifeval",),
            "ifeval",
            frozenset({"limit", "model", "max_new_tokens"}),
        ),
    )
}


def replicate(
    name: str,
    data: str | Path | None = None,
    *,
    fetch: bool = False,
    on_fetch: Callable[[str], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Replicated:
    """Reproduce a published table.

    Args:
        name: one of `REPLICATIONS`.
        data: folder of its data sets; None for that of $ETHOGRAM_DATA, then the cache.
        fetch: download missing data from its publishers into the cache.
        on_fetch: called with each address and its licence before the request.
        on_progress: called with how many texts a model has read, where one is run.
        options: those of the replication (`Replication.options`); None for its default.

    Raises:
        SpecError: there is no such replication, or it has no such option.
        DataError: its data is missing, is not the expected data, or cannot be downloaded.
    """
    if name not in REPLICATIONS:
        raise SpecError(f"there is no replication {name!r}", hint=suggest(name, list(REPLICATIONS)))
    replication = REPLICATIONS[name]
    given = {option: value for option, value in options.items() if value is not None}
    for option in given:
        if option not in replication.options:
            raise SpecError(
                f"the replication {name} has no option --{option.replace('_', '-')}",
                hint="leave it out",
            )
    folders = DataFolders(data, fetch=fetch, on_fetch=on_fetch)
    if replication.options:
        given["on_progress"] = on_progress
    module = importlib.import_module(f"ethogram.replications.{replication.module}")
    made: Replicated = module.replicate(folders, **given)
    return made
