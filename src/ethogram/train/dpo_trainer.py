"""The trainer of DPO. Importing it imports torch and TRL."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

import torch
import trl

from ethogram.train import logprobs
from ethogram.train.fast import Fast, FastTraining
from ethogram.train.job import Job, Prepared
from ethogram.train.pair_batches import PairCollator, packs
from ethogram.train.preference_loss import dpo_losses
from ethogram.train.preferring import Preferring, adapter_of, reads_all, reference_of, train_options

if TYPE_CHECKING:
    from ethogram.spec.recipes import DpoRecipe


class PairsTrainer(Preferring, FastTraining, trl.DPOTrainer):  # type: ignore[misc]
    """TRL's trainer; logits of replies only, and exact means over pairs."""

    recipe: DpoRecipe

    def sequence_logps(self, model: Any, inputs: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Of each sequence: log-probability, tokens, and tokens that are the likeliest, [2n] each.

        Args:
            model: patched by `logprobs.patch`.
            inputs: a batch of `PairCollator`.
        """
        names = ("input_ids", "position_ids", "attention_mask", "labels")
        read = {name: inputs[name] for name in names if name in inputs}
        out = model(**read, token_logprobs=True)
        owner = inputs["sequence"][:, 1:][out.learned]
        count = int(inputs["sequence"].max()) + 1
        sums = torch.zeros(count, dtype=out.logprobs.dtype, device=out.logprobs.device)
        ones = torch.ones_like(out.logprobs)
        tokens = torch.zeros_like(sums).index_add(0, owner, ones)
        correct = torch.zeros_like(sums).index_add(0, owner, out.correct.to(sums.dtype))
        return sums.index_add(0, owner, out.logprobs), tokens, correct

    @torch.no_grad()
    def reference_logps(self, inputs: Mapping[str, Any]) -> tuple[Any, Any]:
        """Log-probabilities under the parent: of chosen and of rejected replies, [n] each."""
        model = self.ref_model if self.ref_model is not None else self.model
        off = nullcontext()
        if self.ref_model is None and hasattr(self.model, "disable_adapter"):
            off = self.accelerator.unwrap_model(self.model).disable_adapter()
        with off:
            chosen, rejected = self.sequence_logps(model, inputs)[0].chunk(2)
        return chosen, rejected

    def reference_columns(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The same as columns of a data set."""
        chosen, rejected = self.reference_logps(inputs)
        return {"ref_chosen_logps": chosen, "ref_rejected_logps": rejected}

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The mean loss of the pairs of a micro-batch."""
        sums, tokens, correct = self.sequence_logps(model, inputs)
        (chosen, rejected), (chosen_tokens, rejected_tokens) = sums.chunk(2), tokens.chunk(2)
        if "ref_chosen_logps" in inputs:
            known = inputs["ref_chosen_logps"], inputs["ref_rejected_logps"]
        else:
            known = self.reference_logps(inputs)
        ratios = chosen - known[0], rejected - known[1]
        recipe = self.recipe
        losses = dpo_losses(
            *ratios,
            loss=recipe.loss,
            beta=recipe.beta,
            smoothing=recipe.label_smoothing,
            chosen_tokens=chosen_tokens,
            rejected_tokens=rejected_tokens,
        )
        loss = losses.mean()
        values = self._values(chosen, rejected, *(recipe.beta * each.detach() for each in ratios))
        if recipe.sft_weight:
            sft = -chosen.sum() / chosen_tokens.sum()
            loss = loss + recipe.sft_weight * sft
            values["sft_loss"] = sft.detach().expand(len(chosen))
        if not self.model.training:
            extra = recipe.sft_weight * values["sft_loss"] if recipe.sft_weight else 0.0
            values["loss"] = losses.detach() + extra
        self.collect(values | {"token_accuracy": correct[: len(chosen)] / chosen_tokens})
        return (loss, {}) if return_outputs else loss

    def _values(
        self, chosen: Any, rejected: Any, chosen_rewards: Any, rejected_rewards: Any
    ) -> dict[str, Any]:
        margins = chosen_rewards - rejected_rewards
        return {
            "logps/chosen": chosen.detach(),
            "logps/rejected": rejected.detach(),
            "rewards/chosen": chosen_rewards,
            "rewards/rejected": rejected_rewards,
            "rewards/margins": margins,
            "rewards/accuracies": (margins > 0).float(),
        }


def make_trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> PairsTrainer:
    """A trainer for the pairs of a job."""
    recipe, extra = cast("DpoRecipe", job.recipe), prepared.extra
    fast = Fast.of(recipe, context=extra["longest"])
    chat, context = extra["chat"], extra["context"]
    packed = packs(prepared.model, chat, extra["rows"], context)
    ahead = reads_all(job, prepared)
    reference = None if ahead or recipe.lora else reference_of(prepared.model, fast)
    for model in (prepared.model, reference):
        if model is not None:
            logprobs.patch(model)
    return PairsTrainer(
        fast=fast,
        recipe=recipe,
        model=prepared.model,
        ref_model=reference,
        args=trl.DPOConfig(
            **train_options(job, arguments),
            beta=recipe.beta,
            max_length=None,
            precompute_ref_log_probs=ahead,
        ),
        train_dataset=prepared.train,
        eval_dataset=prepared.held_out,
        processing_class=prepared.tokenizer,
        data_collator=PairCollator(chat.pad_id or 0, context, packed=packed),
        peft_config=adapter_of(job, prepared, tokens=True),
    )
