"""The trainer of reward models. Importing it imports torch and TRL."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
import trl
from trl.trainer.reward_trainer import DataCollatorForPreference

from ethogram.train.calibration import calibration
from ethogram.train.fast import Fast, FastTraining
from ethogram.train.job import Job, Prepared
from ethogram.train.preferring import Preferring, adapter_of, train_options

if TYPE_CHECKING:
    from ethogram.spec.recipes import RewardRecipe


class RewardsTrainer(Preferring, FastTraining, trl.RewardTrainer):  # type: ignore[misc]
    """TRL's trainer, whose loss it keeps; calibration on held-out pairs beside it."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """TRL's loss; margins of held-out pairs are kept until the end of the evaluation."""
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if not self.model.training:
            chosen, rejected = outputs.logits.squeeze(-1).float().chunk(2)
            margins = self.accelerator.gather_for_metrics((chosen - rejected).detach())
            self.held_out_margins += margins.tolist()
        return (loss, outputs) if return_outputs else loss

    def prediction_step(
        self, model: Any, inputs: Any, prediction_loss_only: bool, ignore_keys: Any = None
    ) -> Any:
        """The loss alone."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            return self.compute_loss(model, inputs), None, None

    def evaluate(self, *arguments: Any, **options: Any) -> dict[str, float]:
        """Loss, accuracy, and calibration: expected error, and its share in each bin."""
        self.held_out_margins: list[float] = []
        found: dict[str, float] = super().evaluate(*arguments, **options)
        if self.held_out_margins:
            shown = calibration(self.held_out_margins)
            found["eval_accuracy"] = shown.accuracy
            found["eval_calibration_error"] = shown.error
            for each in shown.bins:
                found[f"eval_reliability/{each.low:.1f}"] = each.right
        return found


def make_trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> RewardsTrainer:
    """A trainer for the pairs of a job."""
    recipe, extra = cast("RewardRecipe", job.recipe), prepared.extra
    config = adapter_of(job, prepared, task="SEQ_CLS", tokens=True)
    if config is not None:
        config.modules_to_save = ["score"]
    pad = prepared.model.config.pad_token_id
    words = copy.deepcopy(prepared.tokenizer)
    words.pad_token = words.convert_ids_to_tokens(pad)
    return RewardsTrainer(
        fast=Fast.of(recipe, context=extra["longest"]),
        recipe=recipe,
        model=prepared.model,
        args=trl.RewardConfig(
            **train_options(job, arguments),
            max_length=None,
            center_rewards_coefficient=recipe.center or None,
        ),
        train_dataset=prepared.train,
        eval_dataset=prepared.held_out,
        processing_class=words,
        data_collator=DataCollatorForPreference(pad_token_id=pad),
        peft_config=config,
    )
