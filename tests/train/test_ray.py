"""Training on a Ray worker: the same weights as here, also after a death; a copy is refused."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.train.studies import BASE, write_study

from ethogram.cluster import Placement
from ethogram.errors import BackendError
from ethogram.train import train
from ethogram.train.events import Event, Finished, Resumed, Stepped
from ethogram.train.remote import Setup

pytest.importorskip("ray")


def weights(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.rglob("model.safetensors"))}


@pytest.mark.long
def test_a_killed_worker_continues_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    longer = BASE.replace("steps: 12", "steps: 600").replace(
        "checkpoint_every: 3", "checkpoint_every: 50"
    )
    longer = longer.replace("every: 4}", "every: 600}")
    here, there = (write_study(tmp_path / name, longer) for name in ("here", "there"))
    train(here.parent, here)
    events: list[Event] = []
    killed: list[int] = []

    def watch(event: Event) -> None:
        events.append(event)
        if isinstance(event, Stepped) and event.step >= 60 and not killed:
            found = [each.pid for each in psutil.Process().children(recursive=True) if works(each)]
            killed.append(found[0])
            os.kill(found[0], signal.SIGKILL)

    (made,) = train(there.parent, there, on=Placement(None, threads=1), on_event=watch)
    assert killed
    assert any(isinstance(event, Resumed) for event in events)
    assert isinstance(events[-1], Finished)
    assert made.finished
    assert made.finished.version == "v1.0.0"
    assert (there.parent / "versions/v1.0.0.yaml").exists()
    assert weights(there.parent / "models") == weights(here.parent / "models") != {}
    assert not list((there.parent / ".ethogram").glob("shared-*"))


def works(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[0].startswith("ray::Worker")
    except (psutil.Error, IndexError):
        return False


def test_a_machine_that_does_not_reach_the_folder_is_refused(tmp_path: Path) -> None:
    def never(*args: Any) -> Any:
        raise AssertionError("trained in spite of it")

    with pytest.raises(BackendError, match="does not reach") as caught:
        Setup(tmp_path, tmp_path / "not-there", never)()
    assert "a folder that all machines of the cluster share" in str(caught.value)
