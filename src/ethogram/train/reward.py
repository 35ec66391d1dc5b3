"""Reward: a model that scores a reply with one number, from pairs (Bradley-Terry loss).

The output is a sequence-classification checkpoint in safetensors: the parent without its head, and
one linear layer on the state of the last token. Held-out pairs show its accuracy, and whether its
probabilities mean what they state (`calibration`).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ethogram.errors import ModelError
from ethogram.train import preflight
from ethogram.train.dpo import load_causal, prepared_from
from ethogram.train.job import Finding, Job, Prepared
from ethogram.train.pairs import Fitted, read_pairs, token_row


def prepare(job: Job) -> Prepared:
    """Read the pairs and the parent, render both replies of each, and give the parent a new head.

    Raises:
        EthogramError: a bad row, a missing file, a template that cannot format a row, or a model
            that cannot be loaded, is an encoder-decoder one, or has no form that classifies.
    """
    pairs = read_pairs(job)
    loaded, chat = load_causal(job)
    sides = [
        [(token_row(chat, row, row.chosen), token_row(chat, row, row.rejected)) for row in rows]
        for rows in (pairs.train, pairs.held_out)
    ]
    found = prepared_from(job, loaded, chat, pairs, sides, _dataset)
    pad = _pad_id(chat, loaded)
    return replace(found, model=with_reward_head(loaded.model, pad_id=pad, seed=job.seed))


def _pad_id(chat: Any, loaded: Any) -> int:
    """A token for padding: the model reads the state before the first one of a row's end.

    Without a token of its own, the end token is one; then the state that counts is that of the last
    token before it, in training and in scoring alike.
    """
    if chat.pad_id is not None:
        return int(chat.pad_id)
    return int(chat.end_id if chat.end_id is not None else loaded.tokenizer.eos_token_id or 0)


def with_reward_head(model: Any, *, pad_id: int, seed: int) -> Any:
    """A sequence-classification model with one output over the layers of a causal one.

    Args:
        model: causal; its layers are taken over, not copied.
        pad_id: token that is not read at the end of a row.
        seed: of the new head's weights.

    Raises:
        ModelError: transformers has no such form of this architecture.
    """
    import torch
    import transformers

    config = copy.deepcopy(model.config)
    config.num_labels, config.pad_token_id = 1, pad_id
    config.architectures = None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            scored = transformers.AutoModelForSequenceClassification.from_config(
                config, trust_remote_code=False
            )
        except ValueError:
            raise ModelError(
                f"transformers has no reward model of the architecture {config.model_type}",
                hint="use a parent of another architecture, such as gpt2, llama or qwen2",
            ) from None
    setattr(scored, scored.base_model_prefix, model.base_model)
    return scored.float().to(model.device)


def _dataset(pairs: Fitted, _: Any) -> Any:
    from datasets import Dataset

    return Dataset.from_dict(
        {
            "chosen_ids": [list(pair[0].ids) for pair in pairs.groups],
            "rejected_ids": [list(pair[1].ids) for pair in pairs.groups],
        }
    )


def trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> Any:
    """TRL's RewardTrainer.

    Args:
        job: the training.
        prepared: what `prepare` returned.
        arguments: of TrainingArguments.
    """
    from ethogram.train.reward_trainer import make_trainer

    return make_trainer(job, prepared, arguments)


def check(job: Job, prepared: Prepared, trainer: Any) -> list[Finding]:
    """What one backward pass shows: adapters that receive no gradient."""
    return preflight.check_trainer(trainer)
