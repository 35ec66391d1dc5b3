"""A training that is killed at any moment ends like one that is not: weights, curve, outputs."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.train.studies import RESUMED

from ethogram.store import Trainings
from ethogram.study import Study

PROGRAM = Path(__file__).parent / "killed.py"
#: Names of points that are times, which no two runs share.
TIMES = ("train/seconds", "train/tokens_per_second", "train/mfu")


def start(recipe: Path, moment: str = "") -> subprocess.Popen[bytes]:
    environment = os.environ | {"ETHOGRAM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    environment["PYTHONPATH"] = f"{root / 'src'}{os.pathsep}{root}"
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(recipe), *([moment] if moment else [])],
        env=environment,
        stderr=subprocess.PIPE,
    )


def finish(recipe: Path) -> None:
    process = start(recipe)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()[-2000:]


def kill_at(recipe: Path, moment: str) -> None:
    process = start(recipe, moment)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL


def outcome(recipe: Path) -> tuple[str, list[tuple[int, str, float | None]], list[object]]:
    """Digest of the weights, the points that are no times, and the outputs."""
    folder = recipe.parent
    (record_file,) = (folder / "models").glob("*/training.json")
    (weights,) = record_file.parent.glob("*model.safetensors")
    with Study(folder) as study:
        trainings = Trainings(study.store)
        (record,) = [each for each in trainings.all() if each.finished_at]
        points = [
            (each.step, each.name, each.value)
            for each in trainings.points(record.id)
            if each.name not in TIMES and not each.name.endswith("runtime")
        ]
        outputs: list[object] = list(trainings.outputs(record.id))
    return hashlib.sha256(weights.read_bytes()).hexdigest(), points, outputs


def assert_same_outcome(killed: Path, undisturbed: Path) -> None:
    weights, points, outputs = outcome(killed)
    expected_weights, expected_points, expected_outputs = outcome(undisturbed)
    assert weights == expected_weights
    assert points == expected_points
    assert outputs == expected_outputs
    assert not list((killed.parent / ".ethogram" / "training").iterdir())


@pytest.mark.fault("SIGKILL while a checkpoint of a training is written")
@pytest.mark.long
def test_a_killed_pretraining_equals_an_undisturbed_one(tmp_path: Path) -> None:
    undisturbed = RESUMED["pretrain"](tmp_path / "undisturbed")
    killed = RESUMED["pretrain"](tmp_path / "killed")
    finish(undisturbed)
    kill_at(killed, "write:2")  # While the second checkpoint is written.
    kill_at(killed, "step:8")
    finish(killed)
    assert_same_outcome(killed, undisturbed)


@pytest.mark.fault("SIGKILL between two steps of a training")
@pytest.mark.long
def test_a_killed_tuning_equals_an_undisturbed_one(tmp_path: Path) -> None:
    undisturbed = RESUMED["sft-lora"](tmp_path / "undisturbed")
    killed = RESUMED["sft-lora"](tmp_path / "killed")
    finish(undisturbed)
    kill_at(killed, "step:8")
    finish(killed)
    assert_same_outcome(killed, undisturbed)


@pytest.mark.long
def test_a_preference_training_killed_at_a_random_moment(tmp_path: Path) -> None:
    undisturbed, killed = (RESUMED["dpo"](tmp_path / name) for name in ("undisturbed", "killed"))
    finish(undisturbed)
    kill_at(killed, f"step:{random.Random(time.time_ns()).randint(4, 9)}")
    finish(killed)
    assert_same_outcome(killed, undisturbed)


@pytest.mark.fault("SIGKILL at random moments of a training and while it is resumed")
@pytest.mark.slow
@pytest.mark.parametrize("kind", RESUMED)
def test_killed_at_five_random_moments(kind: str, tmp_path: Path) -> None:
    undisturbed = RESUMED[kind](tmp_path / "undisturbed")
    began = time.monotonic()
    finish(undisturbed)
    whole = time.monotonic() - began
    killed = RESUMED[kind](tmp_path / "killed")
    draw = random.Random(kind)
    for _ in range(5):
        process = start(killed)
        try:
            process.communicate(timeout=draw.uniform(0.4, 0.95) * whole)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    finish(killed)
    assert_same_outcome(killed, undisturbed)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The recipe of a kind, trained without a fault; each kind once."""

    @cache
    def trained(kind: str) -> Path:
        recipe = RESUMED[kind](tmp_path_factory.mktemp("undisturbed") / kind)
        finish(recipe)
        return recipe

    return trained


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment", ["write:1", "rename:1", "rename:3", "step:1", "step:12", "output"]
)
@pytest.mark.parametrize("kind", RESUMED)
def test_killed_at_every_kind_of_moment(
    kind: str, moment: str, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    killed = RESUMED[kind](tmp_path / "killed")
    kill_at(killed, moment)
    finish(killed)
    assert_same_outcome(killed, undisturbed(kind))
