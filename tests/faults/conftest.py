"""Studies to disturb, and small disks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.commands import outputs, shorten, works


@pytest.fixture
def study(tiny_study: Path, model_cache: Path) -> Path:
    """A study of three versions; nothing is generated yet."""
    shorten(tiny_study)
    return tiny_study


@pytest.fixture
def undisturbed(study: Path, tmp_path: Path) -> list[tuple[Any, ...]]:
    """What a run of the study that nothing disturbs stores."""
    folder = Path(shutil.copytree(study, tmp_path / "undisturbed"))
    works(folder, "run", "--json")
    return outputs(folder)


@pytest.fixture
def ran(study: Path) -> Path:
    """The study with all its outputs stored."""
    works(study, "run", "--json")
    return study


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts a disk of so many kB: `disk(512)`; `disk(512, "remount,ro")` changes it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def mount(size: int, options: str = "rw") -> Path:
        nonlocal mounted
        words = ["mount", "-t", "tmpfs", "-o", f"{options},size={size}k", "tmpfs", str(folder)]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip("this machine lets nobody mount a disk")
        mounted = True
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
