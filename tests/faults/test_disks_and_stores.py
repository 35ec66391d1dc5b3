"""Disks that are full or cannot be written, and stores that are locked or damaged."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.faults.commands import here, is_one_line, outputs, part_of, works

pytestmark = pytest.mark.long
Rows = list[tuple[Any, ...]]
Disk = Callable[..., Path]
STORE = ".ethogram/store.sqlite"


@pytest.mark.fault("the disk of the store gets full during a run")
def test_a_full_disk_during_a_run(study: Path, undisturbed: Rows, disk: Disk) -> None:
    (study / ".ethogram").symlink_to(disk(2000), target_is_directory=True)
    filler = study / ".ethogram/filler"
    works(study, "ls")  # Makes the store.
    fill(filler)
    is_one_line(here(study, "run"), "full|I/O|No space")
    filler.unlink()
    assert part_of(outputs(study), undisturbed)
    works(study, "run")
    assert outputs(study) == undisturbed


@pytest.mark.fault("the disk of an export is full")
def test_a_full_disk_of_an_export(ran: Path, disk: Disk) -> None:
    target = disk(8) / "out.jsonl"
    is_one_line(here(ran, "export", str(target)), "out.jsonl: cannot be written: No space left")
    assert list(target.parent.iterdir()) == []
    disk(4096, "remount")
    works(ran, "export", str(target))
    works(ran, "export", "whole.jsonl")
    assert target.read_bytes() == (ran / "whole.jsonl").read_bytes()


@pytest.mark.fault("the disk of the log is full")
def test_a_full_disk_of_the_log(ran: Path, disk: Disk) -> None:
    whole = disk(4096)
    moved = Path(shutil.copytree(ran, whole / "study"))
    works(moved, "log")
    old = (moved / "PROGRESS.md").read_bytes()
    version = moved / "versions/v1.0.0.yaml"
    version.write_text(version.read_text() + "learned: [It talks.]\n")
    works(moved, "ls")
    fill(whole / "filler")
    is_one_line(here(moved, "log"), "No space|full|I/O")
    assert (moved / "PROGRESS.md").read_bytes() == old
    (whole / "filler").unlink()
    works(moved, "log")
    works(moved, "verify")


@pytest.mark.fault("the disk of a copied store is full")
def test_a_full_disk_of_a_copy(ran: Path, disk: Disk) -> None:
    target = disk(100) / "copy.sqlite"
    is_one_line(here(ran, "store", "copy", STORE, str(target)), "copy.sqlite", "full|I/O")
    disk(8192, "remount")
    works(ran, "store", "copy", STORE, str(target))
    with closing(sqlite3.connect(target)) as copy:
        count = copy.execute("SELECT count(*) FROM generations").fetchone()[0]
    assert count == len(outputs(ran))


@pytest.mark.fault("the study is on a read-only disk")
def test_a_read_only_disk(ran: Path, disk: Disk) -> None:
    moved = Path(shutil.copytree(ran, disk(8192) / "study"))
    whole = outputs(moved)
    disk(8192, "remount,ro")
    for words in (["run"], ["log"], ["export", "out.jsonl"], ["new", "v2.0.0", "--from", "v1.0.0"]):
        is_one_line(here(moved, *words), "[Rr]ead-only|readonly|unable to open|cannot be written")
    disk(8192, "remount,rw")
    works(moved, "run")
    assert outputs(moved) == whole


@pytest.mark.fault("another program keeps the store locked")
def test_a_locked_store(study: Path, undisturbed: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ethogram.store.connect.BUSY_SECONDS", 0.2)
    monkeypatch.setattr("ethogram.store.connect._prepare_sqlite", quickly)
    works(study, "ls")
    with closing(sqlite3.connect(study / STORE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        is_one_line(here(study, "run"), "database is locked; another process has been writing")
        other.execute("ROLLBACK")
    works(study, "run")
    assert outputs(study) == undisturbed


def fill(file: Path) -> None:
    """Fill a disk with a file."""
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


def quickly(connection: Any, _: object) -> None:
    """As a connection is prepared, with little patience."""
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=200")
    connection.execute("PRAGMA journal_mode=WAL")


@pytest.mark.fault("a page of the stored outputs is overwritten")
def test_a_damaged_page_of_outputs(ran: Path) -> None:
    path = ran / STORE
    backup = ran / "backup.sqlite"
    works(ran, "store", "copy", STORE, "backup.sqlite")
    whole = outputs(ran)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        question = "SELECT rootpage FROM sqlite_master WHERE name = 'generations'"
        root = connection.execute(question).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    is_one_line(here(ran, "outputs", "v0.1.0"), "malformed; restore it from a copy")
    is_one_line(here(ran, "export", "out.jsonl"), "malformed; restore it from a copy")
    for rest in path.parent.glob("store.sqlite*"):
        rest.unlink()
    backup.rename(path)
    assert outputs(ran) == whole
    works(ran, "run")


@pytest.mark.fault("the store is cut off in the middle")
def test_a_store_that_is_cut_off(ran: Path, undisturbed: Rows) -> None:
    path = ran / STORE
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    is_one_line(here(ran, "run"), "malformed|not a database|I/O")
    path.unlink()
    works(ran, "run")
    assert outputs(ran) == undisturbed


@pytest.mark.fault("the store is deleted")
def test_a_deleted_store(ran: Path, undisturbed: Rows) -> None:
    shutil.rmtree(ran / ".ethogram")
    is_one_line(here(ran, "outputs", "v0.1.0"), "missing|no generations|ethogram run")
    works(ran, "run")
    assert outputs(ran) == undisturbed


@pytest.mark.fault("the folder of the log cannot be written")
def test_a_log_that_is_a_folder(ran: Path) -> None:
    (ran / "PROGRESS.md").mkdir()
    is_one_line(here(ran, "log"), "PROGRESS.md")
    (ran / "PROGRESS.md").rmdir()
    works(ran, "log")
    works(ran, "verify")
