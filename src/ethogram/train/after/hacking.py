"""Hacking: a reward that rose while outputs got worse (Skalse et al. 2022, arXiv:2209.13085)."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.train.after.values import Values, warning
from ethogram.train.job import Finding

#: Names that trainers give to what they raise; the first that was measured counts.
_REWARDS = ("held_out/rewards/margins", "held_out/reward", "train/reward", "train/rewards/margins")


def reward_hacking(first: Values, last: Values, collapsed: Sequence[Finding]) -> list[Finding]:
    """A reward that rose beside something that collapsed.

    Args:
        first: values before the first step, or after it where there are none.
        last: values after the last step.
        collapsed: what collapsed.
    """
    for name in _REWARDS:
        after = last.get(name)
        if after is None:
            continue
        before = first.get(name) or 0.0
        if after > before and collapsed:
            return [
                warning(
                    "reward_hacking",
                    f"the reward {name} rose from {before:.2f} to {after:.2f} while "
                    f"{collapsed[0].message}",
                    "do not trust the reward: read outputs, and train less",
                )
            ]
        return []
    return []
