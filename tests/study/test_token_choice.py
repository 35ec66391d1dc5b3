"""A token's distribution before and after each step, of outputs and branches; loops; costs."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethogram.errors import SpecError
from ethogram.study import Study, run, trace
from ethogram.study.branching import branch
from ethogram.study.token_choice import Microscope, TokenChoice, token_choice
from ethogram.study.token_loops import token_loops

DECODING = (
    "{strategy: sample, temperature: 1.1, repetition_penalty: 1.3, top_k: 40, top_p: 0.8, "
    "min_new_tokens: 4}"
)


@pytest.fixture
def cut(tiny_study: Path) -> Path:
    """The tiny study; v0.1.0 has penalties and truncations, and all outputs have traces."""
    file = tiny_study / "versions/v0.1.0.yaml"
    file.write_text(f"title: Cut\nparent: v0.0.1\ndecoding: {DECODING}\n")
    with Study(tiny_study) as study:
        run(study, trace=True)
    return tiny_study


def test_each_stage_is_that_of_the_stored_trace(cut: Path) -> None:
    with Study(cut) as study:
        traced = trace(study, "v0.1.0", "p1", sample=1)
        microscope = Microscope(study)
        choices = [
            microscope.choice("v0.1.0", "p1", sample=1, step=step)
            for step in range(len(traced.trace))
        ]
    for step, choice in enumerate(choices):
        assert [one.name for one in choice.stages] == ["model", *traced.trace.steps]
        assert [one.kept for one in choice.stages[1:]] == traced.trace.kept[step].tolist()
        for one in choice.stages:
            assert one.probabilities.sum() == pytest.approx(1, abs=1e-12)
            listed = one.probabilities[list(choice.listed)].sum()
            assert listed + choice.rest(one) == pytest.approx(1, abs=1e-12)
        first, last = choice.stages[0], choice.stages[-1]
        assert choice.token == traced.generation.token_ids[step]
        assert first.entropy == pytest.approx(float(traced.trace.entropy[step]), abs=1e-4)
        assert last.probabilities[choice.token] == pytest.approx(
            float(traced.trace.probability[step]), abs=1e-6
        )
        assert choice.notes == ()


def test_what_each_setting_removed(cut: Path) -> None:
    with Study(cut) as study:
        choice = token_choice(study, "v0.1.0", "p1", step=2)
    labels = [one.label for one in choice.stages]
    assert labels == [
        "model",
        "after repetition penalty",
        "after minimum length",
        "after temperature",
        "after top-k",
        "after top-p",
    ]
    by_name = {one.name: one for one in choice.stages}
    cut_k, before = by_name["top_k"], by_name["temperature"]
    gone = (cut_k.probabilities == 0) & (before.probabilities > 0)
    assert cut_k.removed == int(gone.sum()) == before.kept - cut_k.kept
    assert cut_k.removed_mass == pytest.approx(float(before.probabilities[gone].sum()))
    best = np.argsort(-np.where(gone, before.probabilities, 0), kind="stable")[:3]
    assert cut_k.removed_examples == tuple(best.tolist())
    assert cut_k.setting == "top_k 40"
    assert "top_k 40: removed" in cut_k.words
    assert by_name["repetition_penalty"].removed == 0
    data = json.loads(json.dumps(choice.to_json(), allow_nan=False))
    assert [one["label"] for one in data["stages"]] == labels
    for place, stage in enumerate(data["stages"]):
        listed = sum(token["probabilities"][place] for token in data["tokens"])
        assert listed + stage["rest"] == pytest.approx(1, abs=1e-9)
    assert sum(token["chosen"] for token in data["tokens"]) == 1
    assert "let it through" in data["why_possible"]


def test_tokens_of_a_branch_and_what_was_put_there_by_hand(cut: Path) -> None:
    with Study(cut) as study:
        made = branch(study, "v0.1.0", "p1", at=3, token=7, settings={"decoding.top_k": 4})
        microscope = Microscope(study)
        number = made.branch.id
        by_hand = microscope.choice(step=3, branch=number)
        later = microscope.choice(step=5, branch=number)
        early = microscope.choice(step=1, branch=number)
    assert by_hand.token == 7
    assert by_hand.notes == ("this token was put here by hand",)
    assert early.notes == ("this token is that of the original",)
    assert later.notes == ()
    assert next(one for one in later.stages if one.name == "top_k").kept == 4
    stored = float(made.made.trace.probability[5])
    assert later.stages[-1].probabilities[later.token] == pytest.approx(stored, abs=1e-6)
    removed = [one for one in by_hand.stages if one.probabilities[7] == 0]
    assert ("removed it, so it was given" in by_hand.why_possible) == bool(removed)


def test_a_second_step_runs_no_model(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ethogram.engine.replay as replaying

    calls: list[int] = []
    real = replaying.replay

    def counted(*args: Any, **options: Any) -> Any:
        calls.append(1)
        return real(*args, **options)

    monkeypatch.setattr(replaying, "replay", counted)
    with Study(cut) as study:
        microscope = Microscope(study)
        for step in (0, 5, 3):
            microscope.choice("v0.1.0", "p1", step=step)
        assert len(calls) == 1
        microscope.choice("v0.1.0", "p2", step=0)
        microscope.choice("v0.1.0", "p1", step=1)
    assert len(calls) == 2


def test_few_kept_scores_give_the_same_distributions(
    cut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_of(study: Study) -> list[TokenChoice]:
        microscope = Microscope(study)
        count = len(trace(study, "v0.1.0", "p1").trace)
        return [microscope.choice("v0.1.0", "p1", step=step) for step in range(count)]

    with Study(cut) as study:
        whole = all_of(study)
        module = sys.modules["ethogram.study.token_choice"]  # The package shows the verb.
        monkeypatch.setattr(module, "_KEPT_BYTES", 8 * 300 * 4)
        parts = all_of(study)
    assert len(whole) > 8
    for one, other in zip(whole, parts, strict=True):
        assert one.to_json() == other.to_json()


def test_mistakes_name_what_is_wrong(cut: Path) -> None:
    with Study(cut) as study:
        with pytest.raises(SpecError, match=r"p1: the output has only \d+ tokens"):
            token_choice(study, "v0.1.0", "p1", step=99)
        with pytest.raises(SpecError, match="no branch 4"):
            token_choice(study, step=0, branch=4)
        with pytest.raises(SpecError, match="no prompt"):
            token_choice(study, "v0.1.0", "nothing like it", step=0)


def test_a_loop_by_its_copies() -> None:
    ids = [9, 8, *[1, 2, 3, 4] * 4, 1, 2, 7, *[5] * 9]
    logprobs = [-1.0, -1.0]
    logprobs += [math.log(share) for share in (0.1, 0.2, 0.5, 0.9) for _ in range(4)]
    logprobs += [-2.0] * 3 + [math.log(0.5)] * 9
    ranks = [1] * len(ids)
    ranks[2] = 5
    phrase, single = token_loops(ids, logprobs, ranks)
    assert (phrase.onset, phrase.period, phrase.copies) == (2, 4, 4)
    assert phrase.probability == pytest.approx((0.1, 0.2, 0.5, 0.9))
    assert phrase.increased == (0.0, 1.0, 1.0, 1.0)
    assert phrase.won == (0.75, 1.0, 1.0, 1.0)
    assert (single.onset, single.period, single.copies) == (21, 1, 9)
    assert token_loops([1, 2, 3, 1, 2, 3], [-1.0] * 6) == [], "too short to be one"
    assert token_loops([], []) == []


def test_the_loops_of_an_output_are_in_its_data(cut: Path) -> None:
    with Study(cut) as study:
        data = trace(study, "v0.0.1", "p0").to_json()
    for loop in data["loops"]:
        start, stop = loop["onset"], loop["onset"] + loop["period"] * loop["copies"]
        ids = [token["id"] for token in data["tokens"][start:stop]]
        assert ids == ids[: loop["period"]] * loop["copies"]
