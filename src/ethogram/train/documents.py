"""Documents of a recipe's files: what is learned from, and what is held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.corpus import BadRow, FixCounter, Row, documents, read, split
from ethogram.train.job import Finding

if TYPE_CHECKING:
    from ethogram.spec.recipes import Data
    from ethogram.study import Study


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a recipe.

    Attributes:
        train: rows to learn from.
        held_out: held-out rows by the name of their file.
        used: how often each rule of `fixes` changed or dropped a row.
    """

    train: list[Row]
    held_out: dict[str, list[Row]]
    used: Mapping[str, int] = field(default_factory=dict)


def data_paths(study: Study, data: Data) -> list[Path]:
    """Every data file that a recipe names, from the study's folder."""
    names = [*data.train, *(data.held_out if isinstance(data.held_out, tuple) else ())]
    return [study.folder / name for name in names]


def read_documents(study: Study, data: Data) -> Documents:
    """Read the documents of a recipe.

    Raises:
        DataError: a file is missing, a row is bad, or there is none.
    """
    rules = FixCounter(data.fixes)

    def rows(name: str, most: int | None) -> Iterator[Row | BadRow]:
        return islice(read(study.folder / name, format=data.format, fixes=rules), most)

    train = documents(row for name in data.train for row in rows(name, data.max_rows))
    held: list[Row]
    if isinstance(data.held_out, tuple):
        held = documents(row for name in data.held_out for row in rows(name, None))
    elif data.held_out:
        train, held = split(train, data.held_out)
    else:
        held = []
    by_file: dict[str, list[Row]] = {}
    for row in held:
        by_file.setdefault(row.file.name.partition(".")[0], []).append(row)
    return Documents(train, by_file, rules.used)


def rules_used(used: Mapping[str, int]) -> list[Finding]:
    """A warning for each rule of `fixes` that changed or dropped rows.

    Args:
        used: how often each was.
    """
    return [
        Finding(f"rule_{name}", f"the rule {name} was used on {count:,} rows", refuses=False)
        for name, count in sorted(used.items())
    ]
