"""Scores and histories of many kinds, for the tests of the decoding steps."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import torch
from torch import Tensor

from ethogram.engine.steps import History

EMPTY = History([], [])
SHAPES = ("flat", "peaked", "all_equal", "bf16_ties", "integers", "with_minus_inf", "one_left")


def make_scores(shape: str, vocab: int, seed: int, rows: int = 3) -> Tensor:
    """[rows, vocab] fp32 of one of the kinds in SHAPES."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, vocab, generator=generator)
    if shape == "flat":
        return scores * 0.05
    if shape == "all_equal":
        return torch.full((rows, vocab), 1.5)
    if shape == "integers":
        return (scores * 2).round()
    if shape == "bf16_ties":
        return (scores * 3).bfloat16().float()
    if shape == "with_minus_inf":
        hidden = torch.rand(rows, vocab, generator=generator) < 0.6
        hidden[:, seed % vocab] = False
        return (scores * 3).masked_fill(hidden, -torch.inf)
    if shape == "one_left":
        only = torch.full((rows, vocab), -torch.inf)
        only[:, seed % vocab] = -4.0
        return only
    return scores * 6


@st.composite
def score_rows(draw: st.DrawFn) -> Tensor:
    vocab = draw(st.sampled_from((2, 3, 7, 40, 255, 257, 300, 2049, 5000)))
    return make_scores(draw(st.sampled_from(SHAPES)), vocab, draw(st.integers(0, 2**31)))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Tensor, History]:
    """Rows of different lengths over a small alphabet, so that n-grams repeat."""
    vocab = draw(st.sampled_from((3, 8, 300)))
    rows = draw(st.integers(1, 4))
    ids = st.integers(0, min(vocab, 5) - 1)
    prompts = [draw(st.lists(ids, min_size=1, max_size=12)) for _ in range(rows)]
    outputs = [draw(st.lists(ids, max_size=12)) for _ in range(rows)]
    kind = draw(st.sampled_from(SHAPES))
    scores = make_scores(kind, vocab, draw(st.integers(0, 2**31)), rows)
    return scores, History(prompts, outputs, frozenset({0, 2}))


def row_by_row(processor: Any, scores: Tensor, history: History) -> Tensor:
    """A processor of transformers on each row alone and unpadded."""
    done = []
    for row, (prompt, output) in enumerate(zip(history.prompts, history.outputs, strict=True)):
        ids = torch.tensor([[*prompt, *output]])
        done.append(processor(ids, scores[row : row + 1].clone()))
    return torch.cat(done)
