"""Packed documents: nothing is lost, nothing is learned across a border, nothing is seen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.architectures import tiny_config

from ethogram.train.blocks import IGNORED, pack

PAD = 1


def test_a_literal_packing() -> None:
    blocks = pack([[5, 6, 0], [7, 0], [8, 9, 10, 0]], 4, pad=PAD)
    assert blocks.tokens.tolist() == [[5, 6, 0, 7], [0, 8, 9, 10], [0, PAD, PAD, PAD]]
    assert blocks.positions.tolist() == [[0, 1, 2, 0], [0, 0, 1, 2], [0, 0, 1, 2]]
    assert [blocks[i]["labels"].tolist() for i in range(3)] == [
        [IGNORED, 6, 0, IGNORED],
        [IGNORED, IGNORED, 9, 10],
        [IGNORED] * 4,
    ]
    assert (blocks.used, blocks.learned) == (9, 4)


@given(
    st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=9), min_size=1, max_size=8),
    st.integers(2, 7),
)
def test_every_token_is_in_one_block_and_labels_are_counted(
    documents: list[list[int]], context: int
) -> None:
    blocks = pack(documents, context, pad=PAD)
    flat = [token for document in documents for token in document]
    assert blocks.tokens.reshape(-1)[: len(flat)].tolist() == flat
    assert blocks.used == len(flat)
    learned = sum(int((blocks[i]["labels"] != IGNORED).sum()) for i in range(len(blocks)))
    assert blocks.learned == learned


def test_learned_bytes_are_those_of_labelled_tokens() -> None:
    sizes = np.arange(20, dtype=np.int64)
    blocks = pack([[5, 6, 7], [8, 9]], 4, pad=PAD, sizes=sizes)
    assert blocks.learned_bytes == 6 + 7  # 9 begins the second block.


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_packed_documents_give_the_logits_of_each_alone(kind: str, attention: str) -> None:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = tiny_config(kind, 300, width=32)
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()
    model.config.use_cache = False
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(4.0)  # Otherwise logits hardly depend on the context.
    documents = [[*range(10, 19)], [*range(40, 45)], [*range(90, 107)], [*range(200, 206)]]
    blocks = pack(documents, 20, pad=PAD)
    rows = [blocks[i] for i in range(len(blocks))]
    with torch.inference_mode():
        packed = model(
            input_ids=torch.stack([row["input_ids"] for row in rows]),
            position_ids=torch.stack([row["position_ids"] for row in rows]),
        ).logits
        for row, logits in zip(rows, packed, strict=True):
            starts = [*torch.nonzero(row["position_ids"] == 0).flatten().tolist(), 20]
            for begin, end in itertools.pairwise(starts):
                alone = model(input_ids=row["input_ids"][None, begin:end]).logits[0]
                torch.testing.assert_close(logits[begin:end], alone, rtol=0, atol=1e-5)


def test_a_block_seen_as_one_document_gives_other_logits() -> None:
    """The control of the test above: positions are what keeps documents apart."""
    from transformers import GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(tiny_config("gpt2", 300, width=32)).eval()
    model.config.use_cache = False
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(4.0)
    row = pack([[*range(10, 20)], [*range(40, 50)]], 20, pad=PAD)[0]
    with torch.inference_mode():
        whole = model(input_ids=row["input_ids"][None]).logits[0, 10:]
        alone = model(input_ids=row["input_ids"][None, 10:]).logits[0]
    assert (whole - alone).abs().max() > 1e-2
