"""Sweeps: what is tried, what is dropped, what is chosen, and what is claimed of it."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ethogram as eg
from ethogram.errors import SpecError
from ethogram.spec.space import Axis, parse_axis
from ethogram.study import Part, promote, sweep
from ethogram.study.measure import measure
from ethogram.study.sweeping.proposers import ProposerName

GOALS = ["distinct_2", "self_perplexity:lower"]


@pytest.fixture
def many(tiny_study: Path) -> Iterator[eg.Study]:
    """A tiny study with enough prompts for two halves."""
    prompts = [{"id": f"p{n}", "text": f"the sea wrote {n} letter"} for n in range(20)]
    text = "".join(json.dumps(row) + "\n" for row in prompts)
    (tiny_study / "suites/prompts.jsonl").write_text(text)
    with eg.Study(tiny_study) as study:
        yield study


def axes(*texts: str) -> list[Axis]:
    return [parse_axis(text) for text in texts]


def sampled(study: eg.Study) -> str:
    return next(name for name, v in study.versions.items() if v.decoding.is_stochastic)


def test_a_grid_finds_its_front_and_proves_the_choice(many: eg.Study) -> None:
    base = sampled(many)
    told: list[str] = []
    found = sweep(
        many,
        base,
        axes("decoding.temperature=0.3,1,3", "decoding.top_k=0,5"),
        objectives=GOALS,
        samples=2,
        on_stage=told.append,
    )
    assert found.requested == len(found.trials) == 6
    assert all(trial.eliminated_by or trial.samples == 2 for trial in found.trials)
    front = {trial.name for trial in found.front}
    values = {p.name: (p.values[GOALS[0]], -p.values["self_perplexity"]) for p in found.trials}
    for trial in found.trials:
        if not trial.eliminated_by:
            beaten = any(
                all(a >= b for a, b in zip(values[o.name], values[trial.name], strict=True))
                and values[o.name] != values[trial.name]
                for o in found.trials
                if not o.eliminated_by
            )
            assert (trial.name in front) != beaten
    assert found.chosen in front
    assert found.holdout is not None
    assert found.holdout.prompts + len(found.selection) == 20
    assert told[0].startswith("look 1/2: 6 settings × 1 sample")
    assert json.loads(json.dumps(found.to_json()))["chosen"] == found.chosen


def test_values_are_those_of_the_versions_on_the_selection_prompts(many: eg.Study) -> None:
    found = sweep(
        many, sampled(many), axes("decoding.temperature=0.5,2"), objectives=GOALS, samples=2
    )
    trial = found.trials[1]
    view = many.with_versions({"v9.9.9": trial.version})
    part = Part(frozenset(found.selection), trial.samples)
    assert measure(view, "v9.9.9", ["distinct_2"], part)["distinct_2"].value == pytest.approx(
        trial.values["distinct_2"]
    )


@pytest.mark.long
def test_a_sweep_done_again_makes_nothing_and_says_the_same(many: eg.Study) -> None:
    spaces = axes("decoding.temperature=0.5,2")
    first = sweep(many, sampled(many), spaces, objectives=GOALS)
    again = sweep(many, sampled(many), spaces, objectives=GOALS)
    assert first.generations > 0
    assert again.generations == 0
    same = ("trials", "chosen", "holdout", "base_values")
    one, other = first.to_json(), again.to_json()
    assert all(one.get(key) == other.get(key) for key in same)


def test_settings_of_one_behaviour_run_once(many: eg.Study) -> None:
    space = axes("decoding.strategy=greedy,sample", "decoding.top_k=3,4,5")
    found = sweep(many, sampled(many), space, objectives=GOALS)
    assert (found.requested, len(found.trials)) == (6, 4)


@pytest.mark.parametrize("search", ["random", "tpe", "nsga2"])
@pytest.mark.long
def test_a_search_tries_as_many_as_asked(many: eg.Study, search: ProposerName) -> None:
    found = sweep(
        many,
        sampled(many),
        axes("decoding.temperature=0.2:2", "decoding.top_k=0,3,10"),
        objectives=GOALS,
        search=search,
        trials=14,
        samples=1,
    )
    assert found.requested == 14
    temperatures = [dict(p.setting.values)["decoding.temperature"] for p in found.trials]
    assert all(0.2 <= t <= 2 for t in temperatures)
    assert len(set(temperatures)) > 7


@pytest.mark.long
def test_racing_saves_outputs_and_keeps_the_choice(
    many: eg.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An objective that is all a matter of the setting: the far ones are beaten on every prompt."""
    space = axes("decoding.max_new_tokens=2,4,30,60")
    run: dict[str, Any] = {"objectives": ["words:higher"], "samples": 4}
    raced = sweep(many, sampled(many), space, **run)
    whole = sweep(many, sampled(many), space, **run, racing=False)
    assert raced.eliminated
    assert not whole.eliminated
    assert raced.chosen == whole.chosen
    kept = sum(trial.samples for trial in raced.trials)
    assert kept < sum(trial.samples for trial in whole.trials)
    values = [trial.values["words"] for trial in whole.trials]
    assert all(a <= b for a, b in pairwise(np.round(values, 6)))


