"""Trainings on a full disk, in two processes, and ended by a signal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.commands import TERMINATED, call, ended, here, is_one_line, start, works
from tests.faults.test_disks_and_stores import fill
from tests.train.studies import write_study

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
