"""Sweeps in the store: what comes back, what an interrupted one leaves, and no doubling."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import ethogram as eg
from ethogram.errors import SpecError
from ethogram.spec.space import parse_axis
from ethogram.store import Sweeps
from ethogram.study import sweep
from ethogram.study.record import Progress
from ethogram.study.sweeping.recorder import SILENT_SECONDS
from ethogram.study.sweeping.stored import read_sweep, state_of

BASE = "v0.1.0"


@pytest.fixture(params=["sqlite", "postgres"])
def many(
    request: pytest.FixtureRequest, tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[eg.Study]:
    """A tiny study with enough prompts for two halves, in either database."""
    if request.param == "postgres":
        monkeypatch.setenv("ETHOGRAM_STORE", request.getfixturevalue("postgres_url"))
    prompts = [{"id": f"p{n}", "text": f"the sea wrote {n} letter"} for n in range(20)]
    text = "".join(json.dumps(row) + "\n" for row in prompts)
    (tiny_study / "suites/prompts.jsonl").write_text(text)
    with eg.Study(tiny_study) as study:
        yield study


def swept(study: eg.Study, *texts: str, **options: object) -> eg.study.SweepResult:
    axes = [parse_axis(text) for text in texts or ("decoding.max_new_tokens=2,4,20",)]
    return sweep(study, BASE, axes, objectives=["words:higher"], samples=2, **options)  # type: ignore[arg-type]


@pytest.mark.long
def test_a_sweep_comes_back_as_it_was(many: eg.Study) -> None:
    ids: list[int] = []
    made = swept(many, on_stored=ids.append)
    assert made.id is not None
    assert set(ids) == {made.id}
    stored = read_sweep(many, made.id)
    assert state_of(stored.record) == "done"
    assert stored.result is not None
    assert stored.result.to_json() == made.to_json()
    assert stored.result.verdict == made.verdict
    assert [trial.version for trial in stored.trials] == [trial.version for trial in made.trials]
    assert stored.asked.axes[0].values == (2, 4, 20)
    assert [round_.samples for round_ in stored.rounds] == [1, 2]
    lost = {name: by for round_ in stored.rounds for name, by in round_.eliminated.items()}
    assert lost == {trial.name: trial.eliminated_by for trial in made.eliminated}
    assert made.eliminated
    assert stored.rounds[-1].values[BASE] == made.base_values
    finished = [trial for trial in made.trials if not trial.eliminated_by]
    assert all(len(trial.against) == 1 for trial in finished)


@pytest.mark.long
def test_the_same_sweep_is_stored_once_and_another_one_beside_it(many: eg.Study) -> None:
    first, again = swept(many), swept(many)
    other = swept(many, "decoding.max_new_tokens=2,4")
    assert first.id == again.id
    assert [record.id for record in Sweeps(many.store).all()] == [first.id, other.id]
    stored = read_sweep(many, first.id or 0)
    assert len(stored.trials) == 3
    assert stored.result is not None
    assert stored.result.generations == 0  # Of the last time.
    assert stored.result.chosen == first.chosen


@pytest.mark.long
def test_one_that_fails_shows_how_far_it_came_and_why(many: eg.Study) -> None:
    rounds = 0

    def stage(words: str) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept(many, on_stage=stage)
    (record,) = Sweeps(many.store).all()
    assert (state_of(record), record.ended) == ("stopped", "interrupted")
    stored = read_sweep(many, record.id)
    assert stored.result is None
    assert len(stored.rounds) == 1
    assert all(trial.samples == 1 for trial in stored.trials)
    assert set(stored.base_values) == {"words"}
    swept(many)
    assert state_of(Sweeps(many.store).all()[0]) == "done"


@pytest.mark.long
def test_one_at_work_can_be_read_and_silence_means_that_it_was_killed(many: eg.Study) -> None:
    seen: list[tuple[str, int]] = []

    def progressed(now: Progress) -> None:
        with eg.Study(many.folder) as reader:
            (record,) = Sweeps(reader.store).all()
            seen.append((state_of(record), len(read_sweep(reader, record.id).rounds)))

    swept(many, on_progress=progressed)
    assert {state for state, _ in seen} == {"running"}
    assert {rounds for _, rounds in seen} >= {0, 1}
    record = Sweeps(many.store).all()[0]
    assert state_of(record) == "done"
    killed = replace(record, finished_at=None, result=None)
    late = datetime.now(UTC) + timedelta(seconds=SILENT_SECONDS + 5)
    assert state_of(killed, late) == "interrupted"


def test_a_number_that_there_is_not_is_one_line(many: eg.Study) -> None:
    with pytest.raises(SpecError, match="no sweep 7"):
        read_sweep(many, 7)
