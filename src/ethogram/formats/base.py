"""What a file holds: values with their places, rows made of them, and what a shape is.

Knows JSON values; knows no metric and no study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """One JSON value of a file: a line, an item of an array, a table's row, or a whole document.

    Attributes:
        data: the value.
        where: file and line (or item, row, member), for messages.
        number: 1-based position in the file; the prompt's id where the value has none.
    """

    data: Any
    where: str
    number: int

    def row(self, fields: Fields, **rest: Any) -> Row:
        """A row that stands where this value does."""
        return Row(fields, self.where, self.number, **rest)


@dataclass(frozen=True, slots=True)
class Row:
    """One output (or several samples of one prompt) under the field names of Ethogram.

    Attributes:
        fields: `prompt` (text or chat messages), `prompt_id`, `sample`, `text`, `finish_reason`,
            `logprobs`, `token_ids`, `reference`, `tags`, `constraints`; those that are known.
        where: file and line, for messages.
        number: 1-based position in the file.
        group: model, provider or version that made it; None if the file holds only one.
        problem: why there is no text, where that is known.
        test: whether `prompt_id` names a test whose wording may differ between two groups.
        left_out: why a suite leaves it out, where its prompt cannot be had from the file.
    """

    fields: Fields
    where: str
    number: int
    group: str | None = None
    problem: str | None = None
    test: bool = False
    left_out: str | None = None


#: Turns one value into rows. Each file gets a new one, so it may remember what came before.
Converter = Callable[[Value], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A way in which a tool writes its outputs or its prompts.

    Attributes:
        name: short.
        title: what it is and which tool writes it.
        recognise: whether a JSON object has this shape.
        reader: starts a file, and returns what converts its values.
    """

    name: str
    title: str
    recognise: Callable[[Fields], bool]
    reader: Callable[[], Converter]


def stateless(convert: Converter) -> Callable[[], Converter]:
    """The reader of a shape whose values stand for themselves."""
    return lambda: convert
