"""Two processes that train together equal one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.train.small import resumed_study
from tests.train.studies import BASE, write_study

from ethogram.store import Trainings
from ethogram.study import Study

PROGRAM = Path(__file__).parent / "killed.py"
RECIPE = BASE.replace("checkpoint_every: 3", "checkpoint_every: 6").replace("bfloat16", "float32")
#: Gradients are summed in another order, and an update has the same size however small the gradient
#: is, so rounding grows from step to step; the loss is about 6, weights move by 0.02 at a step.
LOSS_BOUND, WEIGHT_BOUND = 1e-4, 5e-3


def launch(recipe: Path, processes: int) -> None:
    root = Path(__file__).parents[2]
    environment = os.environ | {
        "ETHOGRAM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}",
    }
    command = [str(PROGRAM), str(recipe)]
    if processes > 1:
        launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
        command = [*launcher, "--master-port", "0", "--standalone", *command]
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr[-3000:]


def losses(recipe: Path) -> list[float]:
    with Study(recipe.parent) as study:
        trainings = Trainings(study.store)
        (record,) = trainings.all()
        names = ["train/loss", "held_out/loss"]
        return [point.value or 0.0 for point in trainings.points(record.id, names)]


@pytest.mark.long
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_two_processes_equal_one(tmp_path: Path) -> None:
    alone, both = (write_study(tmp_path / name, RECIPE) for name in ("alone", "both"))
    launch(alone, 1)
    launch(both, 2)
    assert losses(both) == pytest.approx(losses(alone), abs=LOSS_BOUND)
    one, two = (
        load_file(r.parent / "models" / "base" / "model.safetensors") for r in (alone, both)
    )
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=0, atol=WEIGHT_BOUND)


@pytest.mark.long
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_two_processes_tune_like_one(tmp_path: Path) -> None:
    """Rows of different lengths: the mean is over the tokens of both processes."""
    training = {"precision": "float32", "dropout": 0.0, "checkpoint_every": 12, "steps": 4}
    alone, both = (
        resumed_study(tmp_path / name, {"training": training}) for name in ("alone", "both")
    )
    launch(alone, 1)
    launch(both, 2)
    assert losses(both) == pytest.approx(losses(alone), abs=LOSS_BOUND)