def test_the_choice_becomes_a_child_with_its_reason(many: eg.Study) -> None:
    base = sampled(many)
    space = axes("decoding.max_new_tokens=2,30", "decoding.stop=['.', '!']")
    found = sweep(many, base, space, objectives=["words:higher"])
    path = promote(many, found, "v7.0.0")
    with eg.Study(many.folder) as study:
        child = study.versions["v7.0.0"]
        assert child.parent == base
        assert child.decoding.max_new_tokens == 30
        assert found.chosen is not None
        assert child.identity == found.trial(found.chosen).version.identity
        assert study.spec.stated["v7.0.0"]["decoding"].keys() == {"max_new_tokens", "stop"}
    said = path.read_text()
    assert "held out" in said
    with pytest.raises(SpecError, match="already exists"):
        promote(eg.Study(many.folder), found, "v7.0.0")


def test_what_does_not_beat_its_parent_is_said_not_to(many: eg.Study) -> None:
    """The parent's own settings again: no prompt can tell the two apart."""
    base = sampled(many)
    temperature = many.versions[base].decoding.temperature
    found = sweep(many, base, axes(f"decoding.temperature={temperature}"), objectives=GOALS)
    assert found.holdout is not None
    assert not found.holdout.holds
    assert found.doubt == "the best setting is the parent's own"
    assert found.to_json()["doubt"] == found.doubt
    path = promote(many, found, "v7.0.1")
    assert "does not clearly beat its parent" in " ".join(path.read_text().split())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"objectives": ["words"]}, "no better direction"),
        ({"objectives": ["wrods:lower"]}, "did you mean 'words'"),
        ({"objectives": ["words:lower", "words:higher"]}, "duplicate objective"),
        ({"axes": []}, "no field to vary"),
        ({"search": "annealing"}, "unknown search"),
    ],
)
def test_a_mistake_is_an_error_before_anything_runs(
    many: eg.Study, change: dict[str, Any], says: str
) -> None:
    asked: dict[str, Any] = {"axes": axes("decoding.top_k=1,2"), "objectives": GOALS, **change}
    with pytest.raises(SpecError) as caught:
        sweep(many, sampled(many), asked.pop("axes"), **asked)
    assert says in str(caught.value)
    assert many.store.count() == 0


def test_a_small_suite_cannot_be_split(tiny_study: Path) -> None:
    with eg.Study(tiny_study) as study, pytest.raises(SpecError, match=r"too few .*here \d \| \d"):
        sweep(study, sampled(study), axes("decoding.top_k=1,2"), objectives=GOALS)


def test_a_setting_without_its_group_is_named() -> None:
    with pytest.raises(SpecError, match=r"did you mean decoding\.temperature"):
        axes("temperature=0.5,0.7")
