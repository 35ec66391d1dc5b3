"""Following trainings: what a training stores becomes events, whoever started it."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Literal

from ethogram.errors import EthogramError
from ethogram.report.curves import quantity_of
from ethogram.store import TrainingRecord, Trainings
from ethogram.study.workspace import Study
from ethogram.train.recorded import training_now
from ethogram.train.sitting import Sitting, folder_of, last_sitting
from ethogram.ui.context import Context
from ethogram.ui.events import Event, StudyChanged
from ethogram.ui.models import Answer, Text
from ethogram.ui.training import TrainingInfo, training_info
from ethogram.ui.training_samples import TrainingSample, shown

_log = logging.getLogger(__name__)
#: Seconds between two looks at the store. A training stores its points every two seconds.
LOOK_SECONDS = 1.0


class TrainingChanged(Event):
    """A training began, went on or ended: how far it is, in words."""

    type: Literal["training"] = "training"
    training: TrainingInfo


class NewPoint(Answer):
    """One value that was measured since the last event; `said` is the value in words."""

    name: Text
    step: int
    value: float | None
    said: str


class TrainingPoints(Event):
    """Points that a training stored since the last event."""

    type: Literal["training_points"] = "training_points"
    id: int
    points: list[NewPoint]


class TrainingSamples(Event):
    """What a training wrote at a step."""

    type: Literal["training_samples"] = "training_samples"
    id: int
    samples: list[TrainingSample]


class TrainingRepeated(Event):
    """A training repeats steps after it was resumed: load its curves again."""

    type: Literal["training_repeated"] = "training_repeated"
    id: int


EVENTS = (TrainingChanged, TrainingPoints, TrainingSamples, TrainingRepeated)


@dataclass
class _Seen:
    """What was sent of a training.

    Attributes:
        sitting: the process that trained at the last look.
        ended: whether it was finished.
        step: of the last point.
        names: that were sent of this step.
        sampled: step of the last output.
    """

    sitting: Sitting | None
    ended: bool
    step: int = -1
    names: set[str] = field(default_factory=set)
    sampled: int = -1


class Follower:
    """Publishes what trainings of the study store.

    Args:
        context: of the server.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: dict[int, _Seen] | None = None

    def start(self) -> None:
        """Look every second, in a thread that ends with the context."""
        threading.Thread(target=self._run, name="trainings", daemon=True).start()

    def _run(self) -> None:
        while not self._context.closed.wait(LOOK_SECONDS):
            try:
                self.look()
            except EthogramError:
                continue  # A file of the study is wrong just now; the page says so.
            except Exception as error:
                if not self._context.closed.is_set():
                    _log.error("trainings cannot be followed: %s: %s", type(error).__name__, error)

    def look(self) -> None:
        """Publish what is new since the last look; the first one publishes nothing."""
        with self._context.study() as study:
            stored = Trainings(study.store)
            records = stored.all()
            if self._seen is None:
                self._seen = {each.id: self._now(study, stored, each) for each in records}
                return
            for record in records:
                seen = self._seen.get(record.id)
                if seen is None or not seen.ended:
                    self._seen[record.id] = self._one(study, stored, record, seen)

    def _now(self, study: Study, stored: Trainings, record: TrainingRecord) -> _Seen:
        """All that is stored counts as sent: a tab loads it when it is opened."""
        work = folder_of(study.folder, record.key)
        seen = _Seen(last_sitting(work) if work else None, record.finished_at is not None)
        if not seen.ended:
            ends = stored.ends(record.id)
            known = max((last.step for _, last in ends.values()), default=-1)
            points = stored.since(record.id, known)  # Also those without a value.
            seen.step = points[-1].step if points else -1
            seen.names = {each.name for each in points if each.step == seen.step}
            outputs = stored.outputs(record.id)
            seen.sampled = outputs[-1].step if outputs else -1
        return seen

    def _one(
        self, study: Study, stored: Trainings, record: TrainingRecord, seen: _Seen | None
    ) -> _Seen:
        publish = self._context.events.publish
        work = folder_of(study.folder, record.key)
        now = _Seen(last_sitting(work) if work else None, record.finished_at is not None)
        began = seen is None
        if seen is not None and _other_process(seen.sitting, now.sitting):
            publish(TrainingRepeated(id=record.id))
            now = self._now(study, stored, record)
        elif seen is not None:
            now.step, now.names, now.sampled = seen.step, seen.names, seen.sampled
        sent = self._send(stored, record.id, now)
        if began or sent or seen is None or (seen.sitting, seen.ended) != (now.sitting, now.ended):
            info = training_info(study, training_now(study, record))
            publish(TrainingChanged(training=info))
        if now.ended:
            publish(StudyChanged())  # A child version is there.
        return now

    def _send(self, stored: Trainings, number: int, now: _Seen) -> bool:
        """Publish new points and outputs; `now` then has them."""
        points = [
            each
            for each in stored.since(number, now.step)
            if each.step > now.step or each.name not in now.names
        ]
        if not points:
            return False
        new = [
            NewPoint(
                name=each.name,
                step=each.step,
                value=each.value,
                said=quantity_of(each.name).said(each.value),
            )
            for each in points
        ]
        self._context.events.publish(TrainingPoints(id=number, points=new))
        last = points[-1].step
        names = {each.name for each in points if each.step == last}
        now.names = names | now.names if last == now.step else names
        now.step = last
        outputs = stored.outputs(number, after=now.sampled)
        if outputs:
            now.sampled = outputs[-1].step
            self._context.events.publish(TrainingSamples(id=number, samples=shown(outputs)))
        return True


def _other_process(before: Sitting | None, now: Sitting | None) -> bool:
    if before is None or now is None:
        return False
    return (before.pid, before.host, before.started_at) != (now.pid, now.host, now.started_at)
