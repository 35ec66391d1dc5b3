"""Tables in the documentation that a benchmark writes: between two comment lines. Pure text."""

from __future__ import annotations

from pathlib import Path

_DOCS = Path(__file__).parents[1] / "docs"
STATISTICS, CHECKS = _DOCS / "statistics.md", _DOCS / "checks.md"
SWEEPS, SCALE = _DOCS / "sweeps.md", _DOCS / "scale.md"


def replace(path: Path, name: str, table: str) -> None:
    """Put a table between `<!-- NAME:begin -->` and `<!-- NAME:end -->` of a page.

    Raises:
        ValueError: the page lacks one of the two.
    """
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    text = path.read_text(encoding="utf-8")
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{path} has no place for {name}")
    path.write_text(f"{head}{begin}\n{table}\n\n{end}{tail}", encoding="utf-8")
