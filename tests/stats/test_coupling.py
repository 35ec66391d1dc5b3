"""Coupling: simulated noise whose shared part is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ethogram.metrics.base import ratio
from ethogram.stats import coupling, paired


def scores(
    prompts: int, samples: int, shared: float, seed: int = 0, between: float = 0.5
) -> tuple[Any, Any]:
    """Noise of variance 1 that correlates by `shared`; true differences of variance `between`²."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(prompts, samples))
    a, b = (
        math.sqrt(shared) * common + math.sqrt(1 - shared) * generator.normal(size=common.shape)
        for _ in range(2)
    )
    prompt = generator.normal(size=(prompts, 1))
    return prompt + a, prompt + b + 3 + between * generator.normal(size=(prompts, 1))


@pytest.mark.parametrize("shared", [0.0, 0.4, 0.9])
@pytest.mark.long
def test_the_known_ratio_is_recovered(shared: float) -> None:
    due = (0.25 + 2 * (1 - shared)) / (0.25 + 2)
    found = coupling(*scores(3000, 4, shared))
    assert found.ratio == pytest.approx(due, rel=0.03)
    assert found.noise == pytest.approx(1 - shared, rel=0.05)


def test_the_interval_holds_the_ratio_as_often_as_it_says() -> None:
    due = (0.25 + 2 * 0.5) / (0.25 + 2)
    held = []
    for seed in range(300):
        found = coupling(*scores(24, 4, 0.5, seed), resamples=199)
        held.append(found.low <= due <= found.high)
    assert 0.91 <= np.mean(held) <= 0.99


def test_equal_noise_and_equal_effects_leave_no_variance() -> None:
    a, _ = scores(20, 3, 0.5)
    found = coupling(a, a + 0.2)
    assert [found.ratio, found.noise] == pytest.approx([0, 0])


def test_what_cannot_be_measured_says_why() -> None:
    a, b = scores(20, 3, 0.5)
    assert coupling(a[:, :1], b[:, :1]).unknown == "one sample per prompt"
    assert coupling(a[:, :1], b).unknown == "one sample per prompt"
    assert coupling(a * 0, a * 0).unknown == "no output differs"
    before, after = (np.stack([values, np.ones_like(values)], axis=-1) for values in (a, b))
    assert paired(before, after, ratio).coupling.unknown == "no shared noise"
    shared = paired(before, after, ratio, coupled=True).coupling
    assert shared.ratio == pytest.approx(coupling(a, b).ratio)


def test_the_ratio_does_not_depend_on_the_unit() -> None:
    a, b = scores(30, 4, 0.5)
    found, scaled = coupling(a, b), coupling(1000 * a - 5e5, 1000 * b - 5e5)
    assert scaled.ratio == pytest.approx(found.ratio, rel=1e-3)
    assert scaled.low == pytest.approx(found.low, rel=1e-2)


def test_rare_differences_are_not_compared_and_raise_nothing() -> None:
    generator = np.random.default_rng(0)
    for events in range(1, 20):
        a, b = np.zeros((30, 4)), np.zeros((30, 4))
        for values in (a, b):
            values[generator.integers(0, 30, events), generator.integers(0, 4, events)] = 1
        found = coupling(a, b)
        assert found.unknown or found.low <= found.ratio <= found.high
        if events == 1:
            assert found.unknown == "too few outputs differ"
