"""Reward models against the Bradley-Terry loss by hand, and their calibration."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trl
from tests.train.preferences import FLOAT, in_order, losses, preference_job, preference_study
from tests.train.small import arguments

from ethogram.corpus import Turn
from ethogram.errors import ModelError, SpecError
from ethogram.spec.recipes import load_recipe
from ethogram.study import Study
from ethogram.train import reward, train
from ethogram.train.calibration import calibration
from ethogram.train.reward_model import RewardModel

pytestmark = pytest.mark.long


def job_of(folder: Path, **options: Any) -> Any:
    recipe = {"kind": "reward", "training": FLOAT, **options.pop("recipe", {})}
    return preference_job(folder, recipe, **options)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_three_steps_equal_those_of_trl(kind: str, tmp_path: Path) -> None:
    job = job_of(tmp_path, kind=kind)
    prepared = reward.prepare(job)
    trainer = in_order(trl.RewardTrainer)(
        model=prepared.model,
        args=trl.RewardConfig(
            **arguments(job, max_steps=3),
            bf16=False,
            activation_checkpointing=False,
            max_length=None,
            adam_beta2=0.95,
            center_rewards_coefficient=0.01,
        ),
        train_dataset=prepared.train,
        processing_class=prepared.tokenizer,
    )
    expected = losses(trainer)
    options = arguments(job, max_steps=3, train_sampling_strategy="sequential")
    ours = reward.trainer(job, reward.prepare(job), options)
    assert losses(ours) == pytest.approx(expected, abs=1e-5)


def test_the_loss_is_bradley_terry(tmp_path: Path) -> None:
    job = job_of(tmp_path, recipe={"center": 0.1})
    prepared = reward.prepare(job)
    trainer = reward.trainer(job, prepared, arguments(job))
    rows = [prepared.train[at] for at in range(4)]
    trainer.model.eval()
    trainer.held_out_margins = []
    total = 0.0
    for row in rows:
        with torch.no_grad():
            chosen, rejected = (
                float(trainer.model(torch.tensor([row[name]]), use_cache=False).logits[0, 0])
                for name in ("chosen_ids", "rejected_ids")
            )
        total += math.log1p(math.exp(rejected - chosen)) + 0.1 * (chosen + rejected) ** 2
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(rows)).detach()
    assert float(loss) == pytest.approx(total / 4, abs=1e-5)


@pytest.mark.parametrize("lora", [None, {"rank": 4}])
def test_a_trained_reward_model_is_written_and_scores(
    lora: dict[str, int] | None, tmp_path: Path
) -> None:
    training = {**FLOAT, "learning_rate": 3e-2 if lora else 5e-3, "steps": 80}
    recipe = {"kind": "reward", "training": training, "name": "scorer"}
    path = preference_study(tmp_path, {**recipe, **({"lora": lora} if lora else {})})
    with Study(tmp_path) as study:
        (planned,) = train(study, path, dry_run=True)
        (done,) = train(study, path)
    assert planned.plan is not None
    assert planned.plan.counts.held_out_rows > 0
    assert done.finished is not None
    folder = tmp_path / "models/scorer"
    assert (folder / "model.safetensors").is_file()
    values: Any = done.finished.values
    assert 0 <= values["held_out/calibration_error"] <= 1
    assert values["held_out/accuracy"] > 0.7
    model = RewardModel(folder)
    question = Turn("user", "Name a colour. (5)")
    talks = [
        (question, Turn("assistant", reply)) for reply in ("Red.", "Well, I am not sure, Red.")
    ]
    short, long = model.score(talks)
    assert short > long
    alone = [model.score([talk])[0] for talk in talks]
    assert alone == pytest.approx([short, long], abs=1e-5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"version": "v1.0.0"}, "generates nothing"),
        ({"lora": {"merge": False}}, "is written whole"),
    ],
)
def test_what_a_reward_recipe_cannot_state(
    fields: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = preference_study(tmp_path, {"kind": "reward", **fields})
    with pytest.raises(SpecError, match=message):
        load_recipe(path)


def test_another_model_is_no_reward_model(tmp_path: Path) -> None:
    preference_study(tmp_path, {"kind": "reward"})
    with pytest.raises(ModelError, match="not a reward model"):
        RewardModel(tmp_path / "models/base")


def test_calibration_of_a_simulated_model() -> None:
    """Pairs whose labels follow the stated probabilities have no calibration error."""
    draw = np.random.default_rng(0)
    margins = np.abs(draw.normal(0, 2, 40_000))
    right = draw.random(40_000) < 1 / (1 + np.exp(-margins))
    honest = calibration(np.where(right, margins, -margins).tolist())
    assert honest.error < 0.01
    assert honest.accuracy == pytest.approx(right.mean())
    boasting = calibration((5 * np.where(right, margins, -margins)).tolist())
    assert boasting.error > 0.1


def test_calibration_by_hand() -> None:
    found = calibration([math.log(9), math.log(9), -math.log(9), 0.0])
    assert found.accuracy == pytest.approx(2.5 / 4)
    assert [(each.low, each.pairs) for each in found.bins] == [(0.5, 1), (0.9, 3)] or [
        each.pairs for each in found.bins
    ] == [1, 3]
    assert found.error == pytest.approx((1 * 0.0 + 3 * (0.9 - 2 / 3)) / 4)
    with pytest.raises(ValueError, match="no pair"):
        calibration([])
