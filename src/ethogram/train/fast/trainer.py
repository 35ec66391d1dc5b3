"""FastTraining: a mixin that makes transformers' Trainer, and TRL's, quick and exactly resumable.

Put it first: `class FastSFTTrainer(FastTraining, SFTTrainer)`. Callbacks, data loading, processes
and evaluation stay the Trainer's own.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from ethogram.files import replacing
from ethogram.train.arguments import sharded
from ethogram.train.checkpoints import WholeCheckpoints
from ethogram.train.fast.activation import use_quick_gelu
from ethogram.train.fast.allocator import keep_memory
from ethogram.train.fast.masters import MUON_RATE, MasterWeights
from ethogram.train.fast.settings import EAGER_CONTEXT, Fast

if TYPE_CHECKING:
    from collections.abc import Iterator

_FROZEN = "frozen.safetensors"


class FastTraining(WholeCheckpoints):
    """Mixin: number format, optimizer, schedule and attention of `Fast`; whole checkpoints.

    Args:
        fast: settings; `Fast.of(recipe)`.
        model: keyword argument; a module with float32 weights. It is changed in place.
        arguments: positional ones of the trainer below.
        options: keyword ones of the trainer below.
    """

    def __init__(self, *arguments: Any, fast: Fast, model: Any, **options: Any) -> None:
        if model.device.type == "cpu":
            keep_memory()
        if sharded():  # FSDP has mixed precision and masters of its own.
            fast = replace(fast, precision="float32")
        self.fast = fast
        self._micro_losses: list[torch.Tensor] = []
        adapts = options.get("peft_config") is not None
        #: Float32 weights under an adapter, where training rounds them.
        self.frozen_file: Path | None = None
        if adapts and fast.precision == "bfloat16":
            self.frozen_file = Path(options["args"].output_dir) / _FROZEN
            _keep_frozen(model, self.frozen_file)
        exact = prepare_model(model, fast, keep=not adapts)
        super().__init__(*arguments, model=model, **options)  # type: ignore[call-arg]
        self._exact: dict[str, torch.Tensor] | None = exact

    # Number format and optimizer

    def create_optimizer(self, model: Any = None) -> Any:
        """AdamW, and Muon for matrices, on float32 masters; under FSDP the Trainer's own."""
        if self.optimizer is not None:
            return self.optimizer
        if sharded():
            return super().create_optimizer(model)  # type: ignore[misc]
        named = list(_trained(self.model if model is None else model))
        exact = self._exact or {}
        self.optimizer = MasterWeights(
            _groups(named, self.fast),
            originals={weight: exact[name] for name, weight in named if name in exact},
        )
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The schedule of the recipe over all steps."""
        if self.lr_scheduler is None:
            chosen = self.optimizer if optimizer is None else optimizer
            plain = getattr(chosen, "optimizer", chosen)  # accelerate wraps it.
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                plain, lambda step: self.fast.rate(step, num_training_steps)
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def _clip_grad_norm(self, model: Any) -> torch.Tensor:
        """The norm of all gradients in float32; clipping waits for the optimizer's float32 copy."""
        masters = self._masters()
        if masters is None or self.is_fsdp_enabled:
            return super()._clip_grad_norm(model)  # type: ignore[misc,no-any-return]
        gradients = [weight.grad for weight in masters.masters if weight.grad is not None]
        norms = [torch.linalg.vector_norm(each, dtype=torch.float32) for each in gradients]
        norm = torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.tensor(0.0)
        masters.gradient_scale = min(1.0, self.args.max_grad_norm / (float(norm) + 1e-6))
        return norm

    def _masters(self) -> MasterWeights | None:
        inner = getattr(self.optimizer, "optimizer", self.optimizer)
        return inner if isinstance(inner, MasterWeights) else None

    def exact_weights(self) -> dict[str, torch.Tensor]:
        """The trained weights in float32 by name: the masters, not what they round to."""
        if sharded():  # Gathered; process 0 alone has all of it.
            whole: dict[str, torch.Tensor] = self.accelerator.get_state_dict(self.model)
            return whole
        masters = self._masters()
        known = masters.masters if masters is not None else {}
        unrounded = self._exact or {}  # Until there are masters.
        model = self.accelerator.unwrap_model(self.model)
        return {
            name: known.get(weight, unrounded.get(name, weight)).detach().float()
            for name, weight in _trained(model)
        }

    #: Whether a step can be timed in advance; not where a step generates what it learns from, nor
    #: before FSDP has wrapped the model.
    can_be_measured = not sharded()

    @torch.no_grad()
    def forget_measured(self, kept: dict[str, torch.Tensor]) -> None:
        """Undo what timing some steps changed.

        Args:
            kept: copies of `exact_weights` from before.
        """
        exact = self._exact or {}
        for name, weight in _trained(self.model):
            weight.copy_(kept[name])
            if name in exact:  # Masters took it over.
                exact[name].copy_(kept[name])
            weight.grad = None
        self.optimizer, self._micro_losses = None, []
        for metrics in getattr(self, "_metrics", {}).values():  # Those of TRL.
            metrics.clear()
        if hasattr(self, "_total_train_tokens"):
            self._total_train_tokens = 0

    # The loss of each step

    def training_step(self, *arguments: Any, **options: Any) -> torch.Tensor:
        """One forward and backward pass, whose loss is remembered until the step ends."""
        loss: torch.Tensor = super().training_step(*arguments, **options)  # type: ignore[misc]
        self._micro_losses.append(loss.detach())
        return loss

    def take_step_loss(self) -> float:
        """The mean loss of the step that ended, over all processes; NaN if none was taken.

        The Trainer's own figure is a running mean that a checkpoint does not hold, so that the
        first one after resuming is wrong.
        """
        losses, self._micro_losses = self._micro_losses, []
        if not losses:
            return math.nan
        total = torch.stack(losses).sum()
        if self.args.world_size > 1:
            total = self.accelerator.gather(total.reshape(1)).mean()
        return float(total)


