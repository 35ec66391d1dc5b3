"""Krippendorff's alpha against the reference library."""

from __future__ import annotations

import math

import evalica
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.stats import krippendorff_alpha


@settings(max_examples=examples(40), deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 30))
def test_alpha_is_that_of_the_reference_library(seed: int, raters: int, units: int) -> None:
    draw = np.random.default_rng(seed)
    table = draw.choice([-1.0, 0.0, 1.0, np.nan], (raters, units), p=[0.3, 0.2, 0.4, 0.1])
    found = krippendorff_alpha(
        (unit, float(value))
        for row in table
        for unit, value in enumerate(row)
        if not math.isnan(value)
    )
    pairable = (~np.isnan(table)).sum(axis=0) > 1
    rated = table[:, pairable]
    known = rated[~np.isnan(rated)]
    if len(set(known.tolist())) < 2:
        assert math.isnan(found.interval.estimate)
        return
    expected = evalica.alpha(pd.DataFrame(table), distance="interval").alpha
    assert found.interval.estimate == pytest.approx(expected, abs=1e-9)
    assert (found.units, found.ratings) == (int(pairable.sum()), len(known))


def test_intervals_hold_the_truth() -> None:
    """Raters that copy a hidden value three times in four: alpha is 9/16 for values ± 1."""
    draw, held = np.random.default_rng(3), 0
    for _ in range(300):
        hidden = draw.choice([-1.0, 1.0], 60)
        rows = [
            np.where(draw.random(60) < 0.75, hidden, draw.choice([-1.0, 1.0], 60)) for _ in range(2)
        ]
        found = krippendorff_alpha(
            (unit, float(value)) for row in rows for unit, value in enumerate(row)
        ).interval
        held += found.low <= 9 / 16 <= found.high
    assert 0.92 <= held / 300 <= 0.98


def test_nothing_rated_twice_is_unknown() -> None:
    assert math.isnan(krippendorff_alpha([("a", 1.0), ("b", 0.0)]).interval.estimate)
    assert krippendorff_alpha([("a", 1.0), ("a", 0.0)]).units == 1
