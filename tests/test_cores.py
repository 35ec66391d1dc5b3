"""Cores that a process may use: affinity masks, quotas, the variable, and waiting for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from ethogram import cores
from ethogram.errors import SpecError
from ethogram.report.bar import Busy


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000"}, 0.5),
        ({"a/b/cpu.max": "300000 100000", "cpu.max": "200000 100000"}, 2.0),
        ({"cpu.max": "nonsense"}, None),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 2.5),
        ({"cpu/c/cpu.cfs_quota_us": "150000", "cpu/c/cpu.cfs_period_us": "100000"}, 1.5),
    ],
)
def test_the_quota_is_the_smallest_on_the_way_up(
    tmp_path: Path, files: dict[str, str], quota: float | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cores._quota(tmp_path, "a/b", "c") == quota


def test_a_group_outside_the_root_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000")
    (tmp_path / "root").mkdir()
    assert cores._quota(tmp_path / "root", "../..") is None


def test_torch_keeps_within_the_cores_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is loaded next, be it a generator, an encoder or a classifier."""
    before = torch.get_num_threads()
    monkeypatch.delenv(cores.VARIABLE, raising=False)
    try:
        for allowed, counted, used in ((2, 4, 2), (4, 2, 2)):
            monkeypatch.setattr(cores, "allowed_cores", lambda allowed=allowed: allowed)
            torch.set_num_threads(counted)
            assert cores.use_allowed_threads() == used == torch.get_num_threads()
        monkeypatch.setenv(cores.VARIABLE, "3")
        assert cores.use_allowed_threads() == 3 == torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("quota", "count"), [(None, 4), (1.5, 2), (0.2, 1), (9.0, 4)])
def test_a_quota_counts_as_whole_cores(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(cores, "_quota", lambda *_: quota)
    monkeypatch.delenv(cores.VARIABLE, raising=False)
    assert cores.threads_to_use() == count


@pytest.mark.parametrize(("variable", "threads"), [("", 2), ("1", 1), ("7", 7)])
def test_the_variable_overrides_affinity_and_quota(
    monkeypatch: pytest.MonkeyPatch, variable: str, threads: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    monkeypatch.setattr(cores, "_quota", lambda *_: 8.0)
    monkeypatch.setenv(cores.VARIABLE, variable)
    assert cores.threads_to_use() == threads


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "²"])
def test_the_variable_must_be_a_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(cores.VARIABLE, text)
    with pytest.raises(SpecError, match=r"ETHOGRAM_THREADS: .* is not a number of threads"):
        cores.threads_to_use()


def test_the_waiting_share_is_of_the_time_since_the_last_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([(100, 100), (200, 100), (230, 190), (230, 190)])
    monkeypatch.setattr(cores, "_times", lambda: next(times))
    contention = cores.Contention()
    assert [contention.share() for _ in range(3)] == [0.0, 0.75, 0.0]


def test_a_busy_machine_is_named_for_some_seconds() -> None:
    class Half(cores.Contention):
        def share(self) -> float:
            return 0.5

    seconds = iter([0.0, 1.0, 4.0, 5.0])
    busy = Busy(lambda: next(seconds), Half())
    assert [busy.note() for _ in range(3)] == ["", *["  machine busy (50%)"] * 2]