def prepare_model(model: Any, fast: Fast, *, keep: bool = True) -> dict[str, torch.Tensor] | None:
    """Give a model the number format, attention and activation of fast training, in place.

    Args:
        model: transformers module; float32 weights.
        fast: settings.
        keep: return the float32 weights that were rounded, for masters to start from.
    """
    model.config.use_cache = False  # A cache would let packed documents see each other.
    if (
        fast.context is not None
        and fast.context <= EAGER_CONTEXT
        and model.device.type == "cpu"
        and hasattr(model, "set_attn_implementation")
    ):
        model.set_attn_implementation("eager")
    if model.device.type == "cpu":
        use_quick_gelu(model)
    exact: dict[str, torch.Tensor] | None = None
    if fast.precision == "bfloat16":
        if keep:
            exact = {
                name: weight.detach().clone()
                for name, weight in _trained(model)
                if weight.dtype == torch.float32
            }
        model.to(torch.bfloat16)
    return exact


def _keep_frozen(model: Any, file: Path) -> None:
    """Write the float32 weights of a model to a file, unless it is there.

    An adapter is merged into them at the end, and not into what they were rounded to.
    """
    if file.is_file():
        return
    weights = {name: weight.detach().contiguous() for name, weight in model.named_parameters()}
    with replacing(file) as temporary:
        save_file(weights, temporary)


def _trained(model: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            yield name, weight


def _groups(named: list[tuple[str, torch.nn.Parameter]], fast: Fast) -> list[dict[str, Any]]:
    """Matrices of layers, embeddings and heads, and vectors: algorithm and decay of each."""
    matrices, tables, vectors = [], [], []
    for name, weight in named:
        if weight.dim() < 2:
            vectors.append(weight)
        elif weight.dim() == 2 and not _is_table(name):
            matrices.append(weight)
        else:
            tables.append(weight)
    muon = fast.optimizer == "muon"
    rate = fast.learning_rate
    groups = [
        {
            "params": matrices,
            "lr": rate * (MUON_RATE if muon else 1),
            "weight_decay": fast.weight_decay / (MUON_RATE if muon else 1),
            "algorithm": "muon" if muon else "adamw",
        },
        {"params": tables, "lr": rate, "weight_decay": fast.weight_decay, "algorithm": "adamw"},
        {"params": vectors, "lr": rate, "weight_decay": 0.0, "algorithm": "adamw"},
    ]
    return [group for group in groups if group["params"]]


def _is_table(name: str) -> bool:
    """Whether a weight is an embedding or a head, whose rows are tokens or positions."""
    parts = name.split(".")
    return any(
        part
        in ("wte", "wpe", "embed_tokens", "embed_in", "embed_out", "lm_head", "score", "shared")
        for part in parts
    )
