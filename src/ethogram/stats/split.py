"""Split: prompts into a selection half and a holdout half."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def split_prompts(ids: Sequence[str], *, salt: str = "") -> Mask:
    """Split prompts into those that select a winner and those that confirm it.

    The best of many settings looks better than it is on the prompts that selected it, so its
    difference is measured on other prompts (Cawley and Talbot 2010). A prompt's half depends only
    on its id. No prompt changes sides when the suite grows or is reordered, so a prompt used to
    confirm was never used to select.

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
