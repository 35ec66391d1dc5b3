"""Arguments: from a recipe to the keyword arguments of any TrainingArguments class."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

from ethogram.errors import SpecError
from ethogram.train.job import Job


@dataclass(frozen=True, slots=True)
class Batches:
    """How a step's rows are shared out.

    Attributes:
        size: rows of a step, over all processes.
        micro: rows of one forward pass of one process.
        accumulated: forward passes of a step of one process.
        processes: that train together.
    """

    size: int
    micro: int
    accumulated: int
    processes: int


def batches_of(job: Job) -> Batches:
    """Share the rows of a step over processes and forward passes.

    Raises:
        SpecError: they do not divide.
    """
    size, processes = int(job.recipe.setting("batch_size")), world_size()
    micro = job.recipe.training.micro_batch_size or max(1, size // processes)
    if size % (micro * processes):
        raise SpecError(
            f"a step of {size} rows does not divide into {processes} "
            f"process{'es' if processes > 1 else ''} of {micro} rows at a time",
            where=f"{job.path}: training.batch_size",
            hint=f"make it a multiple of {micro * processes}",
        )
    return Batches(size, micro, size // (micro * processes), processes)


def world_size() -> int:
    """Processes that a launcher such as torchrun started together; 1 without one."""
    return max(1, int(os.environ.get("WORLD_SIZE", "1") or 1))


def rank() -> int:
    """This process among those; 0 is the one that writes and prints."""
    return int(os.environ.get("RANK", "0") or 0)


def sharded() -> bool:
    """Whether accelerate was asked to shard the model over processes (FSDP)."""
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true")


def steps_of(job: Job, sequences: int) -> int:
    """Optimizer steps that the recipe asks for, its limit of minutes apart.

    Args:
        job: the training.
        sequences: blocks, packs or rows of one epoch.
    """
    if job.recipe.training.steps is not None:
        return job.recipe.training.steps
    a_pass = max(1, math.ceil(sequences / batches_of(job).size))
    epochs = job.recipe.setting("epochs")
    if epochs is None:
        return int(job.recipe.setting("steps") or a_pass)
    return max(1, round(float(epochs) * a_pass))


def arguments_of(job: Job, *, report_to: str | None = None) -> dict[str, Any]:
    """Keyword arguments that every kind's TrainingArguments class takes.

    Steps and checkpoints are set once the speed is known. The learning rate's schedule is that of
    `FastTraining`, so `lr_scheduler_type` has no effect.

    Args:
        job: the training.
        report_to: a tracker that transformers knows, such as `trackio` or `wandb`.
    """
    batches = batches_of(job)
    recipe = job.recipe
    return {
        "output_dir": str(job.work),
        "per_device_train_batch_size": batches.micro,
        "per_device_eval_batch_size": batches.micro,
        "gradient_accumulation_steps": batches.accumulated,
        "max_steps": 1,
        "learning_rate": recipe.setting("learning_rate"),
        "lr_scheduler_type": "constant",
        "weight_decay": recipe.setting("weight_decay"),
        "max_grad_norm": recipe.training.max_grad_norm,
        "seed": job.seed,
        "data_seed": job.seed,
        # Weights are in the precision of the recipe; autocast would convert them at every use.
        "bf16": sharded() and recipe.setting("precision") == "bfloat16",
        "fp16": False,
        # Slower by a quarter, and only worth it where activations do not fit.
        "gradient_checkpointing": False,
        "use_cpu": job.device == "cpu",
        "dataloader_pin_memory": job.device != "cpu",
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "eval_strategy": "no",
        "save_strategy": "steps",
        "save_steps": 1,
        "save_total_limit": max(2, recipe.training.keep_checkpoints),
        "report_to": report_to or "none",
        "disable_tqdm": True,
    }
