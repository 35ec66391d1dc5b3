"""Formats: the files of other tools as rows of prompts and outputs. Knows no metric, no study."""

from ethogram.formats.base import Row, Shape, Value
from ethogram.formats.content import messages_of, reference_of, text_of
from ethogram.formats.shapes import SHAPES, all_rows, groups, recognise, rows

__all__ = [
    "SHAPES",
    "Row",
    "Shape",
    "Value",
    "all_rows",
    "groups",
    "messages_of",
    "recognise",
    "reference_of",
    "rows",
    "text_of",
]
