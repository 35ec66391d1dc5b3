"""From a recipe to a model, a child version and a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tests.train.studies import BASE, write_study

from ethogram.errors import DataError, SpecError
from ethogram.store import Trainings
from ethogram.study import Study
from ethogram.train import train
from ethogram.train.arguments import batches_of
from ethogram.train.checkpoints import whole_checkpoints
from ethogram.train.events import Evaluated, Event, Finished, Plan, Stepped
from ethogram.train.jobs import job_of
from ethogram.train.launcher import asked_processes

pytestmark = pytest.mark.filterwarnings("default")
QUICK = BASE.replace("steps: 12", "steps: 4").replace("every: 4", "every: 2")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_THREADS", "1")


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A study in which the quick recipe was trained, and the events of it."""
    events: list[Event] = []
    recipe = write_study(tmp_path_factory.mktemp("trained"), QUICK)
    train(recipe.parent, recipe, on_event=events.append)
    return recipe, events


@pytest.mark.long
def test_events_come_in_order(trained: tuple[Path, list[Event]]) -> None:
    _, events = trained
    kinds = [type(event).__name__ for event in events]
    assert kinds == [
        "Plan", "Evaluated", "Stepped", "Evaluated", "Stepped", "Stepped", "Evaluated", "Stepped",
        "Finished",
    ] or kinds.count("Stepped") == 4  # fmt: skip
    assert [event.step for event in events if isinstance(event, Stepped)] == [1, 2, 3, 4]
    assert [event.step for event in events if isinstance(event, Evaluated)] == [0, 2, 4]
    plan, done = events[0], events[-1]
    assert isinstance(plan, Plan)
    assert isinstance(done, Finished)
    assert plan.steps == 4
    assert plan.seconds == done.planned_seconds
    assert any(learned for _, learned in plan.examples[0])
    assert done.values["held_out/bits_per_byte"] == done.values["held_out/words/bits_per_byte"]


@pytest.mark.long
def test_points_and_outputs_are_stored_by_step(trained: tuple[Path, list[Event]]) -> None:
    recipe, events = trained
    with Study(recipe.parent) as study:
        trainings = Trainings(study.store)
        (record,) = trainings.all()
        losses = trainings.points(record.id, ["train/loss"])
        outputs = trainings.outputs(record.id)
        bits = trainings.points(record.id, ["held_out/bits_per_byte"])
    assert [point.step for point in losses] == [1, 2, 3, 4]
    assert [point.step for point in bits] == [0, 2, 4]
    values = [point.value for point in bits if point.value is not None]
    assert values[-1] < values[0]
    assert {(each.step, each.decoding) for each in outputs} == {
        (step, name) for step in (0, 2, 4) for name in ("greedy", "sampled")
    }
    seen = [out for event in events if isinstance(event, Evaluated) for out in event.outputs]
    assert sorted(map(repr, seen)) == sorted(map(repr, outputs))


@pytest.mark.long
def test_the_model_is_served_as_it_was_watched(trained: tuple[Path, list[Event]]) -> None:
    """The last outputs of the training are those that the study's engine makes of its files."""
    from ethogram.engine import Engine
    from ethogram.models import load
    from ethogram.spec.recipes import load_chain
    from ethogram.train.behaviour import Watched

    recipe, events = trained
    (last,) = [event for event in events if isinstance(event, Evaluated) and event.step == 4]
    with Study(recipe.parent) as study:
        reference = study.model_reference("v1.0.0")
        watched = Watched(job_of(study, *load_chain(recipe)[0], 1))
        requests = [each for name in watched.versions for each in watched.requests(name)]
        made = {each.identity: each.text for each in Engine(load(reference)).generate(requests)}
    assert [each.text for each in last.outputs] == [made[each.identity] for each in requests]


