"""Remote: a recipe trained by one worker of a Ray cluster, in the study's own folder.

The worker's machine has to reach the folder: it reads the data there and writes checkpoints, the
model and the store. If it dies, another worker continues from the last checkpoint.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ethogram.cluster import Placement, Workers, connected
from ethogram.errors import BackendError, WriteError
from ethogram.study.workspace import Study
from ethogram.train.events import Event
from ethogram.train.one import Trained

#: The verb `train`, given so that it can call this module.
Train = Callable[..., list[Trained]]


@dataclass(frozen=True)
class Setup:
    """What a worker needs; picklable.

    Attributes:
        folder: of the study.
        proof: a file that is written there now, which a mere copy of the folder lacks.
        train: the verb.
    """

    folder: Path
    proof: Path
    train: Train

    def __call__(self) -> TrainingRunner:
        """Make the runner, on the worker's machine.

        Raises:
            BackendError: the machine does not reach the folder.
        """
        if not self.proof.exists():
            raise BackendError(
                f"does not reach {self.folder}",
                where=f"machine {socket.gethostname()}",
                hint="put the study into a folder that all machines of the cluster share",
            )
        return TrainingRunner(self.folder, self.train)


class TrainingRunner:
    """Trains recipes in a worker; its report is what happened since the last one."""

    def __init__(self, folder: Path, train: Train) -> None:
        self._folder, self._train = folder, train
        self._events: list[Event] = []

    def about(self) -> str:
        """The machine."""
        return f"machine {socket.gethostname()}"

    def report(self) -> list[Event]:
        """Events since the last report."""
        found = self._events[:]  # The training goes on in another thread.
        del self._events[: len(found)]
        return found

    def run(self, kind: str, tasks: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        """Train recipes; a task is a path and the options of `train`."""
        for path, options in tasks:
            with Study(self._folder) as study:
                yield str(path), self._train(study, path, on_event=self._events.append, **options)


def train_on(
    study: Study,
    path: Path,
    placement: Placement,
    options: Mapping[str, Any],
    on_event: Callable[[Event], None] | None,
    train: Train,
) -> list[Trained]:
    """Train a recipe on a cluster; see `train`.

    Raises:
        EthogramError: what `train` raises there.
        BackendError: no machine of the cluster reaches the folder, or workers keep dying.
    """
    folder, path = study.folder.resolve(), path.resolve()
    proof = folder / ".ethogram" / f"shared-{uuid.uuid4().hex}"
    try:
        proof.parent.mkdir(parents=True, exist_ok=True)
        proof.touch()
    except OSError as error:
        raise WriteError(proof, error) from None

    def report(seat: int, events: Sequence[Event], is_done: bool) -> None:
        if on_event is not None:
            for event in events:
                on_event(event)

    try:
        with connected(placement) as cluster:
            one = replace(placement, workers=1)
            workers = Workers(replace(cluster, placement=one), Setup(folder, proof, train), report)
            try:
                task = (str(path), (path, dict(options)))
                ((_, done, _),) = workers.run("train", [[task]])
            finally:
                workers.close()
    finally:
        proof.unlink(missing_ok=True)
    return list(done)
