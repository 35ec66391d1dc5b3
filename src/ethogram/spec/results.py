"""Results of a metric: one output's score and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """Evidence: characters [start, end) of an output's text, and what they show."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Score:
    """One output under one metric.

    Attributes:
        value: None where the metric does not apply to this output by itself.
        parts: numerators and denominators that the output adds to its group; they may be summed.
            All zero when the output adds nothing.
        spans: evidence in the text.
    """

    value: float | None
    parts: tuple[float, ...]
    spans: tuple[Span, ...] = ()
