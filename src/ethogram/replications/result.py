"""Result: published values beside ours, and why they differ. Says them; computes nothing."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.metrics.table import html_table
from ethogram.stats import Interval


@dataclass(frozen=True, slots=True)
class Row:
    """One value.

    Attributes:
        of: what it is a value of: a decoding, a model.
        measure: its name.
        ours: our value.
        decimals: digits that the published one has, or that ours is shown with.
        published: None where nothing was published that it can be compared with.
        low: lower bound of the 95 % interval of ours; None where there is none.
        high: upper bound.
    """

    of: str
    measure: str
    ours: float
    decimals: int
    published: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of_interval(
        cls,
        of: str,
        measure: str,
        found: Interval,
        decimals: int,
        published: float | None = None,
        *,
        scale: float = 1.0,
    ) -> Row:
        """A row of an estimate and its interval, both times `scale`."""
        known = math.isfinite(found.low) and math.isfinite(found.high)
        low, high = (scale * found.low, scale * found.high) if known else (None, None)
        return cls(of, measure, scale * found.estimate, decimals, published, low, high)

    @property
    def difference(self) -> float | None:
        """Ours minus published, at the digits that were published."""
        if self.published is None:
            return None
        return round(round(self.ours, self.decimals) - self.published, self.decimals)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "of": self.of,
            "measure": self.measure,
            "published": self.published,
            "ours": self.ours if math.isfinite(self.ours) else None,
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
        }

    def cells(self) -> list[str]:
        """For a table: of, measure, published, ours, its interval, difference."""
        number = f".{self.decimals}f"
        interval = ""
        if self.low is not None and self.high is not None:
            interval = f"[{self.low:{number}}, {self.high:{number}}]"
        difference = self.difference
        return [
            self.of,
            self.measure,
            "–" if self.published is None else f"{self.published:{number}}",
            f"{self.ours:{number}}",
            interval,
            "–" if difference is None else "0" if difference == 0 else f"{difference:+{number}}",
        ]


@dataclass(frozen=True)
class Replicated:
    """A table made again.

    Attributes:
        name: of the replication.
        title: what was made again.
        source: where the published values are.
        rows: the values.
        why: why ours differ, or what was left out, a sentence each.
        notes: what this very run did otherwise, for example a part of the prompts only.
    """

    name: str
    title: str
    source: str
    rows: Sequence[Row]
    why: Sequence[str]
    notes: Sequence[str] = ()

    def __getitem__(self, key: tuple[str, str]) -> Row:
        for row in self.rows:
            if (row.of, row.measure) == key:
                return row
        raise KeyError(key)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "name": self.name,
            "title": self.title,
            "source": self.source,
            "rows": [row.to_json() for row in self.rows],
            "why": list(self.why),
            "notes": list(self.notes),
        }

    def table(self) -> list[list[str]]:
        """Heading and lines of cells; the interval's column only where one row has one."""
        lines = [["", "", "published", "ours", "95 %", "difference"]]
        lines += [row.cells() for row in self.rows]
        if not any(line[4] for line in lines[1:]):
            lines = [[*line[:4], line[5]] for line in lines]
        return lines

    def _repr_html_(self) -> str:
        words = "".join(f"<p>{html.escape(each)}</p>" for each in (*self.notes, *self.why))
        head = f"<p><b>{html.escape(self.title)}</b> Published: {html.escape(self.source)}</p>"
        return f"{head}{html_table(self.table())}{words}"
