"""One measurement in a process of its own: started, awaited, ended, its result read."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: Longest that one measurement may take, in seconds.
PATIENCE = 3600


class RunFailedError(Exception):
    """A measurement ended without a result; the message is one line."""


def run(
    python: Path,
    module: str,
    job: dict[str, Any],
    variables: dict[str, str],
    enter: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Run a module on a job in a process group of its own, and read the result.

    Args:
        python: the interpreter.
        module: its name; it is called with the files of the job and of the result.
        job: what it reads.
        variables: environment variables, added to ours.
        enter: what the new process calls first.

    Raises:
        RunFailedError: it failed, or took longer than `PATIENCE`.
    """
    with tempfile.TemporaryDirectory(prefix="ethogram-bench-") as folder:
        task, result, log = (Path(folder) / name for name in ("job.json", "result.json", "log"))
        task.write_text(json.dumps(job), encoding="utf-8")
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [str(python), "-m", module, str(task), str(result)],
                cwd=ROOT,
                env={**os.environ, **_variables(job["threads"]), **variables},
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=enter,
            )
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                raise RunFailedError(f"no result after {PATIENCE} s") from None
            finally:
                _end_group(process)
        if process.returncode != 0 or not result.is_file():
            raise RunFailedError(_last_line(log))
        return json.loads(result.read_text(encoding="utf-8"))


def _variables(threads: int) -> dict[str, str]:
    """Threads, and no attempts to reach a hub: what is measured lies on this machine."""
    return {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
    }


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and those it started, should any be left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [line for line in lines if "Error" in line]
    return (errors or lines or ["it said nothing"])[-1].strip()[:300]
