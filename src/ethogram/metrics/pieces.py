"""Pieces: large files of outputs, read and measured by the machines of a cluster.

A file of JSON lines is divided into ranges of bytes that end with a line, and a Parquet file into
its row groups; other files are one piece. The pieces come back in their order with numbers and the
few texts that are shown, so the table is the one of a single process, bit for bit, and no machine
holds a whole file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ethogram.cluster import Cluster, in_order
from ethogram.errors import SpecError
from ethogram.extras import require
from ethogram.formats import recognise, rows
from ethogram.formats.plain import PLAIN
from ethogram.metrics.base import Output, Score
from ethogram.metrics.parallel import Choose, measure_chunk
from ethogram.metrics.reading import ID_FIELDS, SAMPLE_FIELDS, outputs_of_row
from ethogram.spec.source import parse_object

#: Bytes of a range of lines: some seconds of work, so that few pieces are left at the end.
RANGE_BYTES = 16 * 2**20
#: Rows of a Parquet piece, in whole row groups.
GROUP_ROWS = 20_000
SUFFIXES = (".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file.

    Attributes:
        path: the file, on storage that every machine reaches.
        start: first byte, or first row group.
        end: one after the last.
        unit: `bytes`, `groups`, or `file` for a whole one.
    """

    path: Path
    start: int
    end: int
    unit: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One output of a piece, with its scores.

    Attributes:
        output: without its texts, where nobody reads them.
        scores: in the order of the metrics.
        number: of its row in the piece, from 1.
        is_numbered: its prompt has no id, so that the row's number in the file stands for one.
        is_counted: its row has no sample index, so that outputs of its prompt are counted.
    """

    output: Output
    scores: Sequence[Score]
    number: int
    is_numbered: bool
    is_counted: bool


def files_of(path: Path) -> list[Path]:
    """A file, or the files of outputs in a folder, by name.

    Raises:
        SpecError: it is not there, or a folder without such files.
    """
    if not path.is_dir():
        if not path.exists():
            raise SpecError("no such file", where=str(path))
        return [path]
    found = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES)
    if not found:
        raise SpecError(f"no file that ends in {' or '.join(SUFFIXES)}", where=str(path))
    return found


def pieces_of(path: Path) -> list[Piece]:
    """The pieces of a file, in order."""
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PAR1":
        return _row_groups(path)
    if path.suffix == ".jsonl" and not head.startswith(b"\x1f\x8b") and _is_plain(path):
        return _ranges(path)
    return [Piece(path, 0, 0, "file")]


def _is_plain(path: Path) -> bool:
    """Whether the first line is a row of one output, of no other tool and of no group."""
    with path.open("rb") as file:
        line = next((line for line in file if line.strip()), b"")
    try:
        return recognise(parse_object(line.decode(), str(path))) is PLAIN
    except (SpecError, UnicodeDecodeError):
        return False


def _ranges(path: Path) -> list[Piece]:
    """Ranges of about `RANGE_BYTES`, each of which ends with a line."""
    size = path.stat().st_size
    found, start = [], 0
    with path.open("rb") as file:
        while start < size:
            file.seek(min(start + RANGE_BYTES, size))
            file.readline()
            end = min(file.tell(), size)
            found.append(Piece(path, start, end, "bytes"))
            start = end
    return found


def _row_groups(path: Path) -> list[Piece]:
    arrow = require("pyarrow", extra="parquet", needed_for="reading Parquet")
    parquet = require("pyarrow.parquet", extra="parquet", needed_for="reading Parquet")
    found: list[Piece] = []
    first = counted = 0
    try:
        with parquet.ParquetFile(path) as file:
            groups = file.metadata.num_row_groups
            for group in range(groups):
                counted += file.metadata.row_group(group).num_rows
                if counted >= GROUP_ROWS or group == groups - 1:
                    found.append(Piece(path, first, group + 1, "groups"))
                    first, counted = group + 1, 0
    except arrow.ArrowException as error:
        what = str(error).splitlines()[0][:120]
        raise SpecError(f"not a readable Parquet file: {what}", where=str(path)) from None
    return found


def measured_on(
    cluster: Cluster, path: Path, choose: Choose, *, whole: bool
) -> Iterator[tuple[Output, Sequence[Score]]]:
    """The outputs of a file or folder with their scores, in order.

    Args:
        cluster: connected; its machines reach the path.
        path: of the file or folder.
        choose: makes the metrics of single outputs.
        whole: bring the outputs' texts back too, for metrics that are not of single outputs.

    Raises:
        SpecError: as `read_outputs`, with the line of the whole file.
    """
    samples: dict[str, int] = {}
    base, before = 0, None
    pieces = (piece for file in files_of(path) for piece in pieces_of(file))
    empty = True
    for piece, (count, found, wrong) in in_order(
        cluster, partial(measure_piece, choose, whole), pieces
    ):
        if piece.path != before:
            base, before = 0, piece.path
        for each in found:
            empty = False
            yield _placed(each, base, samples), each.scores
        if wrong is not None:
            raise _in_file(wrong, piece, base)
        base += count
    if empty:
        raise SpecError("no outputs in this file", where=str(path))


def _placed(each: Measurement, base: int, samples: dict[str, int]) -> Output:
    """An output with the prompt id and sample index that it has in the whole file."""
    output = each.output
    if each.is_numbered:
        return replace(output, prompt_id=f"line-{base + each.number}")
    index = samples.get(output.prompt_id, 0) if each.is_counted else output.sample_index
    samples[output.prompt_id] = index + 1
    return replace(output, sample_index=index)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row without a usable output.

    Attributes:
        line: the row's line in the piece.
        what: is wrong.
        hint: how to fix it.
    """

    line: int
    what: str
    hint: str | None


