"""Corrections against statsmodels and scipy; splits that never move a prompt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from ethogram.stats import adjust, split_prompts


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_values_are_those_of_scipy_and_of_holm(values: list[float]) -> None:
    due = false_discovery_control(values, method="bh")
    np.testing.assert_allclose(adjust(values, "bh"), due, atol=1e-12)
    order = np.argsort(values, kind="stable")
    steps = [(len(values) - rank) * values[place] for rank, place in enumerate(order)]
    holm = np.minimum(np.maximum.accumulate(steps), 1)
    np.testing.assert_allclose(np.array(adjust(values, "holm"))[order], holm, atol=1e-12)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_values_are_those_of_statsmodels(values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    holm, bh = (multipletests(values, method=name)[1] for name in ("holm", "fdr_bh"))
    np.testing.assert_allclose(adjust(values, "holm"), holm, atol=1e-12)
    np.testing.assert_allclose(adjust(values, "bh"), bh, atol=1e-12)


def test_what_was_not_tested_does_not_count() -> None:
    found = adjust([0.01, float("nan"), 0.03])
    np.testing.assert_allclose(found, [0.02, np.nan, 0.03])
    assert adjust([]).size == 0


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="unknown method"):
        adjust([0.1], "bonferroni")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust([1.5])


def test_a_prompt_keeps_its_half() -> None:
    ids = [f"p{number}" for number in range(400)]
    half = dict(zip(ids, split_prompts(ids), strict=True))
    assert 160 < sum(half.values()) < 240
    some = ids[::-3]
    assert [half[name] for name in some] == list(split_prompts(some))
    assert list(split_prompts(ids)) != list(split_prompts(ids, salt="again"))
    with pytest.raises(ValueError, match="too few"):
        split_prompts(["a", "b", "c"])
