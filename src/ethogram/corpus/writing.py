"""Writing: rows as JSON lines of one shape, whole or not at all; nothing is dropped silently."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ethogram.corpus.fixes import BadRows, FixCounter, Reason
from ethogram.corpus.reading import read
from ethogram.corpus.rows import BadRow, Row, Turn
from ethogram.errors import DataError
from ethogram.files import write_whole

Shape = Literal["messages", "pairs", "preference", "text", "vote", "as is"]
#: Shapes that rows can be converted to.
SHAPES: tuple[Shape, ...] = ("messages", "pairs", "preference", "text", "vote")
_KINDS = {"text": "a document", "messages": "a conversation", "vote": "a vote"}
_KINDS["preference"] = "a preference pair"


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion wrote.

    Attributes:
        file: that was written.
        rows: written rows.
        used: rule to the number of its uses.
        dropped: rows that `drop-bad-rows` left out, by reason.
    """

    file: Path
    rows: int
    used: Mapping[str, int]
    dropped: tuple[Reason, ...]


class BadRowsError(DataError):
    """Rows that cannot be used, so nothing was written.

    Attributes:
        bad: the rows by file and reason.
    """

    def __init__(self, bad: BadRows) -> None:
        first = bad.first()[0]
        fixes = sorted({row.fix for row in bad.first() if row.fix}) or ["drop-bad-rows"]
        super().__init__(
            f"{first.reason}; {bad.total} bad row{'s' * (bad.total > 1)}, so nothing was written",
            where=first.where,
            hint=f"fix the rows, or allow rules with --fix: {', '.join(fixes)}",
        )
        self.bad = bad


def convert(
    paths: Sequence[Path],
    out: Path,
    *,
    to: Shape,
    format: str | None = None,
    fixes: FixCounter | None = None,
) -> Converted:
    """Write the rows of files as JSON lines of one shape.

    Args:
        paths: files to read, in order.
        out: file to write; gzip is not written.
        to: `messages`; `pairs` of `prompt` and `completion`; `preference`, with messages in
            `prompt`, `chosen` and `rejected` as TRL reads them; `text`, for a conversation its
            turns one after another, each on lines of its own; `vote`, with messages in `prompt` and
            `completion` and a `label`.
        format: of all files; default: of each by its name.
        fixes: rules that may change or drop rows.

    Raises:
        BadRowsError: rows are bad or have no such shape; nothing is written.
        DataError: as for `read`.
    """
    rules = fixes or FixCounter()
    rows = (row for path in paths for row in read(path, format=format, fixes=rules))
    count = write_rows(rows, out, to=to, fixes=rules)
    return Converted(out, count, dict(rules.used), tuple(rules.dropped))


def write_rows(
    rows: Iterable[Row | BadRow],
    out: Path,
    *,
    to: Shape = "as is",
    fixes: FixCounter | None = None,
) -> int:
    """Write rows as JSON lines; returns how many. `as is` keeps the kind of each row.

    Raises:
        BadRowsError: rows are bad or have no such shape; nothing is written.
        WriteError: the file cannot be written.
    """
    rules, bad, count = fixes or FixCounter(), BadRows(), 0

    def texts() -> Iterator[str]:
        nonlocal count
        for row in rows:
            line = row if isinstance(row, BadRow) else line_of(row, to)
            if isinstance(line, str):
                count += 1
                yield line
            elif isinstance(row, BadRow) or not rules.drops(line):
                bad.add(line)
        if bad.total:
            raise BadRowsError(bad)
        if not count:
            raise DataError("no rows to write", where=str(out), hint="check the input files")

    write_whole(out, texts())
    return count


def line_of(row: Row, to: Shape) -> str | BadRow:
    """A row as a JSON line of a shape, or why it has no such shape."""
    fields = _SHAPES[to](row)
    if isinstance(fields, str):
        return BadRow(row.file, row.line, fields)
    about = {"license": row.licence, "source": row.source}
    fields |= {name: value for name, value in about.items() if value}
    fields |= {name: value for name, value in row.extra.items() if name not in fields}
    try:
        return json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        return BadRow(row.file, row.line, f"a further field cannot be written as JSON: {error}")


def _turns(turns: Iterable[Turn]) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in turns]


def _reply(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _refused(row: Row, wanted: str) -> str:
    return f"{_KINDS[row.kind]} is not {wanted}"


def _messages(row: Row) -> dict[str, Any] | str:
    if row.kind != "messages":
        return _refused(row, "a conversation")
    return {"messages": _turns(row.messages)}


def _pairs(row: Row) -> dict[str, Any] | str:
    if row.kind != "messages":
        return _refused(row, "a question with its answer")
    roles = [turn.role for turn in row.messages]
    if roles not in (["user", "assistant"], ["system", "user", "assistant"]):
        return f"a conversation of {len(roles)} turns is not a question with its answer"
    *system, prompt, reply = (turn.content for turn in row.messages)
    first = {"system": system[0]} if system and system[0] else {}
    return {**first, "prompt": prompt, "completion": reply}


def _preference(row: Row) -> dict[str, Any] | str:
    if row.kind != "preference":
        return _refused(row, "a preference pair")
    return {
        "prompt": _turns(row.messages),
        "chosen": _reply(row.chosen),
        "rejected": _reply(row.rejected),
    }


def _text(row: Row) -> dict[str, Any] | str:
    if row.kind not in ("text", "messages"):
        return _refused(row, "a document")
    return {"text": row.words}


def _vote(row: Row) -> dict[str, Any] | str:
    if row.kind != "vote":
        return _refused(row, "a vote")
    return {"prompt": _turns(row.messages), "completion": _reply(row.reply), "label": row.label}


def _as_is(row: Row) -> dict[str, Any] | str:
    return _SHAPES[row.kind](row)


_SHAPES: Mapping[Shape, Callable[[Row], dict[str, Any] | str]] = {
    "messages": _messages,
    "pairs": _pairs,
    "preference": _preference,
    "text": _text,
    "vote": _vote,
    "as is": _as_is,
}
