"""Steps that raise, lower or rule out named tokens. Knows ids; never what they spell.

Each touches only the ids it concerns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ethogram.engine.steps.history import History


def logit_bias(scores: Tensor, bias: tuple[tuple[int, float], ...], history: History) -> Tensor:
    """Add to the scores of some ids, in all rows alike (OpenAI, vLLM).

    Args:
        scores: [rows, vocab].
        bias: distinct ids and what is added to each.
        history: not looked at.
    """
    ids = torch.tensor([token for token, _ in bias], device=scores.device)
    added = torch.tensor([value for _, value in bias], dtype=scores.dtype, device=scores.device)
    return scores.index_add(1, ids, added.expand(scores.shape[0], -1))


def bad_words(scores: Tensor, words: object, history: History) -> Tensor:
    """Rule out ids that would complete one of `history.words.bad`, prompt included.

    Source: transformers `NoBadWordsLogitsProcessor`; like there, an end of sequence that stands
    alone cannot be ruled out.
    """
    bad = history.words.bad
    always = [word[0] for word in bad if len(word) == 1 and word[0] not in history.eos_token_ids]
    longest = max((len(word) for word in bad), default=0)
    ids = torch.tensor(always, dtype=torch.int64, device=scores.device)
    scores = scores.index_fill(1, ids, -torch.inf)
    for row in range(scores.shape[0]):
        tail = history.last(row, longest - 1)
        now = [word[-1] for word in bad if len(word) > 1 and _ends_with(tail, word[:-1])]
        if now:
            scores[row, torch.tensor(now, device=scores.device)] = -torch.inf
    return scores


def _ends_with(ids: tuple[int, ...], end: tuple[int, ...]) -> bool:
    return len(end) <= len(ids) and ids[len(ids) - len(end) :] == end
