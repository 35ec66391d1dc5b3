"""Virtual environments of the peers: found, or made with pip as the user has set it up."""

from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys
import venv
from pathlib import Path

import platformdirs

from benchmarks.registry import Peer

PEERS = Path(__file__).parent / "peers"
VARIABLE = "ETHOGRAM_BENCH_ENVS"


class PeerUnavailableError(Exception):
    """A peer cannot be run here; the message says why in one line."""


def root() -> Path:
    """The folder of all environments: $ETHOGRAM_BENCH_ENVS, or in the user's cache folder."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("ethogram") / "bench-envs"


def python_of(peer: Peer, *, install: bool = True) -> Path:
    """The Python of a peer's environment, made or completed first where needed.

    Raises:
        PeerUnavailableError: it is not for this machine, not installed, or cannot be installed.
    """
    _check_machine(peer)
    if peer.environment is None:
        return Path(sys.executable)
    folder = root() / peer.environment
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    wanted = (PEERS / f"{peer.environment}.txt").read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    if not install:
        raise PeerUnavailableError(f"not installed in {folder.name}; run without --no-install")
    _install(peer, folder, python)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def preloaded(peer: Peer, python: Path) -> dict[str, str]:
    """LD_PRELOAD with those of a peer's libraries that its environment or the system has."""
    found = [_library(name, python.parent.parent / "lib") for name in peer.preload]
    libraries = [path for path in found if path]
    return {"LD_PRELOAD": ":".join(libraries)} if libraries else {}


def _library(name: str, folder: Path) -> str | None:
    own = sorted(folder.glob(f"lib{name}.so*"))
    return str(own[0]) if own else ctypes.util.find_library(name)


def _check_machine(peer: Peer) -> None:
    if not peer.only_on:
        return
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file() or peer.only_on not in cpuinfo.read_text(encoding="utf-8"):
        raise PeerUnavailableError(f"only for machines that are {peer.only_on}")


def _install(peer: Peer, folder: Path, python: Path) -> None:
    print(f"installing {peer.environment} (once) …", flush=True)
    if not python.is_file():
        venv.create(folder, with_pip=True)
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    done = _run(*pip, "install", "--requirement", PEERS / f"{peer.environment}.txt")
    if done.returncode == 0 and peer.unneeded:
        done = _run(*pip, "uninstall", "--yes", *peer.unneeded)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
        reason = (lines or done.stderr.splitlines() or ["pip gave no reason"])[-1]
        raise PeerUnavailableError(f"cannot be installed: {reason.removeprefix('ERROR: ')[:200]}")


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
