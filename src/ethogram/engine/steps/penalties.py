"""Steps that edit scores from the token history.

Each touches only the few ids it concerns (gather, edit, scatter), never a [rows, vocab] mask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ethogram.engine.steps.history import History
from ethogram.engine.steps.registry import step


@step
def repetition_penalty(scores: Tensor, penalty: float, history: History) -> Tensor:
    """Divide positive and multiply negative scores of ids seen in prompt or output.

    Source: Keskar et al. 2019 (CTRL); transformers `RepetitionPenaltyLogitsProcessor`.
    """
    seen = [
        list({*prompt, *output})
        for prompt, output in zip(history.prompts, history.outputs, strict=True)
    ]
    ids = _rectangle(seen, scores.device)
    values = scores.gather(1, ids)
    return scores.scatter(1, ids, torch.where(values < 0, values * penalty, values / penalty))


@step
def frequency_penalty(scores: Tensor, penalty: float, history: History) -> Tensor:
    """Subtract `penalty` for each earlier use of an id in the output (OpenAI, vLLM)."""
    return subtract(scores, penalty, [Counter(output) for output in history.outputs])


@step
def presence_penalty(scores: Tensor, penalty: float, history: History) -> Tensor:
    """Subtract `penalty` once from each id already in the output (OpenAI, vLLM)."""
    return subtract(scores, penalty, [dict.fromkeys(output, 1) for output in history.outputs])


@step
def no_repeat_ngram_size(scores: Tensor, size: float, history: History) -> Tensor:
    """Rule out ids that would complete an n-gram already in prompt and output.

    Source: transformers `NoRepeatNGramLogitsProcessor`.
    """
    scores = scores.clone()
    for row, (prompt, output) in enumerate(zip(history.prompts, history.outputs, strict=True)):
        banned = _completions(np.array([*prompt, *output], dtype=np.int64), int(size))
        if banned.size:
            scores[row, torch.from_numpy(banned).to(scores.device)] = -torch.inf
    return scores


@step
def min_new_tokens(scores: Tensor, minimum: float, history: History) -> Tensor:
    """Rule out end of sequence in rows with fewer than `minimum` new tokens."""
    short = [row for row, output in enumerate(history.outputs) if len(output) < minimum]
    if not short or not history.eos_token_ids:
        return scores
    scores = scores.clone()
    scores[
        torch.tensor(short).unsqueeze(1), torch.tensor(sorted(history.eos_token_ids))
    ] = -torch.inf
    return scores


def subtract(scores: Tensor, factor: float, amounts: Sequence[Mapping[int, float]]) -> Tensor:
    """Subtract `factor` times the amount of each id from its score, row by row."""
    # A row without amounts subtracts 0 from id 0; padding repeats the row's first pair.
    pairs = [list(amount.items()) or [(0, 0)] for amount in amounts]
    ids = _rectangle([[token for token, _ in row] for row in pairs], scores.device)
    sizes = _rectangle([[size for _, size in row] for row in pairs], scores.device)
    return scores.scatter(1, ids, scores.gather(1, ids) - factor * sizes.to(scores.dtype))


def _rectangle(rows: Sequence[Sequence[float]], device: torch.device) -> Tensor:
    """[rows, longest]; short rows repeat their first entry, so that a scatter stays idempotent."""
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[row[0]] * (width - len(row))] for row in rows], device=device)


def _completions(ids: np.ndarray[tuple[int], np.dtype[np.int64]], size: int) -> np.ndarray:
    """Ids that followed each earlier occurrence of the last `size - 1` ids."""
    if len(ids) < size:
        return ids[:0]
    windows = np.lib.stride_tricks.sliding_window_view(ids, size)  # [places, size]
    tail = ids[len(ids) - size + 1 :]
    return np.unique(windows[(windows[:, :-1] == tail).all(axis=1), -1])
