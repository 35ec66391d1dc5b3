"""The trainers of SFT. Importing it imports torch and TRL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import torch
import transformers
import trl

from ethogram.train.collate import Packer, Padder
from ethogram.train.fast import Fast, FastTraining
from ethogram.train.job import Job, Prepared
from ethogram.train.loss import can_patch, patch

if TYPE_CHECKING:
    from ethogram.spec.recipes import SftRecipe


class HeldOutLoss:
    """Mixin: held-out loss is the mean over all learned tokens, not over batches."""

    #: UTF-8 bytes of the held-out replies; 0 if unknown.
    held_out_bytes = 0

    def nll_of(self, batch: dict[str, Any]) -> tuple[Any, Any]:
        """Negative log-likelihood of a batch's learned tokens, summed, and their number."""
        raise NotImplementedError

    @torch.no_grad()
    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Held-out loss in nats per learned token, and in bits per byte of the replies."""
        me: Any = self
        rows, size = me.eval_dataset, max(1, me.args.per_device_eval_batch_size)
        sums = torch.zeros(1, 2, dtype=torch.float64, device=me.args.device)
        me.model.eval()
        # Every process takes its share of the batches.
        for start in range(me.args.process_index * size, len(rows), size * me.args.world_size):
            some = [rows[at] for at in range(start, min(start + size, len(rows)))]
            nll, count = self.nll_of(me._prepare_inputs(me.data_collator(some)))
            sums += torch.tensor([[float(nll), float(count)]], dtype=torch.float64).to(sums)
        me.model.train()
        if me.args.world_size > 1:
            sums = me.accelerator.gather(sums)
        nats, tokens = sums.sum(0).tolist()
        found = {"eval_loss": nats / tokens} if tokens else {}
        if self.held_out_bytes:
            found["eval_bits_per_byte"] = nats / math.log(2) / self.held_out_bytes
        return found


class CausalTrainer(HeldOutLoss, FastTraining, trl.SFTTrainer):  # type: ignore[misc]
    """TRL's trainer, with the loss of the learned tokens only (`train/loss.py`)."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        inner = self.model
        if hasattr(inner, "get_base_model"):  # An adapter wraps it.
            inner = inner.get_base_model()
        self.patched = can_patch(inner)
        if self.patched:
            patch(inner)

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = ["input_ids", "labels"]

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The mean over all learned tokens of the step, however it is cut into micro-batches."""
        if not self.patched or return_outputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        out = model(**inputs, learned_only=True)
        mode = "train" if self.model.training else "eval"
        self._metrics[mode]["token_accuracy"].append(float(out.correct / out.count.clamp(min=1)))
        return _mean(self, out.nll, out.count, num_items_in_batch)

    def nll_of(self, batch: dict[str, Any]) -> tuple[Any, Any]:
        """Negative log-likelihood of a batch's learned tokens, summed, and their number."""
        if self.patched:
            out = self.model(**batch, learned_only=True)
            return out.nll, out.count
        count = (batch["labels"] != -100).sum()
        return self.model(**batch, use_cache=False).loss * count, count


class PairTrainer(HeldOutLoss, FastTraining, transformers.Trainer):  # type: ignore[misc]
    """transformers' Trainer for an encoder-decoder model, with the same mean."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.model_accepts_loss_kwargs = True
        self._loss_shifts_labels = False

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = ["input_ids", "labels"]

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The mean over all learned tokens of the step, however it is cut into micro-batches."""
        out = model(**inputs, use_cache=False)
        count = (inputs["labels"] != -100).sum()
        loss = _mean(self, out.loss * count, count, num_items_in_batch)
        return (loss, out) if return_outputs else loss

    def nll_of(self, batch: dict[str, Any]) -> tuple[Any, Any]:
        """Negative log-likelihood of a batch's learned tokens, summed, and their number."""
        count = (batch["labels"] != -100).sum()
        return self.model(**batch, use_cache=False).loss * count, count


def _mean(trainer: Any, nll: Any, count: Any, items: Any) -> Any:
    """A sum as the mean over a step's tokens; DDP divides gradients by the processes."""
    if items is None:
        return nll / count.clamp(min=1)
    scale = trainer.accelerator.num_processes if trainer.args.average_tokens_across_devices else 1
    return nll * scale / items


def causal_trainer(
    job: Job, prepared: Prepared, arguments: Mapping[str, Any], peft_config: Any
) -> Any:
    """A trainer for a causal model."""
    packing, context = cast("SftRecipe", job.recipe).packing, prepared.extra["context"]
    pad = prepared.extra["chat"].pad_id or 0
    trainer = CausalTrainer(
        fast=_fast(job, prepared),
        model=prepared.model,
        args=trl.SFTConfig(
            **_common(job, arguments, grouped=not packing),
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=prepared.train,
        eval_dataset=prepared.held_out,
        processing_class=prepared.tokenizer,
        data_collator=Packer(pad, context) if packing else Padder(pad),
        peft_config=peft_config,
    )
    trainer.held_out_bytes = prepared.counts.held_out_bytes
    return trainer


def seq2seq_trainer(
    job: Job, prepared: Prepared, arguments: Mapping[str, Any], peft_config: Any
) -> Any:
    """A trainer for an encoder-decoder model; rows are padded, as its encoder sees all tokens."""
    model, fast = prepared.model, _fast(job, prepared)
    if peft_config is not None:
        import peft

        transformers.set_seed(job.seed)
        model = peft.get_peft_model(model, peft_config)
        # Wrapped already, so what is under the adapter would be rounded for good.
        fast = replace(fast, precision="float32")
    trainer = PairTrainer(
        fast=fast,
        model=model,
        args=transformers.TrainingArguments(**_common(job, arguments, grouped=True)),
        train_dataset=prepared.train,
        eval_dataset=prepared.held_out,
        processing_class=prepared.tokenizer,
        data_collator=Padder(prepared.extra["chat"].pad_id or 0),
    )
    trainer.held_out_bytes = prepared.counts.held_out_bytes
    return trainer


def _fast(job: Job, prepared: Prepared) -> Fast:
    longest = max(len(row) for row in prepared.extra["rows"])
    return Fast.of(job.recipe, context=longest)


def _common(job: Job, arguments: Mapping[str, Any], *, grouped: bool) -> dict[str, Any]:
    """Arguments of both trainers; rows that are padded share a batch with rows of like length.

    Gradient checkpointing saves memory for a third more time, which a CPU does not lack.
    """
    chosen = {
        "activation_checkpointing": job.device != "cpu",
        "bf16": False,
        "train_sampling_strategy": "group_by_length" if grouped else "random",
        "remove_unused_columns": True,
        "average_tokens_across_devices": True,
    }
    return {**chosen, **arguments}
