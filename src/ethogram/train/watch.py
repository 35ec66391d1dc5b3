"""Watch: a callback that measures a training while it runs, stores it by step, and reports it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from transformers import TrainerCallback

from ethogram.errors import SpecError
from ethogram.store import Point, TrainingOutput, Trainings
from ethogram.train.arguments import sharded
from ethogram.train.behaviour import Watched
from ethogram.train.events import Evaluated, Event, Stepped
from ethogram.train.job import Prepared
from ethogram.train.merged import plain_copy
from ethogram.train.plan import Schedule, token_flop
from ethogram.train.randomness import undisturbed

#: Points are stored together, about so often in seconds, and before each checkpoint.
_STORE_SECONDS = 2.0
#: Names of the Trainer's logs that say nothing about a step.
_DULL = frozenset({"epoch", "total_flos", "num_input_tokens_seen", "num_tokens"})


class Watch(TrainerCallback):  # type: ignore[misc]
    """Stores points and outputs of a training; on one process of those that train together.

    Args:
        trainer: it watches.
        prepared: for the tokenizer and the number of tokens.
        schedule: for steps, and how often to look.
        tokens: of a step.
        trainings: where points go; None on processes that do not write.
        training: id of its record.
        watched: prompts and decodings; None to measure no behaviour.
        on_event: called with what happens.
        already: seconds of earlier sittings.
        clock: seconds.
    """

    def __init__(
        self,
        trainer: Any,
        prepared: Prepared,
        schedule: Schedule,
        *,
        tokens: float,
        trainings: Trainings | None,
        training: int,
        watched: Watched | None,
        on_event: Callable[[Event], None] | None,
        already: float = 0.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._trainer, self._prepared, self._schedule = trainer, prepared, schedule
        self._tokens, self._flop = (
            tokens,
            token_flop(prepared.model, prepared.counts.sequence_tokens),
        )
        self._trainings, self._training = trainings, training
        self._watched, self._on_event = watched, on_event
        self._already, self._clock = already, clock
        self._began = self._step_began = self._stored = clock()
        self._looking, self._evaluated = 0.0, False
        self._points: list[Point] = []
        #: The last value of each name.
        self.values: dict[str, float | None] = {}
        #: The first value of each name that a look at held-out loss and behaviour gave.
        self.first: dict[str, float | None] = {}

    @property
    def seconds(self) -> float:
        """Seconds so far, of all sittings."""
        return self._already + self._clock() - self._began

    # Called by the Trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Look at the model before its first step."""
        self._began = self._step_began = self._stored = self._clock()
        if state.global_step == 0:
            self._look(0)
        self._step_began = self._clock()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note the loss and speed of a step, and look where it is time.

        Raises:
            SpecError: the loss is not a number any more.
        """
        took = self._clock() - self._step_began
        speed = self._tokens / took if took > 0 else 0.0
        peak = self._schedule.peak_flops * max(1, self._trainer.args.world_size)
        step, loss = state.global_step, self._trainer.take_step_loss()
        if not math.isfinite(loss):
            raise SpecError(
                f"the loss is {loss} at step {step}, so nothing more can be learned",
                hint="lower training.learning_rate, or use precision: float32",
            )
        self._note(
            step,
            {
                "train/loss": loss,
                "train/tokens_per_second": speed,
                "train/mfu": speed * self._flop / peak if peak else None,
                "train/seconds": self.seconds,
            },
        )
        if step % self._schedule.evaluate_every == 0 or step == self._schedule.steps:
            self._look(step)
            control.should_log = True  # The evaluation's log has taken the place of the step's.

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Take what the Trainer, or TRL's, measured in this step; then the step is reported."""
        if self._evaluated:
            return
        step = state.global_step
        measured = {
            f"train/{name}": float(value)
            for name, value in (logs or {}).items()
            if name not in _DULL and name != "loss" and isinstance(value, int | float)
        }
        if any(name.startswith(("train/train_", "train/eval_")) for name in measured):
            return  # The summary at the end.
        self._note(step, measured)
        now = self._clock()
        if now - self._stored > _STORE_SECONDS:
            self._flush()
        self._report(Stepped(step, self._schedule.steps, self._of("train/"), self._left(step)))
        self._step_began = self._clock()

    def before_checkpoint(self) -> None:
        """Store all points, so that a checkpoint never is ahead of its curve."""
        self._flush()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Store the last points."""
        self._flush()

    # What it does

    def _look(self, step: int) -> None:
        """Measure held-out loss and behaviour; the training does not notice."""
        values: dict[str, float | None] = {}
        outputs: list[TrainingOutput] = []
        with undisturbed():
            if self._trainer.eval_dataset is not None:
                values |= self._held_out()
            if self._watched is not None and (self._trainings is not None or sharded()):
                model = plain_copy(self._trainer)
                if self._trainings is not None:
                    found = self._watched.look(model, self._prepared.tokenizer, step)
                    values |= found.values
                    outputs = found.outputs
                del model
        self._trainer.accelerator.wait_for_everyone()
        self._note(step, values)
        for name, value in values.items():
            self.first.setdefault(name, value)
        if self._trainings is not None:
            self._flush()
            self._trainings.add_outputs(self._training, outputs)
        self._report(Evaluated(step, values, outputs))

    def _held_out(self) -> dict[str, float | None]:
        self._evaluated = True
        training = self._trainer.model.training
        try:
            found: Mapping[str, Any] = self._trainer.evaluate()
        finally:
            self._evaluated = False
            self._trainer.model.train(training)  # TRL files what it measures by this.
        dull = ("runtime", "per_second", "epoch")
        return {
            f"held_out/{name.removeprefix('eval_')}": float(value)
            for name, value in found.items()
            if isinstance(value, int | float) and not name.endswith(dull)
        }

    def _note(self, step: int, values: Mapping[str, float | None]) -> None:
        self.values |= values
        self._points += [Point(step, name, value) for name, value in values.items()]

    def _flush(self) -> None:
        points, self._points = self._points, []
        self._stored = self._clock()
        if self._trainings is not None and points:
            self._trainings.add_points(self._training, points)

    def _of(self, prefix: str) -> dict[str, float]:
        return {
            name: value
            for name, value in self.values.items()
            if name.startswith(prefix) and value is not None
        }

    def _left(self, step: int) -> float | None:
        """Seconds left, by the estimate until a twentieth is done, then by what it took."""
        steps = self._schedule.steps
        if step < steps / 20 or not step:
            planned = self._schedule.seconds
            return None if planned is None else planned * (1 - step / steps)
        return self.seconds / step * (steps - step)

    def _report(self, event: Event) -> None:
        if self._on_event is not None and self._trainings is not None:
            self._on_event(event)
