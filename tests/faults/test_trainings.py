"""Trainings on a full disk, in two processes, and ended by a signal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.commands import TERMINATED, call, ended, here, is_one_line, start, works
from tests.faults.test_disks_and_stores import fill
from tests.train.studies import BASE, write_study

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]
TRAIN = ("train", "base.yaml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study with a recipe, and nothing trained; weights depend on the number of threads."""
    monkeypatch.setenv("ETHOGRAM_THREADS", "1")
    return write_study(tmp_path / "training").parent


@pytest.fixture
def whole(folder: Path, tmp_path: Path) -> bytes:
    """The weights of a training that nothing disturbs."""
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    works(other, *TRAIN)
    return weights(other)


def weights(folder: Path) -> bytes:
    """Those of the only model; no checkpoint is left beside it."""
    (file,) = (folder / "models").rglob("*model.safetensors")
    assert not list((folder / ".ethogram/training").iterdir())
    return file.read_bytes()


@pytest.mark.fault("the disk gets full during a training")
@pytest.mark.parametrize("room", [60, 420, 900])
def test_a_full_disk_during_a_training(
    folder: Path, whole: bytes, disk: Callable[..., Path], room: int
) -> None:
    """In kB: no checkpoint fits, or some do, or all but the model."""
    moved = Path(shutil.copytree(folder, disk(8192) / "study"))
    works(moved, "ls")
    fill(moved.parent / "filler")
    with (moved.parent / "filler").open("r+b") as filler:
        filler.truncate(filler.seek(0, 2) - room * 1024)
    is_one_line(here(moved, *TRAIN), "No space|full|I/O|cannot be written")
    (moved.parent / "filler").unlink()
    works(moved, *TRAIN)
    assert weights(moved) == whole


@pytest.mark.fault("SIGTERM during a training")
def test_a_terminated_training(folder: Path, whole: bytes) -> None:
    fault = "ethogram.train.watch:Watch.on_step_end:7:SIGTERM"
    result = call(folder, *TRAIN, fault=fault)
    is_one_line(result, "interrupted at step . of 12; the same command", code=TERMINATED)
    works(folder, *TRAIN)
    assert weights(folder) == whole


@pytest.mark.fault("a second process trains the same recipe at the same moment")
def test_two_trainings_at_once(folder: Path, whole: bytes) -> None:
    both = [start(folder, *TRAIN), start(folder, *TRAIN)]
    results = [ended(process) for process in both]
    assert 0 in [code for code, _, _ in results]
    works(folder, *TRAIN)
    assert weights(folder) == whole


@pytest.mark.fault("a training-data file of a million rows")
@pytest.mark.parametrize("rows", [10**4, pytest.param(10**6, marks=pytest.mark.slow)])
def test_a_long_file_of_training_data(folder: Path, rows: int) -> None:
    write_study(folder, BASE.replace("words.txt", "words.jsonl"))
    data, wrong = folder / "data/words.jsonl", '{"text": 7}\n'
    with data.open("w", encoding="utf-8") as file:
        file.writelines(f'{{"text": "number {n}"}}\n' for n in range(rows))
        whole = file.tell()
        file.write(wrong)
    is_one_line(here(folder, *TRAIN), f"words.jsonl:{rows + 1}: .*1 of {rows + 1} rows")
    assert data.stat().st_size == whole + len(wrong)
    assert not list(folder.rglob("*.safetensors"))
    with data.open("r+b") as file:
        file.truncate(whole)
    works(folder, *TRAIN)
    weights(folder)
