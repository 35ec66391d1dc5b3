"""Plan: what a training will take, estimated from a few measured steps that leave no trace."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from typing import Any

import torch

from ethogram.train.arguments import Batches, batches_of, steps_of
from ethogram.train.events import Plan
from ethogram.train.fast.peak import gemm_peak
from ethogram.train.fast.threads import choose_threads
from ethogram.train.job import Job, Prepared
from ethogram.train.randomness import undisturbed

#: A checkpoint is written about so often, in seconds.
_CHECKPOINT_SECONDS = 120.0
#: Share of a recipe's minutes that steps are planned for: the rest is for starting and saving.
_USED_MINUTES = 0.95
#: Where a recipe limits its minutes, at most this share of them is for looks at behaviour.
_LOOKING = 0.25
#: A generated token takes about as long as a trained one: cheaper to compute, but few at a time.
_GENERATED = 1.0
#: A held-out token takes a forward pass; a trained one takes a backward pass of twice that too.
_HELD_OUT = 1 / 3


@dataclass(frozen=True, slots=True)
class Speed:
    """What the first steps showed.

    Attributes:
        seconds: of an optimizer step; None where a kind cannot be measured in advance.
        memory_bytes: peak of the process so far.
        threads: of each process.
        peak_flops: rate of matrix products that the machine reaches, in FLOP/s.
    """

    seconds: float | None
    memory_bytes: int
    threads: int
    peak_flops: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers that a resumed training takes from its record.

    Attributes:
        steps: optimizer steps.
        evaluate_every: steps between two looks at held-out loss and behaviour.
        checkpoint_every: steps between checkpoints.
        precision: number format of weights and activations.
        threads: of each process: the order of sums, and so the bits, depend on it.
        peak_flops: rate of matrix products, in FLOP/s.
        seconds: estimated; None if no speed could be measured.
        memory_bytes: estimated peak.
    """

    steps: int
    evaluate_every: int
    checkpoint_every: int
    precision: str
    threads: int
    peak_flops: float
    seconds: float | None
    memory_bytes: int


def measure(trainer: Any, job: Job) -> Speed:
    """Time a step of a trainer, with the number of threads that is fastest; undone afterwards."""
    on_cpu = job.device == "cpu"
    with undisturbed():
        batches = batches_of(job)
        batch = _first_batch(trainer) if getattr(trainer, "can_be_measured", True) else None
        if batch is None:
            threads, seconds = torch.get_num_threads(), None
        else:
            seconds, threads = _time_step(trainer, batch, batches, on_cpu)
        torch.set_num_threads(threads)
        peak = gemm_peak(next(trainer.model.parameters()).dtype, device=job.device)
    torch.set_num_threads(threads)
    return Speed(seconds, peak_memory_bytes(job.device), threads, peak)


def _first_batch(trainer: Any) -> Any:
    batch = next(iter(trainer.get_train_dataloader()))
    return dict(batch) if isinstance(batch, dict) or hasattr(batch, "keys") else None


def _time_step(trainer: Any, batch: Any, batches: Batches, on_cpu: bool) -> tuple[float, int]:
    """Seconds of a step, and the number of threads that was best."""
    kept = trainer.exact_weights()
    kept = {name: weight.clone() for name, weight in kept.items()}

    def work() -> None:
        trainer.training_step(trainer.model, dict(batch), None)
        trainer.model.zero_grad()
        if not on_cpu:
            torch.cuda.synchronize()

    trainer.current_gradient_accumulation_steps = batches.accumulated
    try:
        threads = choose_threads(work)[0] if on_cpu else torch.get_num_threads()
        work()
        optimizer = trainer.create_optimizer()
        began = time.perf_counter()
        trainer.training_step(trainer.model, dict(batch), None)
        forward = time.perf_counter() - began
        optimizer.step()
        began = time.perf_counter()
        optimizer.step()
        update = time.perf_counter() - began
        return forward * batches.accumulated + update, threads
    finally:
        trainer.forget_measured(kept)


