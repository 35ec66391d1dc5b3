"""After: what a finished training should be looked at for, as warnings for the log.

The values are those of the looks before the first step and after the last one (`behaviour.py`): the
engine generates on prompts of the suite, which are held out, by each decoding of the recipe. The
functions here are pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from ethogram.train.after.collapse import collapses
from ethogram.train.after.displacement import displaced
from ethogram.train.after.endings import end_not_learned
from ethogram.train.after.hacking import reward_hacking
from ethogram.train.after.values import Values
from ethogram.train.after.weights import checksums, unchanged_weights
from ethogram.train.job import Finding, Job

__all__ = [
    "Values",
    "checksums",
    "collapses",
    "displaced",
    "end_not_learned",
    "findings",
    "reward_hacking",
    "unchanged_weights",
]


def findings(
    job: Job, before: Mapping[str, float], after: Mapping[str, float], first: Values, last: Values
) -> list[Finding]:
    """What a finished training should be looked at for.

    Args:
        job: the training.
        before: checksums of the trained weights before it.
        after: the same after it.
        first: values before the first step.
        last: values after the last step.
    """
    found = unchanged_weights(before, after)
    if job.recipe.parent is None:
        return found
    collapsed = collapses(first, last)
    found += collapsed + reward_hacking(first, last, collapsed) + displaced(first, last)
    if job.recipe.kind == "sft":
        found += end_not_learned(first, last)
    return found
