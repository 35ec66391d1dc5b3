"""Training process: `ethogram train` as a process of its own, followed by a job of the server.

Its lines go to a file and not to a pipe: a training whose server was killed goes on, and the next
server follows it by what it stores.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ethogram.errors import EthogramError
from ethogram.report.training import amount, duration, plan_lines
from ethogram.train.events import plan_from
from ethogram.ui.context import Context
from ethogram.ui.events import StudyChanged
from ethogram.ui.jobs import Job, JobInfo, JobStoppedError

#: Seconds between two looks at the process.
_POLL = 0.1
#: Seconds that a stopped process has to end before it is killed; a step may take long.
_PATIENCE = 60.0
#: Exit codes of a command that Ctrl-C or SIGTERM ended, in order or at once.
_STOPPED = (130, 143, -signal.SIGINT, -signal.SIGTERM)
_PROGRAM = "from ethogram.cli import main; main()"


def start_training(context: Context, recipe: str, seeds: Sequence[int] = ()) -> JobInfo:
    """Train a recipe as a job; a training that was stopped is continued."""
    words = ["train", recipe, "--json", *(f"--seed={seed}" for seed in seeds)]
    title = f"Train {recipe}"
    return context.jobs.start("train", title, lambda job: _train(context, words, job))


def plan_training(context: Context, recipe: str, seeds: Sequence[int] = ()) -> JobInfo:
    """Plan a training as a job, by reading its data and timing a step; nothing is trained."""
    words = ["train", recipe, "--dry-run", "--json", *(f"--seed={seed}" for seed in seeds)]
    return context.jobs.start(
        "train-plan", f"Plan {recipe}", lambda job: _plan(context, words, job)
    )


def _train(context: Context, words: Sequence[str], job: Job) -> Any:
    job.say("preparing: reading the data, timing a step")
    done = _follow(context, words, job)
    context.events.publish(StudyChanged())
    return {"versions": [each["finished"]["version"] for each in done if each["finished"]]}


def _plan(context: Context, words: Sequence[str], job: Job) -> Any:
    job.say("reading the data and timing a step")
    return {"plans": [_plan_info(each["plan"]) for each in _follow(context, words, job)]}


def _plan_info(plan: dict[str, Any]) -> dict[str, Any]:
    read = plan_from(plan)
    return {
        "name": read.name,
        "kind": read.kind,
        "seed": read.seed,
        "lines": [list(line) for line in plan_lines(read)],
        "examples": plan["examples"],
        "findings": [
            f"{each.where + ': ' if each.where else ''}{each.message}" for each in read.findings
        ],
    }


def _follow(context: Context, words: Sequence[str], job: Job) -> Any:
    """Run a command, say what it says, and return what it printed.

    Raises:
        EthogramError: it failed; its one line.
        JobStoppedError: the job was stopped; so was the process.
    """
    command = [sys.executable, "-c", _PROGRAM, "--log-format", "json", *words]
    with tempfile.TemporaryDirectory(prefix="ethogram-train-") as folder:
        printed, said = Path(folder, "printed"), Path(folder, "said")
        with printed.open("wb") as out, said.open("wb") as err:
            process = subprocess.Popen(
                [*command, "-C", str(context.folder)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,  # Ctrl-C on the server's terminal is for the server.
            )
        error = ""
        for line in _lines(process, said, job):
            error = _hear(line, job) or error
        if job.is_stopping or process.returncode in _STOPPED:
            raise JobStoppedError
        if process.returncode:
            raise EthogramError(error or f"the training ended with code {process.returncode}")
        return json.loads(printed.read_text(encoding="utf-8"))


def _lines(process: subprocess.Popen[bytes], path: Path, job: Job) -> Iterator[dict[str, Any]]:
    """The lines that a process writes, until it ends; it is asked to end when the job is."""
    until: float | None = None
    rest = b""
    with path.open("rb") as file:
        while True:
            ended = process.poll() is not None
            *lines, rest = (rest + file.read()).split(b"\n")
            for line in lines:
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # A library wrote to standard error.
            if ended:
                return
            if job.is_stopping and until is None:
                process.terminate()
                until = time.monotonic() + _PATIENCE
            if until is not None and time.monotonic() > until:
                process.kill()
            time.sleep(_POLL)


def _hear(line: dict[str, Any], job: Job) -> str:
    """Say what a line says; returns an error's words."""
    if line.get("event") == "error":
        return str(line["message"])
    event = line.get("training") or {}
    with suppress(JobStoppedError):  # The process is being ended already.
        if line.get("what") == "stepped":
            speed, left = event["values"].get("train/tokens_per_second"), event["seconds_left"]
            words = f"{amount(speed)} tokens/s" if speed else ""
            words += f", about {duration(left)} left" if left is not None else ""
            job.progress(event["step"], event["steps"], words)
        elif "examples" in event:  # The plan.
            job.say(f"planned: {dict(plan_lines(plan_from(event)))['time']}")
    return ""
