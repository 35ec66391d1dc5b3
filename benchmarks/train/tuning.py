"""SFT: ours beside TRL's SFTTrainer on the same rows, with TRL's defaults and with our options.

Tokens are random: speed does not depend on them. Every batch has the same lengths of rows in
another order, so that each step has as many tokens as the next, as short chats have: a few tokens
to a few hundred, half of a padded batch being padding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.train.rows import Contender, Row

CONTEXT, VOCAB, LAYERS, WIDTH, HEADS = 256, 4096, 6, 256, 4
BATCH, BUILT_IN_BATCH, STEPS = 32, 8, 100_000
BUILT_IN = "smollm2-135m-instruct"
PAD = 1

ROWS = [
    Row("sft / TRL's defaults", "sft", "trl-sft", 1.25),
    Row("sft / TRL, padded, our options", "sft", "trl-sft-same", 1.0),
    Row("sft / TRL, packed, our options", "sft", "trl-sft-packed", 1.0),
    Row("sft LoRA 135M / TRL's defaults", "sft-lora", "trl-sft-lora", 1.25),
    Row("sft LoRA 135M / TRL, our options", "sft-lora", "trl-sft-lora-same", 1.0),
]


@cache
def examples(batch: int, vocab: int) -> list[dict[str, list[int]]]:
    draw = np.random.default_rng(0)
    lengths = np.clip(np.exp(draw.normal(3.8, 0.7, batch)).astype(int), 8, CONTEXT)
    found = []
    for _ in range(40):
        for length in draw.permutation(lengths):
            ids = draw.integers(PAD + 1, vocab, size=length).tolist()
            prompt = length // 2
            found.append({"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]})
    return found


def tokens(batch: int, vocab: int) -> float:
    return sum(len(each["input_ids"]) for each in examples(batch, vocab)) / 40


def small_model(**changes: Any) -> Any:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCAB,
            n_positions=CONTEXT,
            n_embd=WIDTH,
            n_layer=LAYERS,
            n_head=HEADS,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=PAD,
            **changes,
        )
    )


def built_in() -> Any:
    from ethogram.models import load

    return load(BUILT_IN, device="cpu").model


def words() -> Any:
    """Any tokenizer: TRL wants one, and rows have their ids already."""
    from ethogram.train.tokenizer import train_tokenizer

    return train_tokenizer(["one two three"], vocab_size=300, context=CONTEXT)


def lora() -> Any:
    import peft

    return peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")


def arguments(folder: str, batch: int) -> dict[str, Any]:
    return {
        "output_dir": folder,
        "per_device_train_batch_size": batch,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "max_steps": STEPS,
    }


def needed_flop(model: Any, adapter: Any) -> float:
    """Operations that a token needs: no head for prompts, which are half of the tokens here, and no
    gradient of frozen weights, which is a third of the rest.
    """
    from ethogram.train.plan import token_flop

    head = model.get_output_embeddings().weight.numel()
    whole = token_flop(model, CONTEXT) - 6 * head / 2
    return whole if adapter is None else whole * 2 / 3


def _ours(folder: str, model: Any, batch: int, vocab: int, adapter: Any = None) -> Contender:
    import datasets
    import trl

    from ethogram.train.collate import Packer
    from ethogram.train.fast import Fast
    from ethogram.train.sft_trainer import CausalTrainer
    from ethogram.train.tuning import set_dropout

    set_dropout(model, 0.0)
    rows = examples(batch, vocab)
    flop = needed_flop(model, adapter)
    trainer = CausalTrainer(
        fast=Fast(optimizer="adamw", context=CONTEXT),
        model=model,
        args=trl.SFTConfig(
            **arguments(folder, batch),
            bf16=False,
            activation_checkpointing=False,
            train_sampling_strategy="sequential",
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=words(),
        data_collator=Packer(PAD, CONTEXT),
        peft_config=adapter,
    )
    return Contender(trainer, tokens(batch, vocab), flop)


def _trl(
    folder: str,
    model: Any,
    batch: int,
    vocab: int,
    adapter: Any = None,
    *,
    same: bool = False,
    packed: bool = False,
) -> Contender:
    """TRL's own trainer; `same`: our number format, no dropout, no checkpointing."""
    import datasets
    import torch
    import trl

    from ethogram.train.tuning import set_dropout

    flop = needed_flop(model, adapter)
    options: dict[str, Any] = {}
    if same:
        set_dropout(model, 0.0)
        model.to(torch.bfloat16)
        options = {"bf16": False, "activation_checkpointing": False}
    if packed:
        options |= {"packing": True, "max_length": CONTEXT}
    in_order = {"train_sampling_strategy": "sequential"}
    rows = batch if not packed else max(1, round(tokens(batch, vocab) / CONTEXT))
    trainer = trl.SFTTrainer(
        model=model,
        args=trl.SFTConfig(**{**arguments(folder, rows), **in_order, **options}),
        train_dataset=datasets.Dataset.from_list(examples(batch, vocab)),
        processing_class=words(),
        peft_config=adapter,
    )
    found = trainer.train_dataset
    a_row = sum(len(each["input_ids"]) for each in found) / len(found)
    return Contender(trainer, rows * a_row, flop)


def _small(make: Callable[..., Contender], **options: Any) -> Callable[[str], Contender]:
    return lambda folder: make(folder, small_model(), BATCH, VOCAB, **options)


def _large(make: Callable[..., Contender], **options: Any) -> Callable[[str], Contender]:
    return lambda folder: make(folder, built_in(), BUILT_IN_BATCH, 49152, lora(), **options)


CONTENDERS: dict[str, Callable[[str], Contender]] = {
    "sft": _small(_ours),
    "trl-sft": _small(_trl),
    "trl-sft-same": _small(_trl, same=True),
    "trl-sft-packed": _small(_trl, same=True, packed=True),
    "sft-lora": _large(_ours),
    "trl-sft-lora": _large(_trl),
    "trl-sft-lora-same": _large(_trl, same=True),
}
