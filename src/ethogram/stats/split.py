"""Split: prompts into a selection half and a holdout half."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def split_prompts(ids: Sequence[str], *, salt: str = "") -> Mask:
    """Which prompts choose a winner; the others confirm it.

    The best of many settings looks better than it is on the prompts that chose it; its difference
    is measured on prompts that had no say (Cawley and Talbot 2010). Each prompt's half follows from
    its own id alone: a suite that grows or is put in another order moves no prompt across, so what
    has confirmed once was never used to choose.

    Args:
        ids: prompt ids.
        salt: another word gives another split.

    Returns:
        [prompts], True where the prompt belongs to the half that chooses. The halves are equal only
        on average.

    Raises:
        ValueError: a half has fewer than two prompts.
    """
    choosing = np.array(
        [hashlib.sha256(f"{salt}\0{name}".encode()).digest()[0] < 128 for name in ids], dtype=bool
    )
    if min(choosing.sum(), (~choosing).sum()) < 2:
        raise ValueError(f"{len(ids)} prompts are too few to split into two halves")
    return choosing
