"""Multiple: p-values of several tests at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
#: holm: no false discovery at all, with probability 1 - level; bh: the share of false discoveries.
Correction = Literal["holm", "bh"]


def adjust(pvalues: Sequence[float] | Array, method: Correction = "holm") -> Array:
    """P-values adjusted for their number, in the order given.

    `holm` (Holm 1979) bounds the probability of any false discovery, whatever the dependence of the
    tests; use it for the metrics of one comparison. `bh` (Benjamini and Hochberg 1995) bounds the
    expected share of false discoveries, for tests that are independent or positively dependent
    (Benjamini and Yekutieli 2001); use it for the settings of a sweep.

    Args:
        pvalues: one a test; NaN where a test could not be made, which then does not count.
        method: holm or bh.

    Returns:
        Adjusted values, NaN where they were; those at most the level are significant.

    Raises:
        ValueError: the method is unknown or a p-value lies outside 0 to 1.
    """
    values = np.asarray(pvalues, dtype=float)
    known = ~np.isnan(values)
    tested = values[known]
    if method not in ("holm", "bh"):
        raise ValueError(f"unknown method {method!r}; use 'holm' or 'bh'")
    if ((tested < 0) | (tested > 1)).any():
        raise ValueError("p-values must be between 0 and 1")
    count = len(tested)
    order = np.argsort(tested, kind="stable")
    ranks = np.arange(1, count + 1)
    adjusted = np.empty(count)
    if method == "holm":
        adjusted[order] = np.maximum.accumulate((count - ranks + 1) * tested[order])
    else:
        adjusted[order] = np.minimum.accumulate((count / ranks * tested[order])[::-1])[::-1]
    result = np.full(values.shape, np.nan)
    result[known] = np.minimum(adjusted, 1)
    return result
