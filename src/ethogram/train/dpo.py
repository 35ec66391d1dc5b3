"""DPO: direct preference optimisation on pairs of replies (Rafailov et al. 2023, arXiv:2305.18290).

The reference model is always the parent: its log-probabilities are computed before the first step,
or a copy of its weights is kept where more pairs are given than are read. TRL would load it again
by the name in the configuration, which need not be the weights that are trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ethogram.errors import SpecError
from ethogram.train import preflight
from ethogram.train.chats import shown
from ethogram.train.documents import rules_used
from ethogram.train.job import Finding, Job, Prepared
from ethogram.train.pairs import Fitted, conversation, counts_of, fit, read_pairs, token_row
from ethogram.train.sft import load_parent

if TYPE_CHECKING:
    from ethogram.models import LoadedModel
    from ethogram.train.chats import Chat, TokenRow
    from ethogram.train.conversations import TrainingRows

#: Rows shown by a plan, and read to test packing.
_SHOWN = 3


def prepare(job: Job) -> Prepared:
    """Read the pairs and the parent, and render both replies of each.

    Raises:
        EthogramError: a bad row, a missing file, a template that cannot format a row, or a model
            that cannot be loaded or is an encoder-decoder one.
    """
    pairs = read_pairs(job)
    loaded, chat = load_causal(job)
    sides = [
        [(token_row(chat, row, row.chosen), token_row(chat, row, row.rejected)) for row in rows]
        for rows in (pairs.train, pairs.held_out)
    ]
    return prepared_from(job, loaded, chat, pairs, sides, _dataset)


def load_causal(job: Job) -> tuple[LoadedModel, Chat]:
    """The parent in float32 and its chat format.

    Raises:
        SpecError: it is an encoder-decoder model.
    """
    loaded, chat = load_parent(job)
    if loaded.is_encoder_decoder:
        raise SpecError(
            f"{job.recipe.kind} trains causal models, and {job.recipe.parent} is encoder-decoder",
            where=f"{job.path}: parent",
            hint="use an sft recipe, or another parent",
        )
    return loaded, chat


def prepared_from(
    job: Job,
    loaded: LoadedModel,
    chat: Chat,
    read: TrainingRows,
    sides: Sequence[Sequence[tuple[TokenRow, ...]]],
    dataset: Any,
) -> Prepared:
    """What pairs and votes have in common: rows within the context, checks and counts.

    Args:
        job: the training.
        loaded: the parent.
        chat: its chat format.
        read: rows of the files.
        sides: token rows of those to learn from, and of those held out.
        dataset: makes a `datasets.Dataset` of fitted rows.
    """
    rule, context = job.recipe.data.too_long, loaded.context_length
    train, held_out = (fit(side, context, rule) for side in sides)
    if not train.groups:
        raise SpecError(
            f"every row is longer than the context of {context} tokens",
            where=f"{job.path}: data.too_long",
            hint="use shorter rows",
        )
    flat = [row for group in train.groups for row in group]
    talks = [
        conversation(row, reply)
        for row in read.train
        for reply in ((row.reply,) if row.kind == "vote" else (row.chosen, row.rejected))
    ]
    evaluated = [row for group in held_out.groups for row in group]
    findings = [
        *rules_used(read.used),
        *preflight.check_rows(job, chat, loaded, flat, talks, evaluated),
    ]
    return Prepared(
        model=loaded.model,
        tokenizer=loaded.tokenizer,
        train=dataset(train, read.train),
        held_out=dataset(held_out, read.held_out) if held_out.groups else None,
        counts=counts_of(train, held_out),
        fingerprint=read.fingerprint,
        examples=[shown(row, loaded.tokenizer) for row in flat[:_SHOWN]],
        findings=findings,
        extra={
            "chat": chat,
            "loaded": loaded,
            "context": context,
            "longest": max(len(row) for row in flat),
            "rows": flat,
        },
    )


def parts(row: TokenRow) -> tuple[list[int], list[int]]:
    """Ids of the prompt and of the reply."""
    start = len(row) - row.learned_tokens
    return list(row.ids[:start]), list(row.ids[start:])


def _dataset(pairs: Fitted, _: Any) -> Any:
    from datasets import Dataset

    chosen = [parts(pair[0]) for pair in pairs.groups]
    rejected = [parts(pair[1]) for pair in pairs.groups]
    return Dataset.from_dict(
        {
            "prompt_ids": [prompt for prompt, _ in chosen],
            "chosen_ids": [reply for _, reply in chosen],
            "rejected_ids": [reply for _, reply in rejected],
        }
    )


def trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> Any:
    """TRL's DPOTrainer on packed pairs.

    Args:
        job: the training.
        prepared: what `prepare` returned.
        arguments: of TrainingArguments.
    """
    from ethogram.train.dpo_trainer import make_trainer

    return make_trainer(job, prepared, arguments)


def check(job: Job, prepared: Prepared, trainer: Any) -> list[Finding]:
    """What one backward pass shows: adapters that receive no gradient."""
    return preflight.check_trainer(trainer)
