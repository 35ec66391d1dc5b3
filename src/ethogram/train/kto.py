"""KTO: single votes instead of pairs (Ethayarajh et al. 2024, arXiv:2402.01306).

The KL to the parent is estimated, as in the paper, on replies of other prompts of the same
micro-batch, so batches are fixed before the training: shuffled once, by the seed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ethogram.errors import SpecError
from ethogram.train import preflight
from ethogram.train.arguments import batches_of
from ethogram.train.dpo import load_causal, parts, prepared_from
from ethogram.train.job import Finding, Job, Prepared
from ethogram.train.pairs import Fitted, read_votes, token_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ethogram.corpus import Row


def prepare(job: Job) -> Prepared:
    """Read the votes and the parent, and render each reply.

    Raises:
        EthogramError: a bad row, a missing file, votes of one kind only, a template that cannot
            format a row, or a model that cannot be loaded or is an encoder-decoder one.
    """
    votes = read_votes(job)
    if len({row.label for row in votes.train}) < 2:
        raise SpecError(
            f"every vote is a {'like' if votes.train[0].label else 'dislike'}",
            where=f"{job.path}: data.train",
            hint="KTO needs replies that were liked and replies that were not",
        )
    if batches_of(job).micro < 2:
        raise SpecError(
            "KTO needs at least 2 votes in a forward pass",
            where=f"{job.path}: training.micro_batch_size",
            hint="its KL is estimated on replies of other prompts",
        )
    loaded, chat = load_causal(job)
    sides = [
        [(token_row(chat, row, row.reply),) for row in rows]
        for rows in (votes.train, votes.held_out)
    ]

    def dataset(fitted: Fitted, rows: Sequence[Row]) -> Any:
        return _dataset(fitted, rows, size=batches_of(job).micro, seed=job.seed)

    return prepared_from(job, loaded, chat, votes, sides, dataset)


def _dataset(votes: Fitted, rows: Sequence[Row], *, size: int, seed: int) -> Any:
    """Prompt, reply, label, and the reply of the vote before it in its micro-batch."""
    from datasets import Dataset

    order = list(range(len(votes.groups)))
    random.Random(seed).shuffle(order)
    read = [parts(votes.groups[at][0]) for at in order]
    replies = [reply for _, reply in read]
    others: list[list[int]] = []
    for start in range(0, len(replies), size):
        some = replies[start : start + size]
        others += [some[-1], *some[:-1]]
    return Dataset.from_dict(
        {
            "prompt_ids": [prompt for prompt, _ in read],
            "completion_ids": replies,
            "KL_completion_ids": others,
            "label": [rows[votes.kept[at]].label for at in order],
        }
    )


def trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> Any:
    """TRL's KTOTrainer.

    Args:
        job: the training.
        prepared: what `prepare` returned.
        arguments: of TrainingArguments.
    """
    from ethogram.train.kto_trainer import make_trainer

    return make_trainer(job, prepared, arguments)


def check(job: Job, prepared: Prepared, trainer: Any) -> list[Finding]:
    """What one backward pass shows: adapters that receive no gradient."""
    return preflight.check_trainer(trainer)
