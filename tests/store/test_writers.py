"""Eight writers at once on one store, in short; `benchmarks/writers.py` is the whole minute."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.writers import contend


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_eight_writers_lose_and_double_nothing(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if database == "sqlite":
        location = str(tmp_path / "store.sqlite")
    else:
        location = request.getfixturevalue("postgres_url")
    found = contend(location, seconds=2.0)
    assert found.database == database
    assert (found.lost, found.doubled, found.wrong) == (0, 0, 0)
    assert found.stored == found.added > 0
