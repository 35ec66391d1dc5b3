"""Displacement: preferred replies that became less likely while their margin grew.

Preference losses see only the difference of two log-probabilities, and both may fall: probability
moves to replies that nobody compared (Pal et al. 2024, arXiv:2402.13228; Razin et al. 2024,
arXiv:2410.08847).
"""

from __future__ import annotations

from ethogram.train.after.values import Values, warning
from ethogram.train.job import Finding

_CHOSEN, _MARGIN = "held_out/logps/chosen", "held_out/rewards/margins"
#: Loss of log-probability, as a share of it. Of two trainings of a GPT-2 of 0.87 M weights, the one
#: that kept its language lost nothing, and the other a third (docs/train-preferences.md).
_LOST = 0.05


def displaced(first: Values, last: Values) -> list[Finding]:
    """Whether preferred held-out replies lost probability while the margin grew.

    Args:
        first: values before the first step.
        last: values after the last step.
    """
    before, after = first.get(_CHOSEN), last.get(_CHOSEN)
    margin = last.get(_MARGIN)
    if before is None or after is None or margin is None:
        return []
    if margin <= (first.get(_MARGIN) or 0.0) or after >= before - _LOST * abs(before):
        return []
    return [
        warning(
            "likelihood_displacement",
            f"preferred replies became less likely while the margin rose to {margin:.2f}: their "
            f"mean log-probability went from {before:.1f} to {after:.1f} nats on held-out pairs",
            "train less, or add the loss on the chosen reply: sft_weight: 0.5",
        )
    ]
