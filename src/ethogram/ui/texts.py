"""Texts with marks: loops, leaked turns, drift and other evidence of metrics, clipped for lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ethogram.metrics import Span
from ethogram.ui.models import CLIP, Answer, Text, clean

#: Evidence that covers more of a text than this is about all of it: a word beside it, no mark. A
#: loop is marked in any case: which words repeat is what a reader looks for.
_WHOLE = 0.95


class MarkInfo(Answer):
    """A marked stretch of a text, in UTF-16 units, as JavaScript counts.

    Attributes:
        start: first unit.
        end: behind the last one.
        label: why it is marked.
        kind: name of the pitfall.
    """

    start: int
    end: int
    label: Text
    kind: str


class MarkedText(Answer):
    """The beginning of a text, or all of it, with its marks.

    Attributes:
        text: what is sent.
        length: UTF-16 units of the whole text.
        marks: in the part that is sent.
    """

    text: Text
    length: int
    marks: list[MarkInfo]


def marked_text(
    text: str, spans: Iterable[tuple[str, Sequence[Span]]], *, most: int | None = CLIP
) -> MarkedText:
    """A text with marks.

    Args:
        text: whole.
        spans: pitfall and its evidence, in characters of the text; earlier ones win where they
            overlap.
        most: characters to send; None for all.
    """
    shown = text if most is None else text[:most]
    marks: list[MarkInfo] = []
    taken: list[tuple[int, int]] = []
    for kind, found in spans:
        for span in found:
            if kind != "loop" and span.end - span.start >= _WHOLE * max(1, len(text)):
                continue
            for start, end in _free(span.start, min(span.end, len(shown)), taken):
                marks.append(
                    MarkInfo(
                        start=_units(text[:start]),
                        end=_units(text[:end]),
                        label=span.label,
                        kind=kind,
                    )
                )
                taken.append((start, end))
    return MarkedText(text=shown, length=_units(text), marks=marks)


def _free(start: int, end: int, taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of a stretch that no earlier mark has."""
    parts = [(start, end)]
    for first, last in taken:
        parts = [
            piece
            for low, high in parts
            for piece in ((low, min(high, first)), (max(low, last), high))
            if piece[0] < piece[1]
        ]
    return [part for part in parts if part[0] < part[1]]


def loop_as_one(spans: Sequence[Span]) -> Sequence[Span]:
    """The repetitions of a loop as one stretch, which says how many there are."""
    if len(spans) < 2:
        return spans
    return (Span(spans[0].start, spans[-1].end, f"a loop: {len(spans)} repetitions"),)


def _units(text: str) -> int:
    return len(clean(text).encode("utf-16-le")) // 2
