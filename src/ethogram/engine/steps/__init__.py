"""The decoding steps, by name. Knows which function serves which setting; never picks a token.

A step is a pure function `(scores, value, history) -> scores`; scores are [rows, vocab] fp32 and
the rows share one decoding. It returns a new tensor and leaves the given one as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ethogram.engine.steps import bias, dry, entropy, floors, mirostat, penalties, truncation, xtc
from ethogram.engine.steps.history import History
from ethogram.spec.decoding import Decoding

#: The value is `Decoding.step_value` of the step's name.
Step = Callable[[Tensor, Any, History], Tensor]

#: Every step that a `Decoding` can name.
STEPS: dict[str, Step] = {
    "logit_bias": bias.logit_bias,
    "bad_words": bias.bad_words,
    "repetition_penalty": penalties.repetition_penalty,
    "frequency_penalty": penalties.frequency_penalty,
    "presence_penalty": penalties.presence_penalty,
    "dry_multiplier": dry.dry,
    "no_repeat_ngram_size": penalties.no_repeat_ngram,
    "min_new_tokens": penalties.min_new_tokens,
    "temperature": truncation.temperature,
    "top_k": truncation.top_k,
    "top_p": truncation.top_p,
    "min_p": truncation.min_p,
    "typical_p": entropy.typical_p,
    "epsilon_cutoff": floors.epsilon_cutoff,
    "eta_cutoff": floors.eta_cutoff,
    "top_n_sigma": floors.top_n_sigma,
    "top_h": entropy.top_h,
    "xtc_probability": xtc.xtc,
    "mirostat_tau": mirostat.mirostat,
}


def apply_steps(scores: Tensor, decoding: Decoding, history: History) -> Tensor:
    """Apply the active steps of a decoding in its order.

    Args:
        scores: [rows, vocab] fp32 logits, or log-probabilities under beam search.
        decoding: shared by all rows.
        history: what the rows hold so far.
    """
    for name, value in decoding.steps:
        scores = STEPS[name](scores, value, history)
    return scores


__all__ = ["STEPS", "History", "Step", "apply_steps"]
