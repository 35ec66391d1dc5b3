"""Workers of a Ray cluster on this machine: order, errors, deaths, and closed ports."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil
import pytest
from tests.cluster.clusters import Doubling, missing

from ethogram.cluster import Cluster, Placement, Workers, connected
from ethogram.cluster.connect import Node, _places, _threads
from ethogram.cluster.worker import Worker
from ethogram.errors import BackendError, SpecError

pytest.importorskip("ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Ray on this machine, with places for two workers of one thread."""
    with connected(Placement(None, workers=2, threads=1)) as found:
        yield found


def groups(count: int) -> list[list[tuple[str, int]]]:
    return [[(str(number), number)] for number in range(count)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ray", None),
        ("local", None),
        ("ray://head:10001", "ray://head:10001"),
        ("10.0.0.7:6379", "10.0.0.7:6379"),
        ("ray://[::1]:10001", "ray://[::1]:10001"),
    ],
)
def test_where_work_runs(text: str, address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert Placement.parse(text, workers=3) == Placement(address, 3)
    monkeypatch.setenv("RAY_ADDRESS", "10.1.1.1:6379")
    assert Placement.parse("ray").address == "10.1.1.1:6379"


@pytest.mark.parametrize("text", ["cluster", "http://a:1", "ray://", "a:b", "ray://a:1/x;rm"])
def test_what_is_not_an_address(text: str) -> None:
    with pytest.raises(SpecError, match="not the address of a Ray cluster"):
        Placement.parse(text)


@pytest.mark.parametrize(
    ("nodes", "workers", "gpus", "threads"),
    [
        ([Node(8, 0)], 2, 0, 4),
        ([Node(8, 0), Node(4, 0)], 2, 0, 4),
        ([Node(8, 0), Node(4, 0)], 3, 0, 4),
        ([Node(3, 0), Node(2, 0)], 4, 0, 1),
        ([Node(16, 2)], 2, 1, 8),
        ([Node(2, 0)], 3, 0, 1),
    ],
)
def test_threads_are_shared_among_workers(
    nodes: list[Node], workers: int, gpus: int, threads: int
) -> None:
    assert _threads(nodes, workers, gpus) == threads
    assert (_places(nodes, threads, gpus) >= workers) == (workers != 3 or len(nodes) == 2)


def test_an_address_without_a_cluster_is_one_line() -> None:
    with (
        pytest.raises(BackendError, match=r"Ray at 127\.0\.0\.1:9: no connection"),
        connected(Placement("127.0.0.1:9")),
    ):
        pass


def everything(worker: Worker) -> tuple[list[tuple[str, Any]], BaseException | None]:
    """What a worker finishes until it says that it is done."""
    found: list[tuple[str, Any]] = []
    while True:
        answer = worker.take(5.0)
        found += answer.results
        if answer.is_done:
            assert answer.report == os.getpid()
            return found, answer.error


def test_a_worker_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_THREADS", "7")  # Put back after the test.
    worker = Worker(Doubling, threads=3)
    assert os.environ["ETHOGRAM_THREADS"] == "3"
    assert worker.prepare() == f"process {os.getpid()}"
    worker.start("plain", list(range(1200)))
    assert everything(worker) == ([(str(i), 2 * i) for i in range(1200)], None)
    worker.start("wrong", [1, 2, 3, 4])
    found, error = everything(worker)
    assert [key for key, _ in found] == ["1", "2"]
    assert isinstance(error, SpecError)
    worker.start("broken", [3])
    _, error = everything(worker)
    assert isinstance(error, BackendError)
    assert "a worker failed (ZeroDivisionError: a bug)" in str(error)
    assert isinstance(Worker(missing, 1).prepare(), SpecError)


def test_nothing_finished_is_an_empty_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_THREADS", "1")
    worker = Worker(Doubling, threads=1)
    worker.prepare()
    answer = worker.take(0.01)
    assert (answer.results, answer.is_done, answer.error) == ([], False, None)


@pytest.mark.long
def test_every_task_is_done_once(cluster: Cluster) -> None:
    reports: list[Any] = []
    workers = Workers(cluster, Doubling, lambda *each: reports.append(each))
    try:
        found = list(workers.run("slow", groups(40)))
        shares = {about for *_, about in found}
        until = time.monotonic() + 60  # On a busy machine the second worker may start late.
        while len(shares) < 2 and time.monotonic() < until:
            shares |= {about for *_, about in workers.run("slow", groups(10))}
        again = list(workers.run("plain", groups(3)))
    finally:
        workers.close()
    assert sorted((int(key), value) for key, value, _ in found) == [(i, 2 * i) for i in range(40)]
    assert len(shares) == 2, "both took a share"
    assert sorted(value for _, value, _ in again) == [0, 2, 4]
    assert {seat for seat, *_ in reports} == {0, 1}


@pytest.mark.long
def test_a_killed_worker_loses_nothing_and_doubles_nothing(cluster: Cluster) -> None:
    workers = Workers(cluster, Doubling)
    found: list[str] = []
    killed = False
    try:
        for key, _, about in workers.run("slow", groups(60)):
            found.append(key)
            if len(found) > 5 and not killed:
                killed = True
                os.kill(int(about.split()[1]), signal.SIGKILL)
    finally:
        workers.close()
    assert workers.deaths == 1
    assert sorted(map(int, found)) == list(range(60))


@pytest.mark.fault("a Ray worker hangs")
@pytest.mark.long
def test_a_worker_that_hangs_is_replaced(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ethogram.cluster.workers.SILENCE", 3.0)
    workers = Workers(cluster, Doubling)
    found: list[str] = []
    stopped: list[int] = []
    try:
        for key, _, about in workers.run("slow", groups(60)):
            found.append(key)
            if len(found) > 5 and not stopped:
                stopped.append(int(about.split()[1]))
                os.kill(stopped[0], signal.SIGSTOP)
    finally:
        workers.close()
        with suppress(ProcessLookupError):
            os.kill(stopped[0], signal.SIGKILL)
    assert workers.deaths >= 1
    assert sorted(map(int, found)) == list(range(60))


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("wrong", "here: three is refused; use four"),
        ("broken", "a worker failed (ZeroDivisionError: a bug)"),
        ("die", "a worker died 3 times in a row"),
    ],
)
def test_errors_of_workers_are_one_line(cluster: Cluster, kind: str, message: str) -> None:
    workers = Workers(cluster, Doubling)
    try:
        with pytest.raises((SpecError, BackendError)) as caught:
            list(workers.run(kind, groups(6)))
    finally:
        workers.close()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.long
def test_a_runner_that_cannot_be_made_is_the_users_error(cluster: Cluster) -> None:
    workers = Workers(cluster, missing)
    try:
        with pytest.raises(SpecError, match="this machine: cannot be made"):
            list(workers.run("plain", groups(2)))
    finally:
        workers.close()


@pytest.mark.long
def test_ray_on_this_machine_listens_on_the_loopback_interface_only(cluster: Cluster) -> None:
    names = ("gcs_server", "raylet", "ray::")
    listening = [
        connection.laddr.ip
        for process in psutil.process_iter()
        if any(name in " ".join(_command(process)[:1]) for name in names)
        for connection in _connections(process)
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _connections(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections("tcp"))
    except psutil.Error:
        return []


@pytest.mark.long
def test_too_many_workers_are_refused(cluster: Cluster) -> None:
    asked = Cluster(cluster.ray, Placement(None, workers=500, threads=1))
    with pytest.raises(BackendError, match=r"places for \d+ workers of 1 threads, not 500"):
        Workers(asked, Doubling)
