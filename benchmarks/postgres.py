"""A PostgreSQL server of our own for tests and benchmarks, from the system's packages."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

#: PostgreSQL refuses to run as root; its package makes this user.
USER = "postgres"
_numbers = itertools.count()


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl of the newest installed release; None without one."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").is_file():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Server:
    """A server in a temporary folder, on a free port of this machine.

    Args:
        safe: sync to the disk as a real server does; without, nothing survives a power cut.
        options: further settings, such as `shared_buffers=512MB`.
    """

    def __init__(self, *, safe: bool = False, options: Sequence[str] = ()) -> None:
        found = binaries()
        if found is None:
            raise FileNotFoundError("no PostgreSQL server; install the package postgresql")
        self._binaries = found
        self.folder = Path(tempfile.mkdtemp(prefix="ethogram-postgres-"))
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as_user = ["runuser", "-u", USER, "--"]
        self.data = self.folder / "data"
        self.port = _free_port()
        self._options = [] if safe else ["fsync=off", "synchronous_commit=off"]
        self._options += options
        self._run(
            "initdb", "-D", self.data, "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust"
        )
        self.start()

    def _run(self, program: str, *arguments: object) -> str:
        command = [*self._as_user, str(self._binaries / program), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
        return done.stdout

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        settings = [
            f"-p {self.port}",
            f"-k {self.folder}",
            "-c listen_addresses=127.0.0.1",
            *(f"-c {each}" for each in self._options),
        ]
        log = self.folder / "server.log"
        self._run("pg_ctl", "-D", self.data, "-l", log, "-w", "-o", " ".join(settings), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` lets nothing finish, `immediate` is as a crash."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """Kill its main process, as the system does when memory runs out."""
        process = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(process, signal.SIGKILL)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def query(self, sql: str, database: str = "postgres") -> str:
        """What a statement returns, as text."""
        at = ("-h", "127.0.0.1", "-p", self.port, "-U", USER, "-d", database)
        return self._run("psql", *at, "-qAtX", "-c", sql).strip()

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"study_{os.getpid()}_{next(_numbers)}"
        self.query(f"CREATE DATABASE {name}")
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def close(self) -> None:
        """Stop it and remove its folder."""
        try:
            self.stop("immediate")
        except RuntimeError:
            pass  # Stopped already.
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
