"""Trainings: points and outputs by step; a resumed training replaces what it repeats."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ethogram.store import Point, Store, TrainingOutput, TrainingRecord, Trainings


@pytest.fixture
def trainings(tmp_path: Path) -> Iterator[Trainings]:
    with Store.open(tmp_path / "store.db") as store:
        yield Trainings(store)


def begun(trainings: Trainings, key: str = "a" * 64) -> TrainingRecord:
    return trainings.begin(key=key, name="chat", kind="sft", seed=1, recipe="{}", plan="{}")


def test_a_training_of_the_same_key_is_continued(trainings: Trainings) -> None:
    first = begun(trainings)
    assert begun(trainings) == first
    assert begun(trainings, "b" * 64).id == first.id + 1
    trainings.finish(first.id, '{"steps": 3}')
    assert [record.result for record in trainings.all("chat")] == ['{"steps": 3}', None]
    assert trainings.all("other") == []


def test_points_of_a_repeated_step_are_replaced(trainings: Trainings) -> None:
    training = begun(trainings).id
    trainings.add_points(training, [Point(1, "train/loss", 3.0), Point(2, "train/loss", 2.5)])
    trainings.add_points(training, [Point(2, "train/loss", 2.25), Point(2, "greedy/loop_rate", 0)])
    assert trainings.points(training) == [
        Point(1, "train/loss", 3.0),
        Point(2, "greedy/loop_rate", 0.0),
        Point(2, "train/loss", 2.25),
    ]
    assert trainings.points(training, ["greedy/loop_rate"]) == [Point(2, "greedy/loop_rate", 0.0)]


def test_what_follows_the_checkpoint_is_forgotten(trainings: Trainings) -> None:
    training = begun(trainings).id
    outputs = [TrainingOutput(step, "greedy", "p", 0, f"text {step}", "eos") for step in (1, 2)]
    trainings.add_outputs(training, outputs)
    trainings.add_points(training, [Point(step, "train/loss", None) for step in (1, 2)])
    trainings.drop_after(training, 1)
    assert trainings.outputs(training) == outputs[:1]
    assert trainings.points(training) == [Point(1, "train/loss", None)]


def test_many_points_at_once(trainings: Trainings) -> None:
    training = begun(trainings).id
    points = [Point(step, name, float(step)) for step in range(1000) for name in ("a", "b")]
    trainings.add_points(training, points)
    trainings.add_points(training, points)
    assert trainings.points(training) == points
