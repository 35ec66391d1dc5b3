"""Pre-flight: refuses mistakes that a loss curve does not show, before the first step.

One module a subject. Each finding is one line with an example row. `check_rows` needs no weights,
`check_model` runs a few forward passes, and `check_trainer` one backward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ethogram.train.job import Finding, Job
from ethogram.train.preflight.beginnings import doubled_bos
from ethogram.train.preflight.ends import no_end_token
from ethogram.train.preflight.gradients import dead_adapters
from ethogram.train.preflight.lengths import cut_rows
from ethogram.train.preflight.masks import empty_masks, full_masks
from ethogram.train.preflight.overlap import suite_overlap
from ethogram.train.preflight.packing import packing_leak
from ethogram.train.preflight.rewards import constant_rewards
from ethogram.train.preflight.serving import served_otherwise, unused_template
from ethogram.train.preflight.vocabulary import outside_vocabulary

if TYPE_CHECKING:
    from ethogram.models import LoadedModel
    from ethogram.train.chats import Chat, TokenRow

__all__ = [
    "check_model",
    "check_rows",
    "check_trainer",
    "constant_rewards",
    "cut_rows",
    "dead_adapters",
    "doubled_bos",
    "empty_masks",
    "full_masks",
    "no_end_token",
    "outside_vocabulary",
    "packing_leak",
    "served_otherwise",
    "suite_overlap",
    "unused_template",
]


def check_rows(
    job: Job,
    chat: Chat,
    loaded: LoadedModel,
    rows: Sequence[TokenRow],
    talks: Sequence[Any],
    held_out: Sequence[TokenRow] = (),
) -> list[Finding]:
    """What is wrong with the rows of a training, without running the model.

    Args:
        job: the training.
        chat: the chat format.
        loaded: the parent, for its limits and its request path.
        rows: as they are learned.
        talks: the rows of data that they were rendered from: `messages`, `where`.
        held_out: rows to evaluate on.
    """
    context, cuts = loaded.context_length, job.recipe.data.too_long == "cut"
    words = chat.tokenizer
    whole = [row for row in rows if not cuts or len(row) < context]
    found = [
        empty_masks(rows, words),
        full_masks(rows, words),
        no_end_token(whole, chat),
        doubled_bos(rows, words),
        outside_vocabulary(rows, loaded.vocab_size),
        cut_rows([*rows, *held_out], context, words)
        if job.recipe.data.too_long == "refuse"
        else None,
        unused_template(job),
        suite_overlap(job, talks),
    ]
    if not any(finding.code == "unused_template" for finding in found if finding):
        found.append(served_otherwise(job, chat, loaded, talks))
    return [finding for finding in found if finding is not None]


def check_model(model: Any, collate: Any, examples: Sequence[Any]) -> list[Finding]:
    """What is wrong with how a model reads a packed micro-batch.

    Args:
        model: a causal model with float32 weights.
        collate: of the trainer.
        examples: the first rows of the data set.
    """
    found = packing_leak(model, collate, examples)
    return [found] if found is not None else []


def check_trainer(trainer: Any) -> list[Finding]:
    """What one backward pass on the first rows shows; the trainer is left as it was.

    A trainer that generates what it learns from (`can_be_measured` is false) is not checked.
    """
    if not getattr(trainer, "can_be_measured", True):
        return []
    found = dead_adapters(trainer)
    return [found] if found is not None else []
