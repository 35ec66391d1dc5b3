"""Preferring: what the trainers of DPO, KTO and reward models share, as a mixin over TRL's.

Importing it imports torch.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from ethogram.train.arguments import batches_of, steps_of
from ethogram.train.fast.trainer import prepare_model
from ethogram.train.tuning import adapter, unlearned_tokens

if TYPE_CHECKING:
    from ethogram.spec.recipes import ModelRecipe
    from ethogram.train.fast import Fast
    from ethogram.train.job import Job, Prepared


class Preferring:
    """Mixin: rows that are tokens already, log-probabilities of the parent, exact means.

    Args:
        recipe: keyword argument.
        arguments: positional ones of the trainer below.
        options: keyword ones of the trainer below.
    """

    accelerator: Any
    model: Any
    args: Any
    data_collator: Any
    _metrics: Any

    def __init__(self, *arguments: Any, recipe: ModelRecipe, **options: Any) -> None:
        self.recipe: Any = recipe
        # TRL gives a tokenizer without padding its end token for that, which is not to be saved.
        options["processing_class"] = copy.deepcopy(options["processing_class"])
        super().__init__(*arguments, **options)

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """Rows are tokens as generation reads them."""
        return dataset

    def reference_columns(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Columns of a batch that only the parent's weights decide, [n] each."""
        raise NotImplementedError

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
        """Add the columns of the parent, whose weights the model has before its first step.

        TRL would keep them in a file, by a digest of all weights.
        """
        columns: dict[str, list[float]] = {}
        was_training = self.model.training
        self.model.eval()
        device = self.accelerator.device
        with torch.no_grad():
            for start in range(0, len(dataset), batch_size):
                rows = [dataset[at] for at in range(start, min(start + batch_size, len(dataset)))]
                batch = {name: each.to(device) for name, each in self.data_collator(rows).items()}
                for column, values in self.reference_columns(batch).items():
                    columns.setdefault(column, []).extend(values.float().tolist())
        self.model.train(was_training)
        for column, values in columns.items():
            dataset = dataset.add_column(column, values)
        return dataset

    def collect(self, values: Mapping[str, Any]) -> None:
        """Note values of single pairs or tokens, of which a step's mean is logged."""
        mode = "train" if self.model.training else "eval"
        for name, each in values.items():
            self._metrics[mode][name].extend(self.accelerator.gather_for_metrics(each).tolist())

    def log(self, logs: dict[str, float], *rest: Any) -> None:
        """TRL counts tokens in a number that a checkpoint does not hold."""
        for mode in self._metrics.values():
            mode.pop("num_tokens", None)
        super().log(logs, *rest)  # type: ignore[misc]


def reads_all(job: Job, prepared: Prepared) -> bool:
    """Whether the recipe reads each row, so that it pays to compute the parent's values first."""
    rows = prepared.counts.sequences
    return steps_of(job, rows) * batches_of(job).size >= rows


def reference_of(model: Any, fast: Fast) -> Any:
    """A copy of a parent that no training changes, in the number format of the training.

    Args:
        model: with float32 weights, and not patched: a patch would go on calling the original.
        fast: settings of the training.
    """
    copied = copy.deepcopy(model)
    prepare_model(copied, fast, keep=False)
    return copied.eval().requires_grad_(False)


def adapter_of(
    job: Job, prepared: Prepared, *, task: str | None = None, tokens: bool = False
) -> Any:
    """The PEFT configuration of a recipe's `lora`; None without one.

    Args:
        job: the training.
        prepared: for the model and its chat format.
        task: of PEFT; default: by the model.
        tokens: train the embeddings of chat tokens that the parent never learned, too. TRL's head
            for log-probabilities cannot read a head that is tied to such embeddings.
    """
    lora = job.recipe.lora  # type: ignore[union-attr]
    if lora is None:
        return None
    unlearned = unlearned_tokens(job, prepared.extra["chat"]) if tokens else ()
    return adapter(prepared.model, lora, unlearned, task=task)


def train_options(job: Job, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of all of TRL's configurations for preferences.

    Gradient checkpointing saves memory for a third more time, which a CPU does not lack.
    """
    chosen = {"activation_checkpointing": job.device != "cpu", "bf16": False}
    return {**chosen, **arguments}
