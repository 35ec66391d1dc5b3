"""Distribution: our call of mauve-text against mauve-text itself, on fixed features."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ethogram.errors import MissingExtraError, SpecError
from ethogram.metrics.distribution import mauve, mauve_of_features

mauve_text = pytest.importorskip("mauve", reason="the optional part [mauve] is not installed")


def features(seed: int, shift: float, count: int = 120) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, size=(count, 6)).astype(np.float32)


def test_values_are_those_of_mauve_text() -> None:
    ours, human = features(1, 0.0), features(2, 0.7)
    with pytest.warns(UserWarning, match="120 texts moves by several points"):
        found = mauve_of_features(ours, human, seeds=(25, 26))
    expected = [
        mauve_text.compute_mauve(p_features=ours, q_features=human, seed=seed, verbose=False)
        for seed in (25, 26)
    ]
    assert found.by_seed == pytest.approx([one.mauve for one in expected])
    assert found.mauve == pytest.approx(np.mean(found.by_seed))
    assert found.mauve_smoothed == pytest.approx(np.mean([one.mauve_star for one in expected]))
    assert found.texts == found.to_json()["texts"] == 120


def test_nearer_sets_score_higher() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        near, far = (
            mauve_of_features(features(1, 0.0), features(2, shift), seeds=(25,)).mauve
            for shift in (0.1, 2.0)
        )
    assert 0 <= far < near <= 1


def test_enough_texts_bring_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ethogram.metrics.distribution.ENOUGH", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        mauve_of_features(features(1, 0.0), features(2, 0.0), seeds=(25,))


def test_texts_are_read_by_the_reference_model(checkpoint: Callable[..., Path]) -> None:
    from ethogram.engine.forward.teacher_forcing import TeacherForced
    from ethogram.models import load

    model = TeacherForced(load(str(checkpoint("gpt2"))))
    ours = [f"the old lighthouse number {n}" for n in range(24)]
    human = [f"a letter to the sea {n * n}" for n in range(24)]
    with pytest.warns(UserWarning, match="24 texts"):
        found = mauve(ours, human, model, max_tokens=8, seeds=(25,))
    with pytest.warns(UserWarning, match="24 texts"):
        expected = mauve_of_features(
            model.features(ours, max_tokens=8), model.features(human, max_tokens=8), seeds=(25,)
        )
    assert found == expected


def test_what_cannot_be_compared() -> None:
    with pytest.raises(SpecError, match="do not match"):
        mauve_of_features(np.zeros((30, 4)), np.zeros((30, 5)))
    with pytest.raises(SpecError, match="19 texts are too few"):
        mauve_of_features(np.zeros((19, 4)), np.zeros((30, 4)))


def test_without_the_optional_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mauve", None)
    with (
        pytest.warns(UserWarning, match="120 texts"),
        pytest.raises(MissingExtraError, match=r"pip install '\.\[mauve\]'"),
    ):
        mauve_of_features(features(1, 0.0), features(2, 0.0))
