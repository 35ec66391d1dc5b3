"""The table of shapes, and reading a file by it. Knows rows; what they mean is `metrics.reading`'s.

A file's shape is recognised by its values, so nothing has to be said about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.formats import api, chats, inspect_ai, lm_eval, mt_bench, plain, promptfoo
from ethogram.formats.base import Converter, Fields, Row, Shape
from ethogram.formats.files import values
from ethogram.spec.source import suggest

#: In order: the first that recognises a value converts it.
SHAPES: tuple[Shape, ...] = (
    promptfoo.RESULTS,
    promptfoo.RESULT_LINES,
    promptfoo.TESTS,
    inspect_ai.LOG,
    inspect_ai.SAMPLE,
    inspect_ai.RECORDS,
    lm_eval.SAMPLES,
    lm_eval.RESULTS,
    mt_bench.ANSWERS,
    mt_bench.QUESTIONS,
    api.BATCH,
    chats.CONVERSATIONS,
    chats.PAIRS,
    api.RESPONSE,
    plain.EXPORT,
    plain.ALPACA,
    plain.PLAIN,
)


def recognise(data: Fields) -> Shape:
    """The shape of a JSON object; rows with a prompt and an output if nothing else."""
    return next(shape for shape in SHAPES if shape.recognise(data))


def all_rows(path: Path) -> Iterator[Row]:
    """Every row of a file, whichever group it belongs to.

    Raises:
        SpecError: as `values`.
    """
    converters: dict[str, Converter] = {}
    for value in values(path):
        try:
            if not isinstance(value.data, dict):
                raise SpecError("must be a JSON object", where=value.where)
            shape = recognise(value.data)
            converter = converters.setdefault(shape.name, shape.reader())
            yield from converter(value)
        except RecursionError:
            raise SpecError("the JSON is nested too deeply", where=value.where) from None


def groups(path: Path) -> list[str]:
    """The models, providers or versions whose outputs a file holds; empty if it does not say."""
    return list(dict.fromkeys(row.group for row in all_rows(path) if row.group is not None))


def rows(path: Path, select: str | None = None) -> Iterator[Row]:
    """The rows of one group of a file.

    Args:
        path: the file.
        select: name of the group, or a part of it that no other has. None where there is one.

    Raises:
        SpecError: several groups and none selected, or none of that name; lists what is there.
    """
    chosen = None if select is None else _chosen(path, select)
    first: str | None = None
    for row in all_rows(path):
        if chosen is not None and row.group != chosen:
            continue
        first = first if first is not None else row.group
        if chosen is None and row.group is not None and row.group != first:
            raise several(path)
        yield row


def several(path: Path) -> SpecError:
    """What to say of a file with outputs of several groups."""
    found = groups(path)
    return SpecError(
        f"contains outputs of {len(found)} sources: {', '.join(map(repr, found))}",
        where=str(path),
        hint="choose one with --select NAME (select= in Python)",
    )


def _chosen(path: Path, select: str) -> str:
    found = groups(path)
    if select in found:
        return select
    near = [name for name in found if select.lower() in name.lower()]
    if len(near) == 1:
        return near[0]
    if not found:
        raise SpecError(
            f"does not name the models of its outputs, so {select!r} cannot be selected",
            where=str(path),
            hint="leave out --select",
        )
    what = f"{select!r} names {len(near)} of its groups" if near else f"no outputs of {select!r}"
    hint = f"choose from: {', '.join(near)}" if near else suggest(select, found)
    raise SpecError(what, where=str(path), hint=hint)
