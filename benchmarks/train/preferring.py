"""DPO: ours beside TRL's DPOTrainer on the same pairs, with TRL's defaults and with our options.

Tokens are random: speed does not depend on them. Every batch has the same lengths of pairs in
another order. Rows with a bar keep a copy of the parent beside the trained model, as TRL does, so
that both do the same work. Of a recipe of one epoch or more, ours computes the log-probabilities of
the parent once, before the first step; the row for it has no bar, as its turns leave that out.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.train.rows import Contender, Row
from benchmarks.train.tuning import (
    BUILT_IN_BATCH,
    CONTEXT,
    PAD,
    VOCAB,
    arguments,
    built_in,
    lora,
    small_model,
    words,
)

BATCH, BATCHES = 8, 40

ROWS = [
    Row("dpo / TRL's defaults", "dpo", "trl-dpo", 1.25),
    Row("dpo / TRL, our options", "dpo", "trl-dpo-same", 1.0),
    Row("dpo, parent's values first / TRL's defaults", "dpo-ahead", "trl-dpo", None),
    Row("dpo LoRA 135M / TRL's defaults", "dpo-lora", "trl-dpo-lora", 1.25),
    Row("dpo LoRA 135M / TRL, our options", "dpo-lora", "trl-dpo-lora-same", 1.0),
]


@cache
def pairs(batch: int, vocab: int) -> list[dict[str, list[int]]]:
    draw = np.random.default_rng(0)
    lengths = np.clip(np.exp(draw.normal(3.2, 0.6, (batch, 3))).astype(int), 4, CONTEXT // 2 - 1)
    names = ("prompt_ids", "chosen_ids", "rejected_ids")
    found = []
    for _ in range(BATCHES):
        for own in draw.permutation(lengths):
            ids = [draw.integers(PAD + 1, vocab, size=length).tolist() for length in own]
            found.append(dict(zip(names, ids, strict=True)))
    return found


def tokens(batch: int, vocab: int) -> float:
    """Of a step: the prompt is read with both replies."""
    total = sum(
        2 * len(pair["prompt_ids"]) + len(pair["chosen_ids"]) + len(pair["rejected_ids"])
        for pair in pairs(batch, vocab)
    )
    return total / BATCHES


def _data(batch: int, vocab: int) -> Any:
    import datasets

    return datasets.Dataset.from_list(pairs(batch, vocab))


def _ours(
    folder: str, model: Any, batch: int, vocab: int, adapter: Any = None, *, ahead: bool = False
) -> Contender:
    import trl

    from ethogram.spec.recipes import DpoRecipe
    from ethogram.train import logprobs
    from ethogram.train.dpo_trainer import PairsTrainer
    from ethogram.train.fast import Fast
    from ethogram.train.pair_batches import PairCollator
    from ethogram.train.plan import token_flop
    from ethogram.train.preferring import reference_of
    from ethogram.train.tuning import set_dropout

    set_dropout(model, 0.0)
    flop = token_flop(model, CONTEXT)
    fast = Fast(optimizer="adamw", context=CONTEXT)
    model.config.use_cache = False
    reference = None if ahead or adapter else reference_of(model, fast)
    for each in (model, reference):
        if each is not None:
            logprobs.patch(each)
    recipe = DpoRecipe.model_validate({"kind": "dpo", "parent": "v0.0.1", "data": {"train": "x"}})
    trainer = PairsTrainer(
        fast=fast,
        recipe=recipe,
        model=model,
        ref_model=reference,
        args=trl.DPOConfig(
            **arguments(folder, batch),
            bf16=False,
            activation_checkpointing=False,
            train_sampling_strategy="sequential",
            max_length=None,
            precompute_ref_log_probs=ahead,
        ),
        train_dataset=_data(batch, vocab),
        processing_class=words(),
        data_collator=PairCollator(PAD, CONTEXT, packed=True),
        peft_config=adapter,
    )
    return Contender(trainer, tokens(batch, vocab), flop)


def _trl(
    folder: str, model: Any, batch: int, vocab: int, adapter: Any = None, *, same: bool = False
) -> Contender:
    """TRL's own trainer; `same`: our number format, no dropout, no checkpointing."""
    import torch
    import trl

    from ethogram.train.plan import token_flop
    from ethogram.train.tuning import set_dropout

    class Tokenized(trl.DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    flop = token_flop(model, CONTEXT)
    options: dict[str, Any] = {}
    if same:
        set_dropout(model, 0.0)
        model.to(torch.bfloat16)
        options = {"bf16": False, "activation_checkpointing": False}
    trainer = Tokenized(
        model=model,
        ref_model=None if adapter else copy.deepcopy(model),
        args=trl.DPOConfig(
            **arguments(folder, batch), train_sampling_strategy="sequential", **options
        ),
        train_dataset=_data(batch, vocab),
        processing_class=words(),
        peft_config=adapter,
    )
    return Contender(trainer, tokens(batch, vocab), flop)


def _small(make: Callable[..., Contender], **options: Any) -> Callable[[str], Contender]:
    return lambda folder: make(folder, small_model(), BATCH, VOCAB, **options)


def _large(make: Callable[..., Contender], **options: Any) -> Callable[[str], Contender]:
    return lambda folder: make(folder, built_in(), BUILT_IN_BATCH, 49152, lora(), **options)


CONTENDERS: dict[str, Callable[[str], Contender]] = {
    "dpo": _small(_ours),
    "dpo-ahead": _small(_ours, ahead=True),
    "trl-dpo": _small(_trl),
    "trl-dpo-same": _small(_trl, same=True),
    "dpo-lora": _large(_ours),
    "trl-dpo-lora": _large(_trl),
    "trl-dpo-lora-same": _large(_trl, same=True),
}
