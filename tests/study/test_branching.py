"""Branches: the original bit for bit without a change, kept as data, undone, and put to use."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ethogram.errors import SpecError
from ethogram.spec import Trace
from ethogram.store.branches import Branches
from ethogram.study import Study, run, trace
from ethogram.study.branches import (
    branch_as_version,
    branch_pair,
    branches,
    restore_branch,
    traced_branch,
    undo_branch,
    write_branch_pair,
)
from ethogram.study.branching import Branched, branch, branch_again


@pytest.fixture
def traced(tiny_study: Path) -> Path:
    """The tiny study with a greedy, a sampled and a chat output traced, and a wrapped version."""
    (tiny_study / "versions/v1.1.0.yaml").write_text(
        "title: Wrapped\nparent: v1.0.0\n"
        "wrapper: {stop_at_next_turn: true, whole_sentences: true}\n"
    )
    with Study(tiny_study) as study:
        for version in ("v0.0.1", "v0.1.0", "v1.0.0", "v1.1.0"):
            trace(study, version, "p2")
        trace(study, "v0.1.0", "p2", sample=1)
    return tiny_study


def parts(made: Branched) -> tuple[object, ...]:
    found = made.made.generation
    return found.token_ids, found.logprobs, found.text, found.finish_reason


@pytest.mark.parametrize("at", [0, 1, 9])
@pytest.mark.parametrize("version", ["v0.0.1", "v0.1.0", "v1.0.0", "v1.1.0"])
def test_a_branch_without_changes_is_the_original(traced: Path, version: str, at: int) -> None:
    with Study(traced) as study:
        made = branch(study, version, "p2", at=at)
        original = made.original.generation
    assert made.parted_at is None
    assert parts(made) == (
        original.token_ids,
        original.logprobs,
        original.text,
        original.finish_reason,
    )
    for field in dataclasses.fields(Trace):
        np.testing.assert_array_equal(
            getattr(made.made.trace, field.name), getattr(made.original.trace, field.name)
        )


def test_a_branch_is_kept_with_its_trace_and_the_generations_stay(traced: Path) -> None:
    with Study(traced) as study:
        before = study.store.count()
        made = branch(study, "v0.1.0", "p2", at=3, settings={"decoding.temperature": 0.2})
        assert study.store.count() == before
        again = branch(study, "v0.1.0", "p2", at=3, settings={"decoding.temperature": 0.2})
        assert again.branch.id == made.branch.id, "what is stored is not made twice"
    with Study(traced) as study:
        (stored,) = branches(study)
        assert stored.generation == made.made.generation
        assert stored.settings == {"decoding.temperature": 0.2}
        shown = traced_branch(study, stored.id)
        assert shown.to_json() == made.made.to_json()
        assert shown.trace.steps == ("temperature", "top_p")
    assert made.made.generation.token_ids[:3] == made.original.generation.token_ids[:3]


def test_another_token_by_id_or_by_text(traced: Path) -> None:
    with Study(traced) as study:
        original = trace(study, "v0.1.0", "p2")
        own = original.generation.token_ids[4]
        place = next(
            index for index, one in enumerate(original.trace.alternatives[4]) if int(one) != own
        )
        token = int(original.trace.alternatives[4][place])
        by_text = branch(study, "v0.1.0", "p2", at=4, token=original.alternatives[4][place])
        by_id = branch(study, "v0.1.0", "p2", at=4, token=token)
    assert by_text.branch.id == by_id.branch.id
    assert by_id.made.generation.token_ids[:5] == (*original.generation.token_ids[:4], token)
    assert by_id.parted_at == 4
    assert by_id.branch.token == token


def test_the_random_numbers_are_those_of_the_original_unless_others_are_asked_for(
    traced: Path,
) -> None:
    with Study(traced) as study:
        own = trace(study, "v0.1.0", "p2").generation.token_ids
        same = branch(study, "v0.1.0", "p2", at=2)
        others = [branch(study, "v0.1.0", "p2", at=2, draw=draw) for draw in (1, 2)]
        again = branch(study, "v0.1.0", "p2", at=2, draw=1)
    assert same.made.generation.token_ids == own
    outputs = [made.made.generation.token_ids for made in others]
    assert outputs[0] != outputs[1]
    assert own not in outputs
    assert again.branch.id == others[0].branch.id


def test_a_greedy_output_continues_sampled_as_its_sampled_version_does(traced: Path) -> None:
    """The noise of a position depends on prompt, sample and position, not on the version."""
    with Study(traced) as study:
        settings = {
            "decoding.strategy": "sample",
            "decoding.temperature": 1.1,
            "decoding.top_p": 0.9,
        }
        made = branch(study, "v0.0.1", "p2", at=0, settings=settings)
        sampled = trace(study, "v0.1.0", "p2").generation
    assert made.made.generation.token_ids == sampled.token_ids


def test_a_branch_of_a_branch_keeps_its_settings(traced: Path) -> None:
    with Study(traced) as study:
        first = branch(study, "v0.1.0", "p2", at=2, settings={"decoding.temperature": 0.5}, draw=1)
        same = branch_again(study, first.branch.id, at=6)
        assert parts(same) == parts(first)
        second = branch_again(
            study, first.branch.id, at=6, token=40, settings={"decoding.top_k": 5}
        )
    assert second.branch.settings == {"decoding.temperature": 0.5, "decoding.top_k": 5}
    assert (second.branch.parent, second.branch.draw) == (first.branch.id, 1)
    assert second.branch.origin == first.branch.origin
    assert second.made.generation.token_ids[:6] == first.made.generation.token_ids[:6]


def test_undo_hides_the_last_one_and_restore_shows_it_again(traced: Path) -> None:
    with Study(traced) as study:
        made = [branch(study, "v0.1.0", "p2", at=at, token=40).branch.id for at in (1, 2)]
        assert undo_branch(study).id == made[1]
        assert [found.id for found in branches(study)] == made[:1]
        assert [found.id for found in branches(study, undone=True)] == made
        assert undo_branch(study).id == made[0]
        with pytest.raises(SpecError, match="no branch to undo"):
            undo_branch(study)
        assert restore_branch(study).id == made[0]
        assert restore_branch(study, made[1]).id == made[1]
        with pytest.raises(SpecError, match="no branch was undone"):
            restore_branch(study)
        undo_branch(study, made[0])
        branch(study, "v0.1.0", "p2", at=1, token=40)
        assert [found.id for found in branches(study)] == made, "made again, it is shown again"


def test_only_those_of_one_output_are_listed(traced: Path) -> None:
    with Study(traced) as study:
        first = branch(study, "v0.1.0", "p2", at=1, token=40).branch
        other = branch(study, "v0.1.0", "p2", sample=1, at=1, token=40).branch
        assert [one.id for one in branches(study, "v0.1.0", "p2", 1)] == [other.id]
        assert branches(study, "v0.0.1") == []
        assert [one.id for one in Branches(study.store).of([first.origin])] == [first.id]


def test_the_settings_become_a_child_version(traced: Path) -> None:
    with Study(traced) as study:
        settings = {"decoding.temperature": 0.2, "decoding.dry.multiplier": 0.8}
        made = branch(study, "v0.1.0", "p2", at=0, settings=settings)
        branch_as_version(study, made.branch.id, "v0.2.0")
        choice = branch(study, "v0.1.0", "p2", at=0, token=40)
        with pytest.raises(SpecError, match="changes no setting"):
            branch_as_version(study, choice.branch.id, "v0.3.0")
    with Study(traced) as study:
        assert study.versions["v0.2.0"].decoding.dry.multiplier == 0.8
        assert study.versions["v0.2.0"].parent == "v0.1.0"
        run(study, ["v0.2.0"])
        (own,) = [
            one
            for one in study.generations("v0.2.0")
            if (one.prompt_id, one.sample_index) == ("p2", 0)
        ]
    assert own.token_ids == made.made.generation.token_ids, "from its first token on it is this"


@pytest.mark.parametrize("version", ["v0.1.0", "v1.0.0"])
def test_a_training_pair_is_a_row_of_a_dpo_recipe(
    traced: Path, tmp_path: Path, version: str
) -> None:
    file = tmp_path / "pairs.jsonl"
    with Study(traced) as study:
        made = branch(study, version, "p2", at=0, token=40)
        assert write_branch_pair(study, made.branch.id, file) == 1
        assert write_branch_pair(study, made.branch.id, file) == 1
        assert write_branch_pair(study, made.branch.id, file, prefer="original") == 2
        same = branch(study, version, "p2", at=3)
        with pytest.raises(SpecError, match="same text"):
            branch_pair(study, same.branch.id)
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["chosen"], first["rejected"]) == (second["rejected"], second["chosen"])
    texts = (made.made.generation.text, made.original.generation.text)
    if version == "v1.0.0":
        assert first["prompt"][-1]["role"] == "user"
        assert first["chosen"] == [{"role": "assistant", "content": texts[0]}]
    else:
        assert first["prompt"] == "the old lighthouse keeper number 2 said"
        assert (first["chosen"], first["rejected"]) == texts


def test_mistakes_name_what_is_wrong(traced: Path) -> None:
    with Study(traced) as study:
        with pytest.raises(SpecError, match=r"not stored with a trace; make it with: ethogram tr"):
            branch(study, "v0.1.0", "p3", at=0)
        with pytest.raises(SpecError, match="only 24 tokens"):
            branch(study, "v0.0.1", "p2", at=30)
        with pytest.raises(SpecError, match=r"--set model: a branch continues the same prompt"):
            branch(study, "v0.1.0", "p2", at=1, settings={"model": "other"})
        with pytest.raises(SpecError, match="temperature"):
            branch(study, "v0.1.0", "p2", at=1, settings={"decoding.temperature": -1})
        with pytest.raises(SpecError, match=r"--choose: 'sea sea' is \d tokens, and a branch puts"):
            branch(study, "v0.1.0", "p2", at=1, token="sea sea")
        with pytest.raises(SpecError, match="no branch 9"):
            traced_branch(study, 9)
        made = branch(study, "v0.1.0", "p2", at=1, token=40)
    file = traced / "versions/v0.1.0.yaml"
    file.write_text(file.read_text().replace("1.1", "0.7"))
    with Study(traced) as study:
        with pytest.raises(SpecError, match="was edited since branch 1 was made"):
            branch_again(study, made.branch.id, at=4)
        assert traced_branch(study, made.branch.id).generation == made.made.generation
