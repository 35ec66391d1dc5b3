"""How much a report holds: less and less, until it is small enough to send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a report holds at most; None is all.

    Attributes:
        characters: of each output.
        rows: of each comparison, largest differences first.
        every: whether it has charts under every metric, the outputs of each setting of a sweep and
            all looks of a training; else under the main metrics, of the choice and the last look.
        charts: whether it has charts, which need a library of 0.8 MB, and those outputs.
    """

    characters: int | None = None
    rows: int | None = None
    every: bool = True
    charts: bool = True

    def __str__(self) -> str:
        parts = [f"of each output, all but the first {self.characters} characters"]
        parts = parts if self.characters else []
        parts += [f"all but the {self.rows} prompts that changed most"] if self.rows else []
        if not self.charts:
            parts += ["the charts", "the outputs of sweeps and trainings"]
        elif not self.every:
            parts += [
                "charts of further metrics",
                "outputs of sweeps but those of the choice, and of trainings but the last ones",
            ]
        return f"Left out to keep the file small: {'; '.join(parts)}." if parts else ""


#: Tried in turn until the file is small enough.
TRIED = (
    Limits(),
    Limits(4000),
    Limits(4000, every=False),
    Limits(1000, every=False),
    Limits(400, every=False),
    Limits(400, 200, every=False),
    Limits(400, 200, every=False, charts=False),
    Limits(400, 50, every=False, charts=False),
    Limits(200, 10, every=False, charts=False),
)
