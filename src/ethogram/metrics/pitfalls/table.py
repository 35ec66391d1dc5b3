"""Pitfall table: how many outputs of a set show each pitfall, and which shows it most clearly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.metrics.base import Output
from ethogram.metrics.pitfalls.registry import PITFALLS, Pitfall
from ethogram.metrics.pitfalls.rules import Finding
from ethogram.metrics.reading import read_outputs
from ethogram.metrics.table import Evidence, html_table


@dataclass(frozen=True)
class PitfallRow:
    """One pitfall over a set of outputs.

    Attributes:
        pitfall: what it says of itself.
        found: outputs that show it.
        applies_to: outputs that the rule says something of.
        evidence: the output of those of which it marks the largest share; None where none shows it.
    """

    pitfall: Pitfall
    found: int
    applies_to: int
    evidence: Evidence | None

    @property
    def share(self) -> float | None:
        """Of the outputs that the rule applies to; None where it applies to none."""
        return self.found / self.applies_to if self.applies_to else None


@dataclass(frozen=True)
class PitfallTable:
    """The pitfalls of a set of outputs, a row each, in the order of `PITFALLS`.

    Attributes:
        outputs: how many there were.
        rows: one per pitfall.
    """

    outputs: int
    rows: tuple[PitfallRow, ...]

    def __getitem__(self, name: str) -> PitfallRow:
        for row in self.rows:
            if row.pitfall.name == name:
                return row
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "outputs": self.outputs,
            "pitfalls": {
                row.pitfall.name: {
                    "title": row.pitfall.title,
                    "meaning": row.pitfall.meaning,
                    "found": row.found,
                    "applies_to": row.applies_to,
                    "share": row.share,
                    "evidence": row.evidence.to_json() if row.evidence else None,
                }
                for row in self.rows
            },
        }

    def _repr_html_(self) -> str:
        lines = [["pitfall", "found", "of", "share", "what the output does"]]
        for row in self.rows:
            share = "–" if row.share is None else f"{row.share:.3f}"
            counts = [str(row.found), str(row.applies_to), share]
            lines.append([row.pitfall.title.lower(), *counts, row.pitfall.meaning])
        return html_table(lines)


class _Count:
    """The running count of one pitfall."""

    def __init__(self, pitfall: Pitfall) -> None:
        self._pitfall = pitfall
        self._found = self._applies_to = 0
        self._clearest: tuple[float, Evidence] | None = None

    def add(self, output: Output) -> None:
        finding = self._pitfall.find(output)
        self._applies_to += finding.found is not None
        if not finding.found:
            return
        self._found += 1
        clear = finding.covered / max(1, len(output.text))
        if self._clearest is None or clear > self._clearest[0]:
            self._clearest = (clear, _evidence(output, finding))

    def row(self) -> PitfallRow:
        evidence = self._clearest[1] if self._clearest else None
        return PitfallRow(self._pitfall, self._found, self._applies_to, evidence)


def _evidence(output: Output, finding: Finding) -> Evidence:
    return Evidence(output.prompt_id, output.sample_index, 1.0, output.text, finding.spans)


def find_pitfalls(
    outputs: Iterable[Output] | str | Path, *, on_progress: Callable[[int], None] | None = None
) -> PitfallTable:
    """Count the pitfalls of outputs from any source, in one pass and constant memory.

    Args:
        outputs: any iterable, read once, or a `.jsonl` or `.jsonl.gz` file as `read_outputs` reads.
        on_progress: called after each output with the number checked so far.

    Raises:
        SpecError: the file cannot be read, a line is broken, or there are no outputs.
    """
    stream = read_outputs(outputs) if isinstance(outputs, str | Path) else outputs
    counts = [_Count(pitfall) for pitfall in PITFALLS]
    total = 0
    for total, output in enumerate(stream, start=1):
        for count in counts:
            count.add(output)
        if on_progress:
            on_progress(total)
    if not total:
        raise SpecError("no outputs to check", hint="give at least one")
    return PitfallTable(total, tuple(count.row() for count in counts))
