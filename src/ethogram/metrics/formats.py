"""Formats: Markdown, lists, tables, fences and JSON in an output.

Blocks are found by markdown-it-py, which follows CommonMark. What CommonMark forgives (a fence that
is never closed, a table row with a cell too few) is found here on the lines themselves.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ethogram.metrics.base import Output, Span

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_NUMBERED = re.compile(r"^([ \t]*)(\d{1,9})[.)][ \t]+\S", re.MULTILINE)
_TABLE_RULE = re.compile(
    r"^[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+$"
)
_JSON_FENCE = re.compile(
    r"^[ \t]*```[ \t]*json[ \t]*\n(.*?)^[ \t]*```", re.S | re.M | re.IGNORECASE
)
_WANTS_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
#: A text without one of these has no Markdown but paragraphs, so it need not be parsed.
_MARKS = re.compile(r"^ {0,3}(?:[#>*+|~=-]|\d{1,9}[.)]|```|    )|\*\*|__|`|\|", re.MULTILINE)
#: markdown-it's names of opening tokens to what a reader calls the block.
BLOCKS = {
    "heading_open": "heading",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "blockquote_open": "quotation",
}


@dataclass(frozen=True)
class Shape:
    """The Markdown of a text.

    Attributes:
        blocks: kinds of its blocks, outermost ones only, in order: heading, list, table, code,
            quotation.
        list_lines: lines [start, end) of its lists.
    """

    blocks: tuple[str, ...]
    list_lines: tuple[tuple[int, int], ...]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Blocks only: what is within a line is of no interest here, and costs most of the time.
    return MarkdownIt("commonmark").enable("table").disable("inline")


def shape(output: Output) -> Shape:
    """The Markdown blocks of an output."""
    if not _MARKS.search(output.text):
        return Shape((), ())
    blocks, lists = [], []
    for token in _parser().parse(output.text):
        kind = BLOCKS.get(token.type)
        if kind and token.level == 0:
            blocks.append(kind)
            if kind == "list" and token.map:
                lists.append((token.map[0], token.map[1]))
    return Shape(tuple(blocks), tuple(lists))


def faults(output: Output) -> tuple[int, tuple[Span, ...]]:
    """How many fences, numbered lists and tables an output has, and where one is broken."""
    text = output.text
    fences, outside, broken = _fences(text)
    numbered, wrong_numbers = _numbered_lists(outside)
    tables, wrong_rows = _tables(outside)
    spans = sorted([*broken, *wrong_numbers, *wrong_rows], key=lambda span: span.start)
    return fences + numbered + tables, tuple(spans)


def _fences(text: str) -> tuple[int, str, list[Span]]:
    """Code fences, the text with what they hold blanked out, and the one that stays open."""
    count, opened, kept = 0, None, list(text)
    for match in _FENCE.finditer(text):
        mark, rest = match[1], match[2]
        if opened is None:
            if not (mark[0] == "`" and "`" in rest):
                opened, count = match, count + 1
        elif mark[0] == opened[1][0] and len(mark) >= len(opened[1]) and not rest.strip():
            _blank(kept, opened.start(), match.end())
            opened = None
    if opened is None:
        return count, "".join(kept), []
    _blank(kept, opened.start(), len(text))
    return count, "".join(kept), [Span(opened.start(), len(text), "code fence never closed")]


def _blank(letters: list[str], start: int, end: int) -> None:
    letters[start:end] = ["\n" if letter == "\n" else " " for letter in letters[start:end]]


def _numbered_lists(text: str) -> tuple[int, list[Span]]:
    """Numbered lists of two items or more, and each number that does not follow the one before.

    A list whose numbers are all 1 is one too: Markdown counts by itself. A new 1 begins a new list.
    """
    lists: dict[str, list[list[re.Match[str]]]] = {}
    for match in _NUMBERED.finditer(text):
        runs = lists.setdefault(match[1], [])
        if not runs or (int(match[2]) == 1 and int(runs[-1][-1][2]) != 1):
            runs.append([])
        runs[-1].append(match)
    found = [run for runs in lists.values() for run in runs if len(run) > 1]
    spans = []
    for run in found:
        numbers = [int(match[2]) for match in run]
        if set(numbers) == {1}:
            continue
        for before, match in zip(numbers, run[1:], strict=False):
            if int(match[2]) != before + 1:
                label = f"numbered {match[2]} after {before}"
                spans.append(Span(match.start(2), match.end(2), label))
    return len(found), spans


def _tables(text: str) -> tuple[int, list[Span]]:
    """Tables, and each row with more or fewer cells than its heading."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    count, spans, at = 0, [], 1
    while at < len(lines):
        if "|" in lines[at - 1] and "|" in lines[at] and _TABLE_RULE.match(lines[at].rstrip("\n")):
            count, width = count + 1, _cells(lines[at - 1])
            while at < len(lines) and "|" in lines[at]:
                if (cells := _cells(lines[at])) != width:
                    label = f"{cells} cells in a table of {width}"
                    spans.append(Span(starts[at], starts[at] + len(lines[at].rstrip()), label))
                at += 1
        at += 1
    return count, spans


def _cells(line: str) -> int:
    return len(re.split(r"(?<!\\)\|", line.strip().strip("|")))


def wanted_json(output: Output) -> tuple[int, int] | None:
    """Where JSON should be, as [start, end): asked for by the prompt, fenced as it, or begun.

    None where the output need not have any.
    """
    text = output.text
    fenced = _JSON_FENCE.search(text)
    if fenced:
        return fenced.span(1)
    begins = len(text) - len(text.lstrip())
    asked = bool(_WANTS_JSON.search(output.prompt)) or any(
        constraint.type == "detectable_format:json_format" for constraint in output.constraints
    )
    if asked or re.match(r"(?:\{\s*[\"}]|\[\s*[\[{\"\]])", text.lstrip()):
        return begins, len(text.rstrip()) or begins
    return None


def json_fault(text: str) -> tuple[int, str] | None:
    """Where a text stops being JSON, and why; None where it is valid (RFC 8259, so without NaN)."""
    try:
        json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return error.pos, error.msg[:1].lower() + error.msg[1:]
    except ValueError as error:
        return 0, str(error)
    except RecursionError:
        return 0, "nested too deep"
    return None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not valid JSON")
