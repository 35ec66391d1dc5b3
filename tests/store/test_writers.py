"""Eight writers at once on one store, in short; `benchmarks/writers.py` is the whole minute."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from benchmarks.writers import contend
from ethogram.store import Store

ROUNDS = 40


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


def _open_new(folder: Path, together: Barrier) -> None:
    for number in range(ROUNDS):
        together.wait(timeout=60)
        with Store.open(folder / f"{number}.sqlite") as store:
            assert store.count() == 0


@pytest.mark.long
def test_processes_that_make_one_store_at_once_do_not_lock_each_other_out(tmp_path: Path) -> None:
    """SQLite fails at once, without waiting, where two turn on its log of a new file."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(4)
    processes = [context.Process(target=_open_new, args=(tmp_path, together)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