def schedule_of(job: Job, prepared: Prepared, sequences: int, speed: Speed) -> Schedule:
    """How many steps, how often to look and to save, and how long it takes."""
    steps = steps_of(job, sequences)
    minutes = job.recipe.training.minutes
    a_step = speed.seconds
    every = job.recipe.evaluate.every
    looks = 11 if every is None else 1 + steps // every
    look = _look_seconds(job, prepared, a_step)
    if minutes is not None and a_step:
        usable = minutes * 60 * _USED_MINUTES
        if every is None and look:
            looks = max(2, min(looks, int(_LOOKING * usable / look)))
        steps = max(1, min(steps, int((usable - looks * look) / a_step)))
    every = every or max(1, round(steps / (looks - 1)))
    saving = job.recipe.training.checkpoint_every
    if saving is None:
        saving = max(1, round(_CHECKPOINT_SECONDS / a_step)) if a_step else max(1, steps // 5)
    looks = 1 + -(-steps // every)
    copy = 4 * sum(weight.numel() for weight in prepared.model.parameters())
    return Schedule(
        steps=steps,
        evaluate_every=every,
        checkpoint_every=min(saving, steps),
        precision=job.recipe.setting("precision"),
        threads=speed.threads,
        peak_flops=speed.peak_flops,
        seconds=None if a_step is None else steps * a_step + looks * look,
        memory_bytes=speed.memory_bytes + copy,
    )


def _look_seconds(job: Job, prepared: Prepared, a_step: float | None) -> float:
    """About how long one look at held-out loss and behaviour takes."""
    if a_step is None:
        return 0.0
    wanted, batch = job.recipe.evaluate, batches_of(job).size
    a_token = a_step / max(1, batch * prepared.counts.sequence_tokens)
    generated = wanted.prompts * wanted.samples * len(wanted.decodings) * wanted.max_new_tokens
    share = prepared.counts.held_out_rows / max(1, prepared.counts.rows)
    return a_token * (_GENERATED * generated + _HELD_OUT * share * prepared.counts.tokens)


def plan_of(job: Job, prepared: Prepared, schedule: Schedule, batches: Batches) -> Plan:
    """The plan as an event."""
    weights = list(prepared.model.parameters())
    per_step = batches.size * prepared.counts.tokens / max(1, prepared.counts.sequences)
    tokens = round(schedule.steps * per_step)
    return Plan(
        name=job.folder.name,
        kind=job.recipe.kind,
        seed=job.seed,
        counts=prepared.counts,
        examples=prepared.examples,
        parameters=sum(weight.numel() for weight in weights),
        trained_parameters=sum(weight.numel() for weight in weights if weight.requires_grad),
        steps=schedule.steps,
        tokens=tokens,
        flop=tokens * token_flop(prepared.model, prepared.counts.sequence_tokens),
        memory_bytes=schedule.memory_bytes,
        seconds=schedule.seconds,
        threads=schedule.threads,
        precision=schedule.precision,
        processes=batches.processes,
        findings=prepared.findings,
    )


def token_flop(model: Any, context: int) -> float:
    """Floating-point operations of a token trained on: forward, backward, and causal attention.

    Forward 2 a weight, the gradient of what entered it 2, and its own gradient 2 if it is trained,
    so that adapters on frozen weights cost some 4 a weight and full training 6 (Kaplan et al. 2020,
    section 2.1). Tables that are only looked up do not count; a head that shares its weights with
    one does.
    """
    config = model.config.get_text_config()
    table = model.get_input_embeddings().weight
    head = model.get_output_embeddings()
    only_looked_up = head is None or head.weight is not table
    total = trained = 0
    for name, weight in model.named_parameters():
        if (weight is table and only_looked_up) or name.endswith("wpe.weight"):
            continue
        total += weight.numel()
        trained += weight.numel() if weight.requires_grad else 0
    attention = 6 * config.num_hidden_layers * config.hidden_size * context
    return float(4 * total + 2 * trained + attention)


def peak_memory_bytes(device: str = "cpu") -> int:
    """The most memory that this process has held: resident, or of its CUDA device."""
    if device != "cpu":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
