"""How many studies a calibration test draws, and the rates that so many allow."""

from __future__ import annotations

import math
from typing import Any

import pytest


def studies(short: int, full: int) -> Any:
    """Parametrises `trials` with a short form, and a full one that is marked slow."""
    return pytest.mark.parametrize(
        "trials",
        [
            pytest.param(short, id=f"{short} studies"),
            pytest.param(full, id=f"{full} studies", marks=pytest.mark.slow),
        ],
    )


def allowed(rate: float, trials: int) -> float:
    """The rate plus three standard errors of a share among so many studies."""
    return rate + 3 * math.sqrt(rate * (1 - rate) / trials)
