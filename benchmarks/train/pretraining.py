"""Pretraining: ours beside a default Trainer, on the same documents packed and padded.

Tokens are random: speed does not depend on them. Lengths of documents are drawn so that rows cut at
the context have about a third of padding, as real documents had.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.train.rows import Contender, Row

CONTEXT, BATCH, VOCAB, LAYERS, WIDTH, HEADS = 256, 8, 8192, 6, 256, 4
DOCUMENTS, END = 4000, 0

ROWS = [
    Row("pretrain / default Trainer, packed", "pretrain", "trainer-packed", 2.2),
    Row("pretrain / default Trainer, padded", "pretrain", "trainer-padded", 3.5),
]


@cache
def documents() -> list[list[int]]:
    draw = np.random.default_rng(0)
    lengths = np.minimum(np.exp(draw.normal(5.2, 0.9, DOCUMENTS)).astype(int) + 2, 4 * CONTEXT)
    return [[*draw.integers(1, VOCAB, size=length - 1).tolist(), END] for length in lengths]


def model(**changes: Any) -> Any:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCAB, n_positions=CONTEXT, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS,
        bos_token_id=END, eos_token_id=END, **changes,
    )  # fmt: skip
    return GPT2LMHeadModel(config)


def ours(folder: str) -> Contender:
    from transformers import TrainingArguments, default_data_collator

    from ethogram.train.blocks import pack
    from ethogram.train.fast import Fast, choose_precision
    from ethogram.train.plan import token_flop
    from ethogram.train.pretrain import PretrainTrainer

    blocks = pack(documents(), CONTEXT, pad=END)
    built = model(
        activation_function="gelu_pytorch_tanh", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0
    )
    flop = token_flop(built, CONTEXT)
    trainer = PretrainTrainer(
        fast=Fast(precision=choose_precision(), optimizer="adamw", context=CONTEXT),
        model=built,
        args=TrainingArguments(**arguments(folder)),
        train_dataset=blocks,
        data_collator=default_data_collator,
    )
    return Contender(trainer, BATCH * CONTEXT, flop)


def packed(folder: str) -> Contender:
    """A default script on blocks, as the language-modelling example of transformers makes them."""
    from transformers import Trainer, TrainingArguments, default_data_collator

    from ethogram.train.plan import token_flop

    stream = np.concatenate(documents())
    count = len(stream) // CONTEXT
    blocks = stream[: count * CONTEXT].reshape(count, CONTEXT).tolist()
    built = model()
    trainer = Trainer(
        model=built,
        args=TrainingArguments(**arguments(folder)),
        train_dataset=[{"input_ids": block, "labels": block} for block in blocks],
        data_collator=default_data_collator,
    )
    return Contender(trainer, BATCH * CONTEXT, token_flop(built, CONTEXT))


def padded(folder: str) -> Contender:
    """A default script on one document a row, cut at the context and padded to the longest."""
    import torch
    from transformers import Trainer, TrainingArguments

    from ethogram.train.plan import token_flop

    rows = [document[:CONTEXT] for document in documents()]
    built = model()

    def collate(batch: list[list[int]]) -> dict[str, torch.Tensor]:
        width = max(map(len, batch))
        ids = torch.tensor([row + [END] * (width - len(row)) for row in batch])
        seen = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch])
        return {
            "input_ids": ids,
            "attention_mask": seen,
            "labels": ids.masked_fill(seen == 0, -100),
        }

    trainer = Trainer(
        model=built,
        args=TrainingArguments(**arguments(folder), remove_unused_columns=False),
        train_dataset=rows,
        data_collator=collate,
    )
    tokens = BATCH * float(np.mean([len(row) for row in rows]))
    return Contender(trainer, tokens, token_flop(built, CONTEXT))


def arguments(folder: str) -> dict[str, Any]:
    """What a script has to state; all else is the default of transformers."""
    return {
        "output_dir": folder,
        "per_device_train_batch_size": BATCH,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "max_steps": 100_000,
    }


CONTENDERS: dict[str, Callable[[str], Contender]] = {
    "pretrain": ours,
    "trainer-packed": packed,
    "trainer-padded": padded,
}