def _in_file(wrong: Wrong, piece: Piece, base: int) -> SpecError:
    mark = ": row " if piece.unit == "groups" else ":"
    where = f"{piece.path}{mark}{base + wrong.line}" if wrong.line else str(piece.path)
    return SpecError(wrong.what, where=where, hint=wrong.hint)


def measure_piece(
    choose: Choose, whole: bool, piece: Piece
) -> tuple[int, list[Measurement], Wrong | None]:
    """Read and measure a piece, on any machine.

    Returns:
        Lines (or rows) of the piece, its outputs up to the first wrong row, and that row.
    """
    with tempfile.TemporaryDirectory(prefix="ethogram-") as folder:
        part, lines = _part(piece, Path(folder))
        outputs: list[Output] = []
        places: list[tuple[int, bool, bool]] = []
        wrong = None
        try:
            for row in rows(part):
                is_numbered = not any(row.fields.get(name) is not None for name in ID_FIELDS)
                is_counted = all(row.fields.get(name) is None for name in SAMPLE_FIELDS)
                for output in outputs_of_row(row):
                    outputs.append(output)
                    places.append((row.number, is_numbered, is_counted))
        except SpecError as error:
            wrong = _located(error, part)
    scores = measure_chunk(choose, outputs)
    found = [
        Measurement(output if whole else _bare(output, row), row, *place)
        for output, row, place in zip(outputs, scores, places, strict=True)
    ]
    return lines, found, wrong


def _located(error: SpecError, part: Path) -> Wrong:
    """The line at the end of an error's place; 0 without one."""
    number = (error.where or "").removeprefix(str(part)).rpartition(":")[2]
    digits = number.removeprefix(" row ").strip()
    return Wrong(int(digits) if digits.isdecimal() else 0, error.what, error.hint)


def _part(piece: Piece, folder: Path) -> tuple[Path, int]:
    """A piece as a file of its own, and its lines or rows."""
    if piece.unit == "file":
        return piece.path, 0
    part = folder / f"part{piece.path.suffix}"
    if piece.unit == "bytes":
        lines = 0
        with piece.path.open("rb") as source, part.open("wb") as target:
            source.seek(piece.start)
            left = piece.end - piece.start
            while left > 0 and (data := source.read(min(left, 2**20))):
                lines += data.count(b"\n")
                left -= len(data)
                target.write(data)
        return part, lines
    parquet = require("pyarrow.parquet", extra="parquet", needed_for="reading Parquet")
    with parquet.ParquetFile(piece.path) as file:
        table = file.read_row_groups(list(range(piece.start, piece.end)))
    parquet.write_table(table, part)
    return part, int(table.num_rows)


def _bare(output: Output, scores: Sequence[Score]) -> Output:
    """An output without what only its metrics read; the text stays where it may be shown."""
    shown = any(score.spans for score in scores)
    return Output(
        text=output.text if shown else "",
        prompt_id=output.prompt_id,
        sample_index=output.sample_index,
    )
