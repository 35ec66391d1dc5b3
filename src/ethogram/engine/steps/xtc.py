"""XTC: by chance drops all likely tokens but the least likely of them.

Source: p-e-w, text-generation-webui pull request 6335; as in llama.cpp.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ethogram.engine.noise import uniform
from ethogram.engine.steps.history import History
from ethogram.engine.steps.registry import step
from ethogram.spec.groups import Xtc

#: Sets the chance apart from the noise of the draw, which has the same key and position.
_STREAM = 0x787463


@step
def xtc(scores: Tensor, settings: Xtc, history: History) -> Tensor:
    """Drop, in a share of the draws, the tokens at or above the threshold but the least of them.

    Tokens that tie with the least of them stay too. Whether a row's turn has come depends on its
    noise key and position alone, so it is batch-invariant.
    """
    turns = [
        row
        for row, (key, output) in enumerate(zip(history.keys, history.outputs, strict=True))
        if uniform(key, len(output), _STREAM) < settings.probability
    ]
    if not turns:
        return scores
    rows = torch.tensor(turns, device=scores.device)
    mine = scores[rows]
    is_likely = mine.softmax(-1) >= settings.threshold
    least = mine.masked_fill(~is_likely, torch.inf).amin(-1, keepdim=True)
    return scores.index_copy(0, rows, mine.masked_fill(is_likely & (mine > least), -torch.inf))
