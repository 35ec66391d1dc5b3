"""OneTraining: a recipe with one seed, from its data to its child version."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import SpecError
from ethogram.stages import stage
from ethogram.train.arguments import arguments_of, batches_of, rank, sharded, world_size
from ethogram.train.child import check_free, version_name, write_child, writes_adapter
from ethogram.train.events import Event, Finished, Plan, Resumed
from ethogram.train.job import Finding, Job, Prepared
from ethogram.train.jobs import key_of
from ethogram.train.kinds import kind_of
from ethogram.train.output import read_record, write_model
from ethogram.train.sitting import refuse_running, sitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ethogram.store import TrainingRecord, Trainings
    from ethogram.train.plan import Schedule

OnEvent = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """A training of `train`: its plan, and what came out.

    Attributes:
        plan: None where a finished training was found, so that nothing was planned.
        finished: None after a dry run.
        repeated: whether the training was finished before.
    """

    plan: Plan | None
    finished: Finished | None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What `train` was asked for that holds for each training."""

    dry_run: bool
    on_event: OnEvent | None
    report_to: str | None


class OneTraining:
    """One training, from its data to its child version.

    Args:
        job: the training.
        options: of the call.
    """

    def __init__(self, job: Job, options: Options) -> None:
        self.job, self.options = job, options
        self.key = key_of(job)
        self.writes = rank() == 0
        self.trainings: Trainings | None = None
        if self.writes:
            from ethogram.store import Trainings

            self.trainings = Trainings(job.study.store)

    def report(self, event: Event) -> None:
        """Call the caller back, on the process that writes."""
        if self.options.on_event is not None and self.writes:
            self.options.on_event(event)

    def run(self) -> Trained:
        """Train, unless it is finished.

        Raises:
            EthogramError: as `train`; or another process trains the same.
        """
        if self.options.dry_run or not self.writes:
            return self._run()
        from ethogram.study.locking import file_lock

        work = self.job.work
        refuse_running(work)  # One that begins at the same moment is waited for.
        with file_lock(work.parent.with_name(f"training-{work.name}.lock"), self._wait):
            return self._run()

    def _wait(self) -> None:
        """Say that another process trains the same.

        Raises:
            SpecError: processes that train together do not wait, since one may find a model that
                another has not seen.
        """
        if world_size() > 1:
            raise SpecError(
                "another process trains this recipe now",
                where=str(self.job.path),
                hint="wait until it has ended",
            )
        stage("Waiting for another process that trains this recipe")

    def _run(self) -> Trained:
        from ethogram.models.quiet import quiet

        check_free(self.job)
        _check_folder(self.job)
        batches_of(self.job)  # Refuses rows that do not divide.
        known = self._finished()
        if known is not None and not self.options.dry_run:
            if self.writes:
                write_child(self.job)
                shutil.rmtree(self.job.work, ignore_errors=True)  # Left if it was killed just then.
            self.report(known)
            return Trained(None, known, repeated=True)
        with quiet(), _calm():
            self._choose_precision()
            kind = kind_of(self.job.recipe.kind)
            prepared = kind.prepare(self.job)
            _refuse(self.job, prepared.findings)
            trainer = kind.trainer(
                self.job, prepared, arguments_of(self.job, report_to=self.options.report_to)
            )
            check = getattr(kind, "check", None)
            if check is not None:
                _refuse(self.job, check(self.job, prepared, trainer))
            return self._train(prepared, trainer)

    def _finished(self) -> Finished | None:
        """What came out, if this training is finished and its model is there."""
        record = read_record(self.job.folder)
        if record is None or record.get("key") != self.key:
            return None
        return Finished(
            folder=self.job.folder,
            version=version_name(self.job),
            seconds=record["seconds"],
            planned_seconds=record["planned_seconds"],
            peak_memory_bytes=record["peak_memory_bytes"],
            values=record["values"],
            findings=[Finding(**each) for each in record["findings"]],
        )

    def _train(self, prepared: Prepared, trainer: Any) -> Trained:
        from ethogram.train.plan import plan_of

        schedule, record = self._schedule(prepared, trainer)
        plan = plan_of(self.job, prepared, schedule, batches_of(self.job))
        self.report(plan)
        if self.options.dry_run:
            return Trained(plan, None)
        with sitting(self.job.work) if self.writes else nullcontext():
            return Trained(plan, self._sit(prepared, trainer, schedule, record))

    def _sit(
        self, prepared: Prepared, trainer: Any, schedule: Schedule, record: TrainingRecord | None
    ) -> Finished:
        """One sitting: from the newest checkpoint, or the beginning, to the model."""
        from ethogram.train.checkpoints import step_of, whole_checkpoints

        # Resumed after its last step, transformers' Trainer would take one step more.
        steps = schedule.steps
        checkpoints = (each for each in whole_checkpoints(self.job.work) if step_of(each) < steps)
        newest = next(checkpoints, None)
        if self.writes:
            _keep_tokenizer(self.job, prepared)
        if newest is not None:
            self.report(Resumed(step_of(newest)))
        finished = self._fit(prepared, trainer, schedule, record, newest)
        if self.writes:
            shutil.rmtree(self.job.work, ignore_errors=True)
            self.report(finished)
        return finished

    def _known_plan(self) -> dict[str, Any] | None:
        """The plan of an earlier sitting of this training, on every process."""
        plan: dict[str, Any] | None = None
        if self.trainings is not None:
            recorded = self.trainings.all(self.job.recipe.name)
            found = [each for each in recorded if each.key == self.key]
            plan = json.loads(found[0].plan) if found else None
            if plan is not None:
                plan.pop("about", None)
        known: dict[str, Any] | None = _agree(plan)
        return known

    def _choose_precision(self) -> None:
        """Settle the number format: the recipe's, that of an earlier sitting, or the faster."""
        from ethogram.train.fast import choose_precision

        recipe, known = self.job.recipe, self._known_plan()
        precision = recipe.setting("precision")
        if precision is None:
            precision = known["precision"] if known else _agree(choose_precision(self.job.device))
        settings = recipe.training.model_copy(update={"precision": precision})
        self.job = replace(self.job, recipe=recipe.model_copy(update={"training": settings}))

    def _schedule(self, prepared: Prepared, trainer: Any) -> tuple[Schedule, TrainingRecord | None]:
        """The schedule: that of the record where a training is resumed, or a measured one."""
        import torch

        from ethogram.train.plan import Schedule, measure, plan_of, schedule_of

        sequences = len(trainer.train_dataset)
        record: TrainingRecord | None = None
        known = self._known_plan()
        if known is None:
            speed = measure(trainer, self.job)
            known = _agree(asdict(schedule_of(self.job, prepared, sequences, speed)))
        schedule = Schedule(**known)
        if self.trainings is not None and not self.options.dry_run:
            about = plan_of(self.job, prepared, schedule, batches_of(self.job))
            record = self.trainings.begin(
                key=self.key,
                name=self.job.recipe.name,
                kind=self.job.recipe.kind,
                seed=self.job.seed,
                recipe=self.job.recipe.model_dump_json(),
                plan=json.dumps({**known, "about": asdict(replace(about, examples=()))}),
            )
        torch.set_num_threads(schedule.threads)
        trainer.args.max_steps = schedule.steps
        trainer.args.save_steps = schedule.checkpoint_every
        return schedule, record

    def _fit(
        self,
        prepared: Prepared,
        trainer: Any,
        schedule: Schedule,
        record: TrainingRecord | None,
        checkpoint: Path | None,
    ) -> Finished:
        from transformers import PrinterCallback

        from ethogram.train.after import checksums, findings
        from ethogram.train.behaviour import Watched
        from ethogram.train.checkpoints import step_of
        from ethogram.train.watch import Watch

        counts, batches = prepared.counts, batches_of(self.job)
        watch = Watch(
            trainer,
            prepared,
            schedule,
            tokens=batches.size * counts.tokens / max(1, counts.sequences),
            trainings=self.trainings,
            training=record.id if record is not None else 0,
            watched=None if self.job.recipe.kind == "reward" else Watched(self.job),
            on_event=self.report,
            already=self._begin_again(record, 0 if checkpoint is None else step_of(checkpoint)),
        )
        self._restore_first(watch, record)
        trainer.remove_callback(PrinterCallback)  # What is printed, the caller prints.
        trainer.add_callback(watch)
        before = checksums(trainer.exact_weights())
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        found = findings(
            self.job, before, checksums(trainer.exact_weights()), watch.first, watch.values
        )
        return self._finish(prepared, trainer, schedule, record, watch, found)

    def _begin_again(self, record: TrainingRecord | None, step: int) -> float:
        """Forget what is repeated; the seconds that the steps before it took."""
        if self.trainings is None or record is None:
            return 0.0
        self.trainings.drop_after(record.id, step if step else -1)
        spent = [each.value for each in self.trainings.points(record.id, ["train/seconds"])]
        return max((each for each in spent if each is not None), default=0.0)

    def _restore_first(self, watch: Any, record: TrainingRecord | None) -> None:
        """Values of an earlier sitting: those before the first step, and the last of each name."""
        if self.trainings is None or record is None:
            return
        for point in self.trainings.points(record.id):
            watch.values[point.name] = point.value
            if point.step == 0:
                watch.first[point.name] = point.value

    def _finish(
        self,
        prepared: Prepared,
        trainer: Any,
        schedule: Schedule,
        record: TrainingRecord | None,
        watch: Any,
        found: Sequence[Finding],
    ) -> Finished:
        from ethogram.train.merged import plain_copy
        from ethogram.train.plan import peak_memory_bytes, plan_of

        seconds, peak = watch.seconds, peak_memory_bytes(self.job.device)
        values = {name: _finite(value) for name, value in watch.values.items()}
        result = {
            "folder": f"models/{self.job.folder.name}",
            "counts": asdict(prepared.counts),
            "steps": schedule.steps,
            "tokens": plan_of(self.job, prepared, schedule, batches_of(self.job)).tokens,
            "seconds": seconds,
            "planned_seconds": schedule.seconds,
            "peak_memory_bytes": peak,
            "threads": schedule.threads,
            "processes": world_size(),
            "values": values,
            "findings": [asdict(each) for each in found],
        }
        trainer.accelerator.wait_for_everyone()
        if self.writes or sharded():
            model = plain_copy(trainer, merge=not writes_adapter(self.job))
        if self.writes:
            self._write(prepared, model, result)
            assert self.trainings is not None
            assert record is not None
            self.trainings.finish(record.id, json.dumps(result))
        trainer.accelerator.wait_for_everyone()
        return Finished(
            self.job.folder, version_name(self.job), seconds, schedule.seconds, peak, values, found
        )

    def _write(self, prepared: Prepared, model: Any, result: Mapping[str, Any]) -> None:
        job = self.job
        parent = None if job.parent is None else job.study.identity_of(job.parent)
        write_model(job, prepared, model, key=self.key, parent_identity=parent, result=result)
        write_child(job)


