"""Values before and after a training, by `DECODING/METRIC`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ethogram.train.job import Finding

Values = Mapping[str, float | None]


def pairs(first: Values, last: Values, metric: str) -> Iterator[tuple[str, float, float]]:
    """Decoding, value before and value after, of a metric that was measured both times."""
    for name, after in last.items():
        decoding, _, measured = name.partition("/")
        before = first.get(name)
        if measured == metric and before is not None and after is not None:
            yield decoding, before, after


def warning(code: str, message: str, hint: str) -> Finding:
    """A finding that refuses nothing."""
    return Finding(code, message, hint, refuses=False)
