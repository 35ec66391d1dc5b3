"""Steps that raise, lower or rule out named tokens.

Each touches only the ids it concerns.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ethogram.engine.steps.history import History, last
from ethogram.engine.steps.registry import step


@step
def logit_bias(scores: Tensor, bias: tuple[tuple[int, float], ...], history: History) -> Tensor:
    """Add to the scores of some ids, in all rows (OpenAI, vLLM).

    Args:
        scores: [rows, vocab].
        bias: distinct ids and what is added to each.
        history: unused.
    """
    ids = torch.tensor([token for token, _ in bias], device=scores.device)
    added = torch.tensor([value for _, value in bias], dtype=scores.dtype, device=scores.device)
    return scores.index_add(1, ids, added.expand(scores.shape[0], -1))


@step
def bad_words(scores: Tensor, words: object, history: History) -> Tensor:
    """Rule out ids that would complete one of `history.words.bad`, prompt included.

    Source: transformers `NoBadWordsLogitsProcessor`; as there, a lone end of sequence
    cannot be ruled out.
    """
    bad = history.words.bad
    always = [word[0] for word in bad if len(word) == 1 and word[0] not in history.eos_token_ids]
    longer = [word for word in bad if len(word) > 1]
    ids = torch.tensor(always, dtype=torch.int64, device=scores.device)
    scores = scores.index_fill(1, ids, -torch.inf)
    for row, (prompt, output) in enumerate(zip(history.prompts, history.outputs, strict=True)):
        now = completed(longer, prompt, output)
        if now:
            scores[row, torch.tensor(now, device=scores.device)] = -torch.inf
    return scores


def completed(
    words: Sequence[tuple[int, ...]], prompt: Sequence[int], output: Sequence[int]
) -> list[int]:
    """The last ids of those words whose other ids are the end of the text."""
    tail = last(prompt, output, max((len(word) for word in words), default=1) - 1)
    return [word[-1] for word in words if tail[len(tail) - len(word) + 1 :] == word[:-1]]
