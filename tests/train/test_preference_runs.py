"""Whole trainings on preferences: plan, two steps, and a model that loads and generates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.train.preferences import FLOAT, pairs, preference_study, single_votes
from tests.train.small import talks

from ethogram.store import Trainings
from ethogram.study import Study, run
from ethogram.train import train

pytestmark = pytest.mark.long

GRPO = {
    "generations": 4,
    "max_new_tokens": 24,
    "rewards": [{"metric": "words", "bound": "< 2"}],
}
KINDS: dict[str, tuple[dict[str, Any], Any]] = {
    "dpo": ({"sft_weight": 0.2}, pairs()),
    "kto": ({}, single_votes()),
    "grpo": (GRPO, talks()),
}
#: A point that each kind stores by step, and one on held-out rows.
POINTS = {
    "dpo": ("train/logps/chosen", "held_out/rewards/margins"),
    "kto": ("train/kl", "held_out/loss"),
    "grpo": ("train/frac_reward_zero_std", "held_out/reward"),
}


@pytest.mark.parametrize("model", ["gpt2", "llama"])
@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_two_steps_and_a_model_that_generates(
    kind: str, lora: bool, model: str, tmp_path: Path
) -> None:
    fields, rows = KINDS[kind]
    recipe = {
        "kind": kind,
        "version": "v1.0.0",
        "training": {**FLOAT, "steps": 2, "precision": "bfloat16"},
        **fields,
        **({"lora": {"rank": 2}} if lora else {}),
    }
    path = preference_study(tmp_path, recipe, rows=rows, kind=model)
    with Study(tmp_path) as study:
        (planned,) = train(study, path, dry_run=True)
        assert planned.plan is not None
        assert planned.finished is None
        assert planned.plan.steps == 2
        assert planned.plan.trained_parameters <= planned.plan.parameters
    assert not (tmp_path / "models/tuned").exists()
    with Study(tmp_path) as study:
        (done,) = train(study, path)
        assert done.finished is not None
        trainings = Trainings(study.store)
        (record,) = [each for each in trainings.all() if each.finished_at]
        names = {point.name for point in trainings.points(record.id)}
        assert set(POINTS[kind]) <= names
        assert "train/num_tokens" not in names
    assert (tmp_path / "models/tuned/model.safetensors").is_file()
    with Study(tmp_path) as study:
        result = run(study, ["v1.0.0"])
        assert result is not None
        assert len(study.identities("v1.0.0")) == 2
