"""What counts as free memory: the machine's, the container's, a CUDA device's."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
import torch

from ethogram.engine import memory
from ethogram.engine.memory import available_bytes, container_free_bytes

GIB = 2**30


def write_group(
    folder: Path, version: int, limit: int | str, usage: int, inactive: int = 0
) -> None:
    names = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        2: ("memory.max", "memory.current", "inactive_file"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    bound, used, reclaimable = names[version]
    (folder / bound).write_text(f"{limit}\n")
    (folder / used).write_text(f"{usage}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{reclaimable} {inactive}\nactive_file 77\n")


def room(tmp_path: Path, own: str) -> int | None:
    (tmp_path / "own").write_text(own)
    return container_free_bytes(tmp_path, tmp_path / "own")


def test_a_container_of_version_2(tmp_path: Path) -> None:
    write_group(tmp_path, 2, 4 * GIB, 3 * GIB, GIB // 2)
    assert room(tmp_path, "0::/\n") == GIB + GIB // 2


def test_the_narrowest_of_all_groups_above_counts(tmp_path: Path) -> None:
    write_group(tmp_path / "user", 2, 8 * GIB, 6 * GIB)
    write_group(tmp_path / "user/job", 2, "max", 5 * GIB)
    write_group(tmp_path / "user/job/step", 2, 9 * GIB, 5 * GIB)
    write_group(tmp_path / "other", 2, GIB, GIB)
    assert room(tmp_path, "0::/user/job/step\n") == 2 * GIB


def test_a_container_of_version_1_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    """/proc/self/cgroup names the path on the host, which is not shown inside."""
    write_group(tmp_path / "memory", 1, 3 * GIB, 2 * GIB, 7)
    lines = "12:cpu,cpuacct:/docker/ab\n7:memory:/docker/ab\n0::/\n"
    assert room(tmp_path, lines) == GIB + 7


def test_a_full_group_has_nothing_free(tmp_path: Path) -> None:
    write_group(tmp_path, 2, GIB, GIB + 5)
    assert room(tmp_path, "0::/\n") == 0


@pytest.mark.parametrize("own", ["0::/\n", "", "3:memory:/x\n", "7:cpu:/\n"])
def test_without_a_limit_there_is_none(tmp_path: Path, own: str) -> None:
    write_group(tmp_path, 2, "max", GIB)
    assert room(tmp_path, own) is None
    assert container_free_bytes(tmp_path, tmp_path / "nowhere") is None


@pytest.mark.parametrize(("limit", "expected"), [(123, 123), (None, 10**9), (2**60, 10**9)])
def test_the_machine_and_its_container_both_bound(
    monkeypatch: pytest.MonkeyPatch, limit: int | None, expected: int
) -> None:
    class Machine:
        available = 10**9

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Machine)
    monkeypatch.setattr(memory, "container_free_bytes", lambda: limit)
    assert available_bytes(torch.device("cpu")) == expected


def test_what_torch_keeps_on_a_device_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 9000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 700)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 300)
    assert available_bytes(torch.device("cuda")) == 1400
