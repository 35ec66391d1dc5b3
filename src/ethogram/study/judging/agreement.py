"""Agreement: whether the outputs that a judge prefers score higher under a metric."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ethogram.metrics import Metric
from ethogram.metrics.base import ratio
from ethogram.stats import Interval, bootstrap
from ethogram.study.difference import SEED
from ethogram.study.judging.pairwise import Agreement, JudgedPair


def agreement(pairs: Sequence[JudgedPair], metric: Metric) -> Agreement:
    """Compare winners with losers, with an interval over prompts.

    Args:
        pairs: judged in both orders; ties say nothing here.
        metric: measured on both outputs of each.
    """
    rows: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        if pair.outcome == "tie":
            continue
        before, after = (metric.measure(each).value for each in (pair.before, pair.after))
        if before is None or after is None:
            continue
        rise = np.sign(after - before) * (1 if pair.outcome == "after" else -1)
        rows.setdefault(pair.before.prompt_id, []).append(((float(rise) + 1) / 2, 1.0))
    count = sum(map(len, rows.values()))
    if not rows:
        return Agreement(metric, Interval(np.nan, np.nan, np.nan), 0)
    parts = np.array([np.sum(each, axis=0) for each in rows.values()])
    found = bootstrap(parts, ratio, seed=SEED)
    low, high = max(0.0, found.low), min(1.0, found.high)
    if low == high:  # Prompts all alike do not tell how far others would differ.
        low = high = np.nan
    return Agreement(metric, Interval(found.estimate, low, high), count)
