"""Memory: what a container leaves its process, by made-up control groups of both versions."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
import torch

from ethogram.engine import memory

CPU = torch.device("cpu")


def group(folder: Path, limit: tuple[str, str], usage: tuple[str, str], stat: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (limit, usage, ("memory.stat", stat)):
        (folder / name).write_text(f"{value}\n")


def left(tmp_path: Path, lines: str) -> list[int]:
    (tmp_path / "cgroup").write_text(lines)
    return list(memory._left_by_groups(tmp_path / "cgroup", tmp_path / "mount"))


def test_the_second_version_of_control_groups(tmp_path: Path) -> None:
    """Its own group and those above it limit a process; cached files count as free."""
    mount = tmp_path / "mount"
    inner, outer = mount / "box" / "job", mount / "box"
    group(inner, ("memory.max", "max"), ("memory.current", "50"))
    group(outer, ("memory.max", "1000"), ("memory.current", "400"), "anon 9\ninactive_file 100")
    assert left(tmp_path, "0::/box/job\n") == [700]
    group(inner, ("memory.max", "300"), ("memory.current", "350"))
    assert left(tmp_path, "0::/box/job\n") == [0, 700]


def test_the_first_version_and_a_group_mounted_at_the_top(tmp_path: Path) -> None:
    names = ("memory.limit_in_bytes", "900"), ("memory.usage_in_bytes", "300")
    group(tmp_path / "mount" / "memory", *names, "inactive_file 1\ntotal_inactive_file 50")
    assert left(tmp_path, "4:memory:/elsewhere/deep\n2:cpu,cpuacct:/x\n0::/\n") == [650]


def test_without_groups_the_machine_alone_counts(tmp_path: Path) -> None:
    assert left(tmp_path, "0::/\n") == []
    assert list(memory._left_by_groups(tmp_path / "none", tmp_path)) == []


def test_the_least_of_all_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = psutil.virtual_memory().available
    monkeypatch.setattr(memory, "_left_by_groups", lambda: iter([10**15, 12345]))
    assert memory.available_bytes(CPU) == 12345
    monkeypatch.setattr(memory, "_left_by_groups", lambda: iter([10**15]))
    assert memory.available_bytes(CPU) == pytest.approx(machine, rel=0.2)
