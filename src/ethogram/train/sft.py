"""SFT: supervised fine-tuning on conversations; the loss is on replies and their end tokens.

On TRL's SFTTrainer for causal models and transformers' Trainer for encoder-decoder ones. Rows are
tokenised here and not by TRL, so that nothing is dropped or cut silently, and the ids are those
that generation reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from ethogram.errors import DataError
from ethogram.extras import require
from ethogram.train import preflight
from ethogram.train.chats import Chat, TokenRow, make_chat, shown
from ethogram.train.collate import Packer, pack
from ethogram.train.conversations import TrainingRows, read_rows
from ethogram.train.documents import rules_used
from ethogram.train.job import Counts, Finding, Job, Prepared
from ethogram.train.tuning import adapter, prompt_arguments, set_dropout, set_ends, unlearned_tokens

if TYPE_CHECKING:
    from ethogram.models import LoadedModel
    from ethogram.spec.recipes import SftRecipe

#: Rows shown by a plan.
_SHOWN = 3


def prepare(job: Job) -> Prepared:
    """Read conversations and the parent, and render the rows.

    Raises:
        EthogramError: a bad row, a missing file, a template that cannot format a row, or a model
            that cannot be loaded.
    """
    talks = read_rows(job)
    loaded, chat = load_parent(job)
    rows, held_out = render(chat, talks.train), render(chat, talks.held_out)
    return prepared_from(job, loaded, chat, talks, rows, held_out)


def load_parent(job: Job) -> tuple[LoadedModel, Chat]:
    """The parent in float32, and its chat format, with a template and end token in any case."""
    from ethogram import models

    assert job.parent is not None
    loaded = models.load(replace(job.parent, dtype="float32"), device=job.device)
    chat = make_chat(
        loaded.tokenizer,
        template=getattr(job.recipe, "template", None),
        folder=job.study.folder,
        seq2seq=loaded.is_encoder_decoder,
        arguments=prompt_arguments(job),
        eos_token_ids=loaded.eos_token_ids,
    )
    set_ends(loaded.model, chat)
    set_dropout(loaded.model, job.recipe.training.dropout)
    return loaded, chat


def render(chat: Chat, talks: Sequence[Any]) -> list[TokenRow]:
    """The rows of conversations, in order."""
    return [row for talk in talks for row in chat.rows(talk.messages, where=talk.where)]


def prepared_from(
    job: Job,
    loaded: LoadedModel,
    chat: Chat,
    talks: TrainingRows,
    rows: Sequence[TokenRow],
    held_out: Sequence[TokenRow],
) -> Prepared:
    """Rows within the context as data sets, with what a plan says of them."""
    if not rows:
        raise DataError("no conversation to learn from", where=str(job.path))
    context = loaded.context_length
    long = sum(_longest(row) > context for row in rows)
    rule = job.recipe.data.too_long
    fitted, held_out = _fit(rows, context, rule), _fit(held_out, context, rule)
    dropped = len(rows) - len(fitted)
    counts = Counts(
        rows=len(fitted),
        held_out_rows=len(held_out),
        tokens=sum(map(_length, fitted)),
        learned_tokens=sum(row.learned_tokens for row in fitted),
        sequences=len(fitted),
        sequence_tokens=_padded_length(job, fitted, context, seq2seq=chat.seq2seq),
        held_out_bytes=_learned_bytes(held_out, loaded.tokenizer),
        cut_rows=long if rule == "cut" else 0,
        dropped_rows=dropped,
    )
    train = dataset(fitted)
    findings = preflight.check_rows(job, chat, loaded, fitted, talks.train, held_out)
    if not findings and getattr(job.recipe, "packing", False) and not chat.seq2seq:
        loaded.model.config.use_cache = False  # As it trains.
        collate = Packer(chat.pad_id or 0, context)
        findings = preflight.check_model(loaded.model, collate, _first(train))
    return Prepared(
        model=loaded.model,
        tokenizer=loaded.tokenizer,
        train=train,
        held_out=dataset(held_out) if held_out else None,
        counts=counts,
        fingerprint=talks.fingerprint,
        examples=[shown(row, loaded.tokenizer) for row in fitted[:_SHOWN]],
        findings=[*findings, *rules_used(talks.used)],
        extra={
            "chat": chat,
            "loaded": loaded,
            "rows": fitted,
            "talks": talks,
            "context": context,
        },
    )


def _first(train: Any) -> list[Any]:
    return [train[at] for at in range(min(_SHOWN + 1, len(train)))]


def _length(row: TokenRow) -> int:
    return len(row.ids) + len(row.source)


def _longest(row: TokenRow) -> int:
    """Tokens of what is longer, what an encoder reads or what a decoder does."""
    return max(len(row.ids), len(row.source))


def _fit(rows: Sequence[TokenRow], context: int, rule: str) -> list[TokenRow]:
    """Rows that are too long are cut or left out; refusing them is for the checks."""
    if rule == "cut":
        return [row.cut(context) for row in rows]
    if rule == "drop":
        return [row for row in rows if _longest(row) <= context]
    return list(rows)


def _learned_bytes(rows: Sequence[TokenRow], tokenizer: Any) -> int:
    texts = (tokenizer.decode(row.learned_ids, skip_special_tokens=True) for row in rows)
    return sum(len(text.encode()) for text in texts)


def _padded_length(job: Job, rows: Sequence[TokenRow], context: int, *, seq2seq: bool) -> int:
    """Tokens of a row with its share of the padding, in micro-batches in file order."""
    size = min(job.recipe.training.micro_batch_size or job.recipe.setting("batch_size"), len(rows))
    total = 0
    for start in range(0, len(rows), size):
        lengths = [_length(row) for row in rows[start : start + size]]
        if getattr(job.recipe, "packing", False) and not seq2seq and max(lengths) <= context:
            bins, width = pack(lengths, context)
            total += len(bins) * width
        else:
            total += len(lengths) * max(lengths)
    return math.ceil(total / len(rows))


def dataset(rows: Sequence[TokenRow]) -> Any:
    """Rows as a `datasets.Dataset` of input_ids and labels."""
    datasets = require("datasets", extra="train", needed_for="training")
    return datasets.Dataset.from_dict(
        {
            "input_ids": [list(row.source or row.ids) for row in rows],
            "labels": [row.labels for row in rows],
        }
    )


def trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> Any:
    """TRL's SFTTrainer, or transformers' Trainer for an encoder-decoder model.

    Args:
        job: the training.
        prepared: what `prepare` returned.
        arguments: of TrainingArguments.
    """
    require("trl", extra="train", needed_for="training")
    from ethogram.train.sft_trainer import causal_trainer, seq2seq_trainer

    chat = prepared.extra["chat"]
    make = seq2seq_trainer if chat.seq2seq else causal_trainer
    lora = cast("SftRecipe", job.recipe).lora
    peft_config = adapter(prepared.model, lora, unlearned_tokens(job, chat)) if lora else None
    return make(job, prepared, arguments, peft_config)


def check(job: Job, prepared: Prepared, trainer: Any) -> list[Finding]:
    """What one backward pass of the trainer shows before the first step."""
    return preflight.check_trainer(trainer)
