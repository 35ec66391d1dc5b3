"""A cluster that was started elsewhere, by the addresses of `--on`: each gives the same store."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.train.studies import write_study

from ethogram.cluster import Cluster, Placement
from ethogram.cluster.connect import connected
from ethogram.errors import BackendError, MissingExtraError
from ethogram.metrics import score
from ethogram.spec.space import parse_axis
from ethogram.study import Study, run, sweep
from ethogram.train import train

pytest.importorskip("ray")
Stored = Callable[[Path], dict[str, Any]]


@dataclass(frozen=True)
class Head:
    """The first machine of a cluster: the ports of Ray and of Ray's client."""

    port: int
    client_port: int

    @property
    def addresses(self) -> tuple[str, str]:
        return f"ray://127.0.0.1:{self.client_port}", f"127.0.0.1:{self.port}"


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module", autouse=True)
def no_token() -> Iterator[None]:
    """The cluster asks for no token; Ray may have written one when other tests started it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_AUTH_MODE", "disabled")
        yield


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    """`ray start --head`, as an administrator starts it, on the loopback interface."""
    pytest.importorskip("grpc")
    found = Head(*free_ports(2))
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # Names of sockets must be short.
    words = ["--head", "--block", "--node-ip-address=127.0.0.1", f"--port={found.port}"]
    words += [f"--ray-client-server-port={found.client_port}", "--include-dashboard=false"]
    words += ["--num-cpus=2", f"--object-store-memory={100 * 2**20}", f"--temp-dir={folder}"]
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    with (folder / "head.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *words],
            # The tests' folders, so that workers find what a test hands to them.
            env=os.environ | settings | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + 120
        while not all(map(answers, (found.port, found.client_port))):
            assert process.poll() is None, (folder / "head.log").read_text()
            assert time.monotonic() < until, (folder / "head.log").read_text()
            time.sleep(0.2)
        yield found
    finally:
        started: list[Any] = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        for each in started:
            with suppress(psutil.Error):
                each.kill()
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs of one process, computed as a worker of one thread computes them."""
    monkeypatch.setenv("ETHOGRAM_THREADS", "1")


@pytest.mark.slow
@pytest.mark.parametrize("which", [0, 1], ids=["client", "member"])
@pytest.mark.usefixtures("one_thread")
def test_every_address_gives_the_store_of_one_process(
    head: Head,
    which: int,
    tiny_study: Path,
    tmp_path: Path,
    stored: Stored,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = Path(shutil.copytree(tiny_study, tmp_path / "alone"))
    run(alone)
    monkeypatch.setenv("RAY_ADDRESS", head.addresses[which])
    on = Placement.parse("ray", workers=2, threads=1)
    assert on.address == head.addresses[which]
    assert run(tiny_study, on=on).made == 30
    assert stored(tiny_study) == stored(alone)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_all_that_workers_do_through_the_client(
    head: Head, tiny_study: Path, tmp_path: Path, stored: Stored
) -> None:
    on = Placement(head.addresses[0], workers=2, threads=1)
    (tiny_study / "suites/prompts.jsonl").write_text(
        "".join(f'{{"id": "q{i}", "text": "keeper number {i} said"}}\n' for i in range(24))
    )
    alone = Path(shutil.copytree(tiny_study, tmp_path / "alone"))
    axes = [parse_axis("decoding.temperature=0.5,1.5")]
    file = tmp_path / "outputs.jsonl"
    file.write_text("".join(json.dumps({"text": f"a sea {n} a sea"}) + "\n" for n in range(50)))
    here, there = (write_study(tmp_path / name) for name in ("here", "there"))

    def all_of(folder: Path, recipe: Path, on: Placement | None) -> tuple[Any, ...]:
        with Study(folder) as study:
            found = sweep(study, "v0.1.0", axes, objectives=["words:higher"], on=on)
        train(recipe.parent, recipe, on=on)
        values = [trial.values for trial in found.trials]
        return found.chosen, values, score(file, on=on).to_json(), weights(recipe)

    with connected(on):  # One connection for all, which takes half a minute on a busy machine.
        away = all_of(tiny_study, there, on)
    assert away == all_of(alone, here, None)
    assert stored(tiny_study) == stored(alone)
    assert weights(here)


def weights(recipe: Path) -> dict[str, bytes]:
    found = sorted((recipe.parent / "models").rglob("model.safetensors"))
    return {file.parent.name: file.read_bytes() for file in found}


def test_without_grpc_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    with (
        pytest.raises(MissingExtraError, match=r"--on ray:// needs the extra \[ray\]"),
        connected(Placement("ray://127.0.0.1:9")),
    ):
        pass


def test_a_token_that_the_cluster_may_not_want_is_hinted_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray/auth_token").write_text("secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_MODE")
    with (
        pytest.raises(BackendError, match="set RAY_AUTH_MODE=disabled") as caught,
        connected(Placement("ray://127.0.0.1:9")),
    ):
        pass
    assert "secret" not in str(caught.value)


def test_the_other_kind_of_address_is_hinted_at() -> None:
    with (
        pytest.raises(
            BackendError, match=r"no connection .*; HOST:6379 is for .* write ray://HOST"
        ),
        connected(Placement("127.0.0.1:9")),
    ):
        pass


@pytest.mark.slow
def test_a_port_that_is_no_clusters_is_one_line() -> None:
    """Such a port takes connections and says nothing that Ray understands."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=refuse_all, args=(server,), daemon=True).start()
        with (
            pytest.raises(BackendError, match=rf"Ray at 127\.0\.0\.1:{port}: no connection"),
            connected(Placement(f"127.0.0.1:{port}")),
        ):
            pass


def refuse_all(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            server.accept()[0].close()


def test_machines_without_the_package_are_named() -> None:
    cluster = Cluster(None, Placement("ray://head:10001"))
    error = ModuleNotFoundError("No module named 'ethogram.cluster'")
    text = str(cluster.failure("a call cannot start", error))
    assert "Ray at ray://head:10001: its machines lack Ethogram" in text
    assert "install the same release" in text
    coloured = ValueError("\x1b[36mray::Worker\x1b[39m\n  failed")
    assert "it died (ray::Worker failed)" in str(cluster.failure("it died", coloured))
