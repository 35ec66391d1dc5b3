"""Which prompts changed most from one version to another, by the metrics that changed clearly."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ethogram.errors import SpecError
from ethogram.spec.source import suggest
from ethogram.study.difference import Difference
from ethogram.study.measure import Measured


def most_changed(
    first: Mapping[str, Measured],
    second: Mapping[str, Measured],
    differences: Mapping[str, Difference],
    shared: Collection[str],
    *,
    samples: int,
    prompts: Sequence[str] | None = None,
) -> list[str]:
    """Ids of the prompts to show: those named, or those that changed most.

    A prompt's change is the sum, over the metrics that changed clearly (over all, if none did), of
    its absolute difference divided by the largest one of that metric.

    Args:
        first: metric name to the scores of the first version.
        second: of the second.
        differences: metric name to its difference.
        shared: ids of the prompts that both have, in suite order, which settles ties.
        samples: how many to return.
        prompts: ids to return instead.

    Raises:
        SpecError: one of `prompts` is not shared.
    """
    for prompt in prompts or ():
        if prompt not in shared:
            raise SpecError(
                f"no prompt {prompt!r} that both versions have",
                where="--prompt",
                hint=suggest(prompt, list(shared)),
            )
    if prompts or not samples:
        return list(prompts or ())
    clear = [name for name, found in differences.items() if found.is_clear]
    change = dict.fromkeys(shared, 0.0)
    for name in clear or differences:
        before, after = first[name].by_prompt(), second[name].by_prompt()
        moved = {
            prompt: abs(after[prompt] - before[prompt])
            for prompt in shared
            if np.isfinite(after.get(prompt, np.nan) - before.get(prompt, np.nan))
        }
        largest = max(moved.values(), default=0.0)
        for prompt, distance in moved.items():
            change[prompt] += distance / largest if largest > 0 else 0.0
    return sorted(change, key=lambda prompt: -change[prompt])[:samples]
