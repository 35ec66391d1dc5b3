"""Documents of a recipe's files: what is learned from, and what is held out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.errors import DataError

if TYPE_CHECKING:
    from ethogram.spec.recipes import Data
    from ethogram.study import Study


@dataclass(frozen=True, slots=True)
class Split:
    """Documents to learn from and, by the name of their file, held-out ones."""

    train: list[str]
    held_out: dict[str, list[str]]


def data_paths(study: Study, data: Data) -> list[Path]:
    """Every data file that a recipe names, from the study's folder.

    Raises:
        DataError: one of them is not there.
    """
    names = [*data.train, *(data.held_out if isinstance(data.held_out, tuple) else ())]
    paths = [study.folder / name for name in names]
    for path in paths:
        if not path.is_file():
            raise DataError(
                "no such data file", where=str(path), hint="check `data:` of the recipe"
            )
    return paths


def fingerprint(paths: Iterable[Path]) -> str:
    """Digest of the content of files, in order; their names do not count."""
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def read_split(study: Study, data: Data) -> Split:
    """Read the documents of a recipe.

    Raises:
        DataError: a file is missing or not UTF-8, or nothing is left to learn from.
    """
    data_paths(study, data)
    train: list[str] = []
    held_out: dict[str, list[str]] = {}
    if isinstance(data.held_out, tuple):
        for name in data.train:
            train += _documents(study.folder / name, data.max_rows)
        for name in data.held_out:
            held_out[Path(name).stem] = list(_documents(study.folder / name, None))
    else:
        for name in data.train:
            for text in _documents(study.folder / name, data.max_rows):
                if _is_held_out(text, data.held_out):
                    held_out.setdefault(Path(name).stem, []).append(text)
                else:
                    train.append(text)
    if not train:
        raise DataError("no documents to learn from", where=", ".join(data.train))
    return Split(train, held_out)


def _is_held_out(text: str, share: float) -> bool:
    """Decided by the content, so that equal documents stay on one side."""
    digest = hashlib.sha256(" ".join(text.split()).lower().encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def _documents(path: Path, most: int | None) -> Iterator[str]:
    """Paragraph groups of a text file: documents are separated by a blank line."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 at byte {error.start}", where=str(path)) from None
    count = 0
    for part in text.split("\n\n"):
        if part.strip():
            count += 1
            if most is not None and count > most:
                return
            yield part.strip("\n")
