"""Job: one training, from its recipe to the trainer that runs it; what the kinds have in common.

A kind of training is a module with two functions, `prepare` and `trainer` (`Kind`), and may have
two more: `check(job, prepared, trainer)` returns findings of the trainer before its first step, and
`inputs(job)` returns digests of what else decides the weights, such as a reward model. `one.py`
calls them in order: prepare the data, refuse silent mistakes, say the plan, train, write the model
and the child version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ethogram.models import ModelReference
    from ethogram.spec.recipes import ModelRecipe
    from ethogram.study import Study


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the checks before or after a training found.

    Attributes:
        code: short name of the check, such as `no_end_token`.
        message: one line: what is wrong, with an example row where there is one.
        hint: how to fix it.
        refuses: whether the training must not start; otherwise it is a warning.
        where: file and line of the example row, if there is one.
    """

    code: str
    message: str
    hint: str = ""
    refuses: bool = True
    where: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One training of a recipe with one seed.

    Attributes:
        study: the opened study; paths of the recipe count from its folder.
        path: of the recipe file.
        recipe: validated; one that trains a model, so no chain.
        seed: of this training.
        folder: where the finished model goes: `models/NAME`, or `models/NAME-seedS` for several
            seeds.
        work: where checkpoints go; kept until the training is complete.
        parent: the model that it starts from; None for `pretrain` without a parent.
        device: name of a torch device.
    """

    study: Study
    path: Path
    recipe: ModelRecipe
    seed: int
    folder: Path
    work: Path
    parent: ModelReference | None
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a training reads, for its plan.

    Attributes:
        rows: rows (documents, conversations or pairs) to learn from.
        held_out_rows: rows to evaluate on.
        tokens: tokens of one epoch, padding left out.
        learned_tokens: those that have a label.
        sequences: sequences (blocks, packs or rows) of one epoch.
        sequence_tokens: tokens of a sequence, padding included, for time and memory.
        held_out_bytes: UTF-8 bytes of the held-out text, for bits per byte; 0 where unused.
        cut_rows: rows that the context length cut, if the recipe allows it.
        dropped_rows: rows that stated rules of the recipe dropped.
    """

    rows: int
    held_out_rows: int
    tokens: int
    learned_tokens: int
    sequences: int
    sequence_tokens: int
    held_out_bytes: int = 0
    cut_rows: int = 0
    dropped_rows: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Model, tokenizer and tokenized data of a job, ready to be trained.

    Attributes:
        model: transformers module with float32 weights, not yet wrapped by an adapter.
        tokenizer: with its chat template and end token.
        train: a `datasets.Dataset`.
        held_out: a `datasets.Dataset` of the same columns, or None.
        counts: what it holds.
        fingerprint: digest of the content of the data files.
        examples: up to three rows as the model reads them: (token, whether it is learned) each.
        findings: what the kind's own checks found while it prepared.
        extra: what only the kind's own trainer reads, such as a reference model.
    """

    model: Any
    tokenizer: Any
    train: Any
    held_out: Any
    counts: Counts
    fingerprint: str
    examples: Sequence[Sequence[tuple[str, bool]]] = ()
    findings: Sequence[Finding] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


class Kind(Protocol):
    """A kind of training: a module of this package with these functions."""

    def prepare(self, job: Job) -> Prepared:
        """Read the data, load or make the model and tokenizer, and tokenize.

        Raises:
            EthogramError: a bad row, a missing file or a model that cannot be loaded; one line.
        """
        ...

    def trainer(self, job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> Any:
        """The transformers (or TRL) trainer of this kind.

        Args:
            job: the training.
            prepared: what `prepare` returned.
            arguments: keyword arguments of the kind's TrainingArguments class that `run.py` derives
                from the recipe: output_dir, steps, batch sizes, schedule, seed, precision,
                checkpoints, logging. The kind adds its own.
        """
        ...
