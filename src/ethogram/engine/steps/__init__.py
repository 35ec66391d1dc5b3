"""The functions of the decoding steps.

A step is a pure function `(scores, value, history) -> scores`; scores are [rows, vocab] fp32 and
the rows share one decoding. It returns a new tensor and leaves the given one unchanged.
"""

from __future__ import annotations

from torch import Tensor

from ethogram.engine.steps import (  # noqa: F401 - importing a module registers its steps
    bias,
    dry,
    entropy,
    floors,
    mirostat,
    penalties,
    response_format,
    truncation,
    xtc,
)
from ethogram.engine.steps.history import History
from ethogram.engine.steps.registry import FUNCTIONS, StepFunction
from ethogram.spec.decoding import Decoding


def apply_steps(scores: Tensor, decoding: Decoding, history: History) -> Tensor:
    """Apply the active steps of a decoding in its order.

    Args:
        scores: [rows, vocab] fp32 logits, or log-probabilities under beam search.
        decoding: shared by all rows.
        history: prompts and outputs of the rows so far.
    """
    for name, value in decoding.steps:
        scores = FUNCTIONS[name](scores, value, history)
    return scores


__all__ = ["FUNCTIONS", "History", "StepFunction", "apply_steps"]
