"""GRPO: learns from rewards of its own replies (Shao et al. 2024, arXiv:2402.03300).

Several replies to a prompt are sampled from the model; those with a reward above their group's mean
become likelier. Rewards come from metrics, bounds of metrics, a reward model, or a judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ethogram.corpus import BadRow, Row, Turn, bad_rows
from ethogram.errors import DataError, SpecError
from ethogram.train import preflight
from ethogram.train.arguments import batches_of
from ethogram.train.documents import rules_used
from ethogram.train.dpo import load_causal
from ethogram.train.job import Counts, Finding, Job, Prepared
from ethogram.train.pairs import read_some
from ethogram.train.rewards import check_rewards, reward_inputs

if TYPE_CHECKING:
    from ethogram.spec.recipes import GrpoRecipe
    from ethogram.train.chats import Chat

#: Held-out prompts that are answered at each look: enough for a trend, and few, as it generates.
_HELD_OUT = 16
_SHOWN = 3


def prepare(job: Job) -> Prepared:
    """Read the prompts and the parent.

    Raises:
        EthogramError: a bad row, a missing file, a template that cannot format a prompt, a reward
            that cannot be computed, or a model that cannot be loaded or is an encoder-decoder one.
    """
    recipe = cast("GrpoRecipe", job.recipe)
    _check_batch(job, recipe)
    check_rewards(job, recipe)
    rows = read_some(job, _different)
    loaded, chat = load_causal(job)
    room = loaded.context_length - recipe.max_new_tokens
    train, held = (_rendered(chat, some) for some in (rows.train, rows.held_out))
    long = [row for row, ids in train if len(ids) > room]
    if long and job.recipe.data.too_long != "drop":
        raise DataError(
            f"{len(long)} of {len(train)} prompts leave no space for {recipe.max_new_tokens} new "
            f"tokens in the context of {loaded.context_length}",
            where=long[0].where,
            hint="shorten them, lower max_new_tokens, or set data.too_long: drop",
        )
    train = [each for each in train if len(each[1]) <= room]
    held = [each for each in held if len(each[1]) <= room][:_HELD_OUT]
    words = loaded.tokenizer
    reads = sum(len(ids) for _, ids in train)
    return Prepared(
        model=loaded.model,
        tokenizer=words,
        train=_dataset(train),
        held_out=_dataset(held) if held else None,
        counts=_counts(job, recipe, reads, len(train), len(held), len(long)),
        fingerprint=rows.fingerprint,
        examples=[[(words.decode([token]), False) for token in ids] for _, ids in train[:_SHOWN]],
        findings=[*rules_used(rows.used), *_checks(job, [row for row, _ in train])],
        extra={"chat": chat, "loaded": loaded, "context": loaded.context_length},
    )


def _check_batch(job: Job, recipe: GrpoRecipe) -> None:
    batches = batches_of(job)
    if batches.size % recipe.generations or batches.micro % recipe.generations:
        raise SpecError(
            f"a batch of {batches.micro} replies does not divide into groups of "
            f"{recipe.generations} generations",
            where=f"{job.path}: training.batch_size",
            hint=f"make batch_size and micro_batch_size multiples of {recipe.generations}",
        )


def _different(rows: Iterable[Row | BadRow]) -> list[Row]:
    """The rows, each prompt once.

    Raises:
        DataError: a row is bad.
    """
    good: dict[tuple[Turn, ...], Row] = {}
    bad: list[BadRow] = []
    count = 0
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            count += 1
            good.setdefault(prompt_of(row), row)
    if bad:
        raise bad_rows(bad, count)
    return list(good.values())


def prompt_of(row: Row) -> tuple[Turn, ...]:
    """The messages that a reply is wanted for: a document is a user's message."""
    if row.kind == "text":
        return (Turn("user", row.text),)
    return row.messages[:-1] if row.kind == "messages" else row.messages


def _reference(row: Row) -> str | None:
    return row.messages[-1].content if row.kind == "messages" else row.chosen or None


def _rendered(chat: Chat, rows: Sequence[Row]) -> list[tuple[Row, tuple[int, ...]]]:
    return [(row, chat.prompt_ids(prompt_of(row), where=row.where)) for row in rows]


def _dataset(rows: Sequence[tuple[Row, tuple[int, ...]]]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(
        [
            {
                "prompt": [{"role": turn.role, "content": turn.content} for turn in prompt_of(row)],
                "reference": _reference(row),
            }
            for row, _ in rows
        ]
    )


def _counts(
    job: Job, recipe: GrpoRecipe, prompt_tokens: int, rows: int, held_out: int, dropped: int
) -> Counts:
    """A sequence is a reply; the tokens of a reply are at most those that are asked for."""
    replies = rows * recipe.generations
    learned = replies * recipe.max_new_tokens
    tokens = prompt_tokens * recipe.generations + learned
    return Counts(
        rows=rows,
        held_out_rows=held_out,
        tokens=tokens,
        learned_tokens=learned,
        sequences=replies,
        sequence_tokens=-(-tokens // max(1, replies)),
        dropped_rows=dropped,
    )


def _checks(job: Job, rows: Sequence[Row]) -> list[Finding]:
    talks = [Row("messages", row.file, row.line, messages=prompt_of(row)) for row in rows]
    found = [preflight.unused_template(job), preflight.suite_overlap(job, talks)]
    return [each for each in found if each is not None]


def trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> Any:
    """TRL's GRPOTrainer, which generates on this machine.

    Args:
        job: the training.
        prepared: what `prepare` returned.
        arguments: of TrainingArguments.
    """
    from ethogram.train.grpo_trainer import make_trainer

    return make_trainer(job, prepared, arguments)


def check(job: Job, prepared: Prepared, trainer: Any) -> list[Finding]:
    """Refuse rewards that are the same for all replies to a prompt, on a first sampled batch."""
    return preflight.constant_rewards(trainer.sampled_rewards())


def inputs(job: Job) -> Mapping[str, str]:
    """Digests of the reward models, which decide the weights too."""
    return reward_inputs(job)
