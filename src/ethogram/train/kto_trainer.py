"""The trainer of KTO. Importing it imports torch and TRL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import trl
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from ethogram.train.fast import Fast, FastTraining
from ethogram.train.job import Job, Prepared
from ethogram.train.preferring import Preferring, adapter_of, reads_all, reference_of, train_options

if TYPE_CHECKING:
    from ethogram.spec.recipes import KtoRecipe


class VotesTrainer(Preferring, FastTraining, trl.KTOTrainer):  # type: ignore[misc]
    """TRL's trainer, whose loss it keeps, on rows that are tokens already."""

    def reference_columns(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Log-probabilities of the replies, and of those of other prompts, under the parent."""
        logps, others = self.compute_ref_log_probs(self.model, inputs)
        return {"ref_logps": logps, "ref_KL_logps": others}


def make_trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> VotesTrainer:
    """A trainer for the votes of a job."""
    recipe, extra = cast("KtoRecipe", job.recipe), prepared.extra
    fast = Fast.of(recipe, context=extra["longest"])
    ahead = reads_all(job, prepared)
    return VotesTrainer(
        fast=fast,
        recipe=recipe,
        model=prepared.model,
        ref_model=None if ahead or recipe.lora else reference_of(prepared.model, fast),
        args=trl.KTOConfig(
            **train_options(job, {**arguments, "train_sampling_strategy": "sequential"}),
            beta=recipe.beta,
            desirable_weight=recipe.desirable_weight,
            undesirable_weight=recipe.undesirable_weight,
            max_length=None,
            precompute_ref_log_probs=ahead,
        ),
        train_dataset=prepared.train,
        eval_dataset=prepared.held_out,
        processing_class=prepared.tokenizer,
        data_collator=DataCollatorForUnpairedPreference(
            pad_token_id=extra["chat"].pad_id or 0,
            max_length=extra["context"],  # Of a reply after the prompt of another one.
        ),
        peft_config=adapter_of(job, prepared),
    )