def _refuse(job: Job, findings: Sequence[Finding]) -> None:
    """Refuse a training that the checks before its first step refuse; the first one is named."""
    refused = [each for each in findings if each.refuses]
    if refused:
        first, more = refused[0], len(refused) - 1
        raise SpecError(
            first.message + (f" (and {more} more)" if more else ""),
            where=first.where or str(job.path),
            hint=first.hint or None,
        )


def _check_folder(job: Job) -> None:
    """Refuse to write over a folder that no training made."""
    if job.folder.exists() and read_record(job.folder) is None:
        raise SpecError(
            "this folder is there and no training made it",
            where=str(job.folder),
            hint="choose another `name:` in the recipe, or move the folder",
        )


def _keep_tokenizer(job: Job, prepared: Prepared) -> None:
    """Keep the tokenizer beside the checkpoints, so that a resumed training has the same."""
    from ethogram.files import replacing, system_errors

    target = job.work / "tokenizer"
    if not target.is_dir():
        unfinished = job.work / ".tokenizer"
        shutil.rmtree(unfinished, ignore_errors=True)
        with system_errors(target):
            prepared.tokenizer.save_pretrained(unfinished)
            unfinished.rename(target)
    with replacing(job.work / "recipe.yaml") as temporary:
        shutil.copyfile(job.path, temporary)


def _agree(value: Any) -> Any:
    """What process 0 says, on every process."""
    import torch

    if world_size() == 1 or not torch.distributed.is_initialized():
        return value
    values = [value]
    torch.distributed.broadcast_object_list(values, src=0)
    return values[0]


@contextmanager
def _calm() -> Iterator[None]:
    """Keep the libraries' warnings from the terminal; what matters is checked and said by us."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
