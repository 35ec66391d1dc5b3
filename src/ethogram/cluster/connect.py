"""Connect: reach a Ray cluster, or start Ray on this machine, closed to other machines."""

from __future__ import annotations

import logging
import os
import re
import socket
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.cluster.placement import Placement
from ethogram.cores import allowed_cores
from ethogram.errors import BackendError
from ethogram.extras import require
from ethogram.stages import stage

#: Seconds until an address that does not answer is an error; Ray itself waits for minutes.
CONNECT_SECONDS = 10.0
#: Memory for results on their way, when Ray is started here; Ray would take 30 % of the memory.
LOCAL_OBJECTS = 256 * 2**20
#: The setting that makes Ray listen on the loopback interface alone, on every system.
_LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
#: Names of this machine that no other machine reaches it by.
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
#: How the addresses of Ray's client begin.
_CLIENT = "ray://"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of a cluster: its CPUs and GPUs as Ray counts them."""

    cpus: float
    gpus: float


@dataclass(frozen=True, slots=True)
class Share:
    """What each worker gets: how many workers, and the threads and GPUs of each."""

    workers: int
    threads: int
    gpus: int


@dataclass(frozen=True)
class Cluster:
    """A connected cluster.

    Attributes:
        ray: the module, connected.
        placement: as asked for.
    """

    ray: Any
    placement: Placement

    @property
    def where(self) -> str:
        """The cluster, in error messages."""
        return f"Ray at {self.placement.address}" if self.placement.address else "Ray"

    def failure(self, what: str, error: BaseException, hint: str | None = None) -> BackendError:
        """The error to show for one of Ray's; says so where its machines lack this package.

        Args:
            what: happened.
            error: Ray's, or one that it passes on.
            hint: what to do about it.
        """
        if "No module named 'ethogram" in str(error):
            from ethogram import __version__

            what, hint = (
                f"its machines lack Ethogram {__version__}",
                "install the same release, with the extras engine and ray, on every machine",
            )
        else:
            what = f"{what} ({one_line(getattr(error, 'cause', None) or error)})"
        return BackendError(what, where=self.where, hint=hint)

    def nodes(self) -> list[Node]:
        """The machines that are alive."""
        found = []
        for node in self.ray.nodes():
            if node["Alive"]:
                has = node["Resources"]
                found.append(Node(has.get("CPU", 0.0), has.get("GPU", 0.0)))
        return found

    def share(self) -> Share:
        """The share of each worker.

        Raises:
            BackendError: the machines have no place for so many workers.
        """
        nodes = [node for node in self.nodes() if node.cpus >= 1]
        if not nodes:
            raise BackendError("it has no machine with a free CPU", where=self.where)
        gpus = 1 if any(node.gpus >= 1 for node in nodes) else 0
        wanted, threads = self.placement.workers, self.placement.threads
        workers = wanted or (int(sum(node.gpus for node in nodes)) if gpus else len(nodes))
        threads = threads or _threads(nodes, workers, gpus)
        fits = _places(nodes, threads, gpus)
        if fits < workers:
            raise BackendError(
                f"it has places for {fits} workers of {threads} threads"
                f"{' and 1 GPU' if gpus else ''}, not {workers}",
                where=self.where,
                hint="use fewer --workers or --worker-threads",
            )
        return Share(workers, threads, gpus)


def _threads(nodes: Sequence[Node], workers: int, gpus: int) -> int:
    """The most threads with which all workers find a place; 1 if none does."""
    most = int(max(node.cpus for node in nodes))
    fitting = (n for n in range(most, 0, -1) if _places(nodes, n, gpus) >= workers)
    return next(fitting, 1)


def _places(nodes: Sequence[Node], threads: int, gpus: int) -> int:
    by_cpus = (int(node.cpus // threads) for node in nodes)
    if not gpus:
        return sum(by_cpus)
    return sum(min(cpus, int(node.gpus)) for cpus, node in zip(by_cpus, nodes, strict=True))


@contextmanager
def connected(placement: Placement) -> Iterator[Cluster]:
    """A cluster, for as long as the block lasts; a connection that exists already is used.

    Raises:
        BackendError: the address does not answer, or Ray does not start.
        MissingExtraError: the extra [ray] is not installed.
    """
    with _environment(placement):
        ray = require("ray", extra="ray", needed_for="--on ray")
        if placement.address and placement.address.startswith(_CLIENT):
            # Ray alone, without its extra [client], lacks it.
            require("grpc", extra="ray", needed_for=f"--on {_CLIENT}")
        with _own_output(), _loopback_only(wanted=_is_loopback_only(placement.address)):
            yield from _connected(ray, placement)


def _connected(ray: Any, placement: Placement) -> Iterator[Cluster]:
    if ray.is_initialized():
        yield Cluster(ray, placement)
        return
    stage("Connecting to Ray" if placement.address else "Starting Ray")
    try:
        if placement.address:
            _check_reachable(placement.address)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # Of a time-out, which is an error.
                ray.init(placement.address, **_QUIET)
            _warn_if_open(placement.address)
        else:
            asked = (placement.workers or 1) * (placement.threads or 1)
            cpus = max(allowed_cores(), asked)
            ray.init(
                "local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=LOCAL_OBJECTS,
                **_QUIET,
            )
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        where = f"Ray at {placement.address}" if placement.address else "Ray"
        raise BackendError(
            f"no connection ({one_line(error)})",
            where=where,
            hint=_other_address(placement.address),
        ) from None
    try:
        if placement.address is None:
            _warn_if_not_loopback(ray)
        yield Cluster(ray, placement)
    finally:
        ray.shutdown()


_QUIET: dict[str, Any] = {
    "log_to_driver": False,
    "logging_level": logging.ERROR,
    "configure_logging": False,
}


@contextmanager
def _environment(placement: Placement) -> Iterator[None]:
    """What Ray reads of the environment: no usage statistics, and here loopback only.

    A variable that the user has set stays. A cluster that Ray starts asks for a token by itself;
    set before it starts, RAY_AUTH_MODE would be read too late where Ray was imported earlier.
    """
    wanted = {"RAY_USAGE_STATS_ENABLED": "0"}
    # Ray hides the GPUs of workers without one; unset, it announces that this will change.
    wanted["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    if placement.address is None:
        wanted[_LOOPBACK_ONLY] = "0"
    else:
        # One try, of 40 seconds: Ray would go on for a quarter of an hour with an address that
        # answers and is no cluster's.
        wanted["RAY_gcs_server_port_wait_time_s"] = "1"
        if _has_token():  # Ray sends it only if this is set.
            wanted["RAY_AUTH_MODE"] = "token"
    missing = [name for name in wanted if name not in os.environ]
    os.environ.update({name: wanted[name] for name in missing})
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)


def _has_token() -> bool:
    """Whether there is a token for clusters, where Ray looks for it."""
    named = any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return named or (Path.home() / ".ray" / "auth_token").is_file()


@contextmanager
def _own_output() -> Iterator[None]:
    """Keep Ray's notices (a worker died, a node left) off standard output, which is for results.

    Ray has no setting for it: `log_to_driver` is for what workers print.
    """
    from ray._private import worker

    log, printing = logging.getLogger("ray"), getattr(worker, "print_to_stdstream", None)
    level = log.level
    log.setLevel(logging.ERROR)
    if printing is not None:
        worker.print_to_stdstream = _debug
    try:
        yield
    finally:
        log.setLevel(level)
        if printing is not None:
            worker.print_to_stdstream = printing


def _debug(data: Any, ignore_prefix: bool = False) -> None:
    _log.debug("Ray: %s", data.get("lines"))


@contextmanager
def _loopback_only(*, wanted: bool) -> Iterator[None]:
    """What `_LOOPBACK_ONLY` sets, where Ray was imported before the variable was set."""
    from ray._private import ray_constants

    before = getattr(ray_constants, "ENABLE_RAY_CLUSTER", None)
    if not wanted or not before:
        yield
        return
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _warn_if_not_loopback(ray: Any) -> None:
    """A release of Ray that ignores both settings is open to the network."""
    addresses = {node["NodeManagerAddress"] for node in ray.nodes()}
    if not addresses <= {"127.0.0.1", "::1"}:
        _log.warning("Ray listens on %s; other machines can reach it", ", ".join(sorted(addresses)))


def _check_reachable(address: str) -> None:
    with socket.create_connection(_host_and_port(address), timeout=CONNECT_SECONDS):
        pass


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    return host.strip("[]"), int(port)


def _is_loopback_only(address: str | None) -> bool:
    """Whether Ray is closed to other machines: one that is started here, or such an address.

    Ray takes 127.0.0.1 for the machine's own address, where such a cluster does not answer.
    """
    if address is None:
        return True
    host, port = _host_and_port(address)
    if address.startswith(_CLIENT) or host not in _LOOPBACK:
        return False
    from ray._private.services import get_node_ip_address

    try:
        with socket.create_connection((get_node_ip_address(), port), timeout=CONNECT_SECONDS):
            return False
    except OSError:
        return True


def _other_address(address: str | None) -> str | None:
    """A hint about the port, since the two kinds of address are easily confused."""
    if address is None:
        return None
    if address.startswith(_CLIENT):
        port = "the port is that of Ray's client, 10001 unless `ray start` was given another"
        if os.environ.get("RAY_AUTH_MODE") != "token" or not _has_token():
            return port
        # Ray writes a token when it is started here; a cluster without one does not answer to it.
        return f"{port}; if the cluster asks for no token, set RAY_AUTH_MODE=disabled"
    return "HOST:6379 is for machines of the cluster; from elsewhere, write ray://HOST:10001"


def _warn_if_open(address: str) -> None:
    """Ray runs whatever reaches its ports, unless it is set to ask for a token."""
    if _host_and_port(address)[0] in _LOOPBACK:
        return
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        _log.warning(
            "Ray at %s: RAY_AUTH_MODE is not 'token', so whoever reaches its ports can run programs"
            " there; keep them inside a private network",
            address,
        )
    if os.environ.get("RAY_USE_TLS", "0") != "1":
        _log.warning("Ray at %s: not encrypted; prompts and outputs travel in the open", address)


def one_line(error: BaseException) -> str:
    """What an error of Ray says, without its colours and line breaks, and not too long."""
    return " ".join(_COLOURS.sub("", str(error)).split())[:200] or type(error).__name__