@pytest.mark.long
def test_the_folder_holds_all_that_another_program_needs(
    trained: tuple[Path, list[Event]],
) -> None:
    recipe, _ = trained
    folder = recipe.parent / "models" / "base"
    own = json.loads((folder / "generation_config.json").read_text())
    assert own["pad_token_id"] != own["eos_token_id"]
    record = json.loads((folder / "training.json").read_text())
    assert record["libraries"]["torch"] == torch.__version__
    assert (folder / "recipe.yaml").read_text() == recipe.read_text()
    assert "<|assistant|>" in (folder / "chat_template.jinja").read_text()
    assert not list(folder.parent.glob(".*"))
    assert (recipe.parent / "versions" / "v1.0.0.yaml").read_text() == (
        "title: A small model\nmodel: models/base\n"
    )


@pytest.mark.long
def test_a_finished_training_is_not_repeated(trained: tuple[Path, list[Event]]) -> None:
    recipe, _ = trained
    before = (recipe.parent / "models" / "base" / "model.safetensors").stat().st_mtime_ns
    (again,) = train(recipe.parent, recipe)
    assert again.repeated
    assert (recipe.parent / "models" / "base" / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.long
def test_the_log_says_how_it_was_trained_and_verify_checks_it(
    trained: tuple[Path, list[Event]],
) -> None:
    from ethogram.report.trained import training_lines

    recipe, _ = trained
    with Study(recipe.parent) as study:
        first, *rest = training_lines(study, "v1.0.0")
        assert first.startswith("- **Trained:** pretraining (`base`, seed 1) on `data/words.txt`: ")
        assert "4 steps" in first
        assert "held-out bits per byte" in first
        (learned,) = rest
        assert learned.startswith("- **As it learned**, at steps 0, ")
        assert "held-out bits per byte " in learned
        assert "greedy loop rate " in learned


@pytest.mark.long
def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    recipe = write_study(tmp_path, QUICK)
    (planned,) = train(tmp_path, recipe, dry_run=True)
    assert planned.finished is None
    assert planned.plan is not None
    assert planned.plan.counts.tokens > 0
    assert planned.plan.memory_bytes > 1e7
    assert not (tmp_path / "models").exists()
    assert not list((tmp_path / "versions").iterdir())
    with Study(tmp_path) as study:
        assert Trainings(study.store).all() == []


@pytest.mark.long
def test_timing_a_step_changes_no_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ethogram.train import plan

    recipes = [write_study(tmp_path / name, QUICK) for name in ("timed", "untimed")]
    train(recipes[0].parent, recipes[0])
    untimed = plan.Speed(None, 0, 1, 1e9)
    monkeypatch.setattr(plan, "measure", lambda trainer, job: untimed)
    train(recipes[1].parent, recipes[1])
    first, second = (weights(recipe.parent / "models" / "base") for recipe in recipes)
    assert first == second


@pytest.mark.long
def test_watching_changes_no_bit(tmp_path: Path) -> None:
    often = write_study(tmp_path / "often", QUICK.replace("every: 2", "every: 1"))
    never = write_study(tmp_path / "never", QUICK.replace("every: 2", "every: 4"))
    for recipe in (often, never):
        train(recipe.parent, recipe)
    assert weights(often.parent / "models" / "base") == weights(never.parent / "models" / "base")


@pytest.mark.long
def test_seeds_make_models_of_their_own(tmp_path: Path) -> None:
    recipe = write_study(tmp_path, QUICK + "seeds: [1, 2]\n")
    train(tmp_path, recipe)
    one, two = (tmp_path / "models" / f"base-seed{seed}" for seed in (1, 2))
    assert weights(one) != weights(two)
    names = sorted(path.name for path in (tmp_path / "versions").iterdir())
    assert names == ["v1.0.0-seed2.yaml", "v1.0.0.yaml"]


@pytest.mark.long
def test_a_loss_that_is_no_number_ends_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ethogram.train.fast import FastTraining

    monkeypatch.setattr(FastTraining, "take_step_loss", lambda _: float("nan"))
    recipe = write_study(tmp_path, QUICK)
    with pytest.raises(SpecError, match="the loss is nan at step 1"):
        train(tmp_path, recipe)
    assert not (tmp_path / "models").exists()


# What is refused before any weight is trained.


def test_a_version_that_says_something_else_is_refused(tmp_path: Path) -> None:
    recipe = write_study(tmp_path, QUICK)
    (tmp_path / "versions" / "v1.0.0.yaml").write_text("title: Mine\nmodel: elsewhere\n")
    with pytest.raises(SpecError, match="states another title"):
        train(tmp_path, recipe)


def test_a_folder_that_no_training_made_is_refused(tmp_path: Path) -> None:
    recipe = write_study(tmp_path, QUICK)
    (tmp_path / "models" / "base").mkdir(parents=True)
    with pytest.raises(SpecError, match="no training made it"):
        train(tmp_path, recipe)


def test_missing_data_is_refused(tmp_path: Path) -> None:
    recipe = write_study(tmp_path, QUICK.replace("words.txt", "other.txt"))
    with pytest.raises(DataError, match="no such data file"):
        train(tmp_path, recipe)


def test_a_bad_row_is_refused_with_its_line(tmp_path: Path) -> None:
    recipe = write_study(tmp_path, QUICK.replace("words.txt", "rows.jsonl"))
    (tmp_path / "data" / "rows.jsonl").write_text('{"text": "good"}\n{"text": \n{"text": "good"}\n')
    with pytest.raises(DataError, match=r"rows\.jsonl:2"):
        train(tmp_path, recipe)


def test_prompts_of_the_suite_in_the_data_are_refused(tmp_path: Path) -> None:
    recipe = write_study(tmp_path, QUICK.replace("held_out: 0.1", "held_out: 0.0"))
    prompt = "The keeper of the lamp wrote a letter to the sea that night"
    (tmp_path / "suites" / "prompts.jsonl").write_text(json.dumps({"id": "a", "text": prompt}))
    words = tmp_path / "data" / "words.txt"
    words.write_text(words.read_text() + f"\n\nOnce more. {prompt}, and slept.\n")
    with pytest.raises(SpecError, match="hold prompts of the suite"):
        train(tmp_path, recipe)


def test_rows_that_do_not_divide_are_refused(tmp_path: Path) -> None:
    recipe = write_study(
        tmp_path, QUICK.replace("batch_size: 4", "batch_size: 4, micro_batch_size: 3")
    )
    with pytest.raises(SpecError, match="does not divide"):
        train(tmp_path, recipe)


def test_fewer_processes_than_asked_for_are_refused(tmp_path: Path) -> None:
    recipe = write_study(tmp_path, QUICK)
    with pytest.raises(SpecError, match="2 processes were asked for and 1 started"):
        train(tmp_path, recipe, processes=2)


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("python /bin/accelerate launch --cpu --num_processes 2 /bin/ethogram train", 2),
        ("accelerate launch --num-processes=4 x.py", 4),
        ("accelerate launch x.py", None),
        ("bash -c accelerate", None),
        ("ethogram train --num_processes 2", None),
    ],
)
def test_what_a_launcher_was_asked_for(command: str, asked: int | None) -> None:
    assert asked_processes(command.split()) == asked


def test_processes_share_the_rows_of_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ethogram.spec.recipes import load_chain

    recipe = write_study(tmp_path, QUICK)
    with Study(tmp_path) as study:
        job = job_of(study, *load_chain(recipe)[0], 1)
        alone = batches_of(job)
        monkeypatch.setenv("WORLD_SIZE", "2")
        both = batches_of(job)
    assert (alone.micro, alone.processes) == (4, 1)
    assert (both.micro, both.processes, both.size) == (2, 2, 4)


# Checkpoints


@pytest.mark.fault("a checkpoint of a training is cut off")
def test_damaged_checkpoints_are_not_taken(tmp_path: Path) -> None:
    from ethogram.train.checkpoints import _finish

    for step in (1, 2, 3):
        written = tmp_path / "written"
        written.mkdir()
        (written / "model.safetensors").write_bytes(b"weights" * step)
        _finish(written, tmp_path / f"checkpoint-{step}")
    (tmp_path / "checkpoint-3" / "model.safetensors").write_bytes(b"cut")
    (tmp_path / "checkpoint-4").mkdir()
    assert [path.name for path in whole_checkpoints(tmp_path)] == ["checkpoint-2", "checkpoint-1"]
