"""Vote, train, compare: three commands from scripted votes to a child version."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.train.small import make_study

from ethogram.cli import cli
from ethogram.store import Votes
from ethogram.study import Study

SUITE = [f"Tell me of the {thing}." for thing in ("sea", "moon", "river", "town", "lamp", "storm")]
QUICK = {"epochs": None, "steps": 3, "batch_size": 2, "precision": "float32"}
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_THREADS", "1")


def command(folder: Path, *arguments: str, given: str | None = None) -> str:
    """What a command prints."""
    result = CliRunner().invoke(
        cli, [*arguments, "-C", str(folder)], input=given, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def scripted_votes(folder: Path, versions: tuple[str, str], most: int) -> str:
    """Lines of answers: the shorter output is better.

    Decided on a copy of the study, where the same voter is shown the same pairs in the same order.
    """
    lines = []
    copied = shutil.copytree(folder, folder.with_name("copy"))
    with Study(copied) as study:
        from ethogram.arena import Arena

        arena = Arena(study, versions)
        for _ in range(min(most, arena.pairs)):
            shown = arena.next("ann")
            assert shown is not None
            lines.append("left" if len(shown.left) < len(shown.right) else "right")
            arena.vote(shown.ticket, "ann", lines[-1])  # type: ignore[arg-type]
    return "\n".join([*lines, "quit"]) + "\n"


def vote_train_compare(
    folder: Path, versions: tuple[str, str], recipe: dict[str, Any], votes: int
) -> str:
    """The three commands; returns what the last one prints."""
    answers = scripted_votes(folder, versions, votes)
    told = command(
        folder, "arena", *versions, "--voter", "ann", "--recipe", "votes.yaml", given=answers
    )
    assert "Next: ethogram train votes.yaml" in told
    path = folder / "votes.yaml"
    from ruamel.yaml import YAML

    stated = YAML(typ="safe").load(path)
    assert stated["data"]["votes"] == list(versions)
    path.write_text(json.dumps({**stated, **recipe}))
    trained = command(folder, "train", "votes.yaml")
    assert stated["version"] in trained
    return command(folder, "run", stated["version"])


@pytest.mark.long
def test_on_a_tiny_model(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    make_study(folder, {}, [], suite=SUITE)
    (folder / "versions/v0.1.0.yaml").write_text(
        json.dumps({"title": "Sampled", "parent": "v0.0.1", "decoding": {"temperature": 1.0}})
    )
    command(folder, "run")
    recipe = {"training": QUICK, "lora": {"rank": 2}}
    recipe |= {"evaluate": {"prompts": 1, "max_new_tokens": 4}}
    # Random weights write bytes that are no text.
    recipe["data"] = {"votes": ["v0.0.1", "v0.1.0"], "held_out": 0, "fixes": ["keep-replacement"]}
    printed = vote_train_compare(folder, ("v0.0.1", "v0.1.0"), recipe, 6)
    assert "v0.2.0" in printed
    with Study(folder) as study:
        child = study.spec.version("v0.2.0")
        assert child.parent in ("v0.0.1", "v0.1.0")
        assert child.model == "models/votes"
        assert len(study.generations("v0.2.0")) == len(SUITE)
    # New votes are new data: another training, not the finished one.
    again = json.loads(command(folder, "train", "votes.yaml", "--json"))
    assert again[0]["repeated"] is True


@pytest.mark.slow
@pytest.mark.model
def test_on_the_built_in_model(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    files = {
        "study.yaml": "name: votes\nseed: 1\nsuite: suites/s.jsonl\nsamples: 2\n",
        "suites/s.jsonl": "".join(
            json.dumps({"id": f"p{at}", "text": text}) + "\n" for at, text in enumerate(SUITE)
        ),
        "versions/v0.1.0.yaml": (
            "title: Chat\nmodel: smollm2-135m-instruct\nprompt: {chat: true}\n"
            "decoding: {temperature: 0.7, top_p: 0.9, max_new_tokens: 40}\n"
        ),
        "versions/v0.2.0.yaml": "title: Hotter\nparent: v0.1.0\ndecoding: {temperature: 1.2}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    command(folder, "run")
    recipe = {"training": {"epochs": None, "steps": 2, "batch_size": 2}, "lora": {"rank": 4}}
    recipe |= {"evaluate": {"prompts": 1, "max_new_tokens": 8}}
    printed = vote_train_compare(folder, ("v0.1.0", "v0.2.0"), recipe, 12)
    assert re.search(r"v0\.3\.0", printed)


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: {**data, "train": "data/train.jsonl"}, "either from train or from votes"),
        (lambda data: {"held_out": 0.1}, "name the files"),
        (lambda data: {"votes": ["v0.0.1"]}, "two versions or more"),
    ],
)
def test_a_recipe_learns_from_one_source(
    change: Callable[[dict[str, Any]], dict[str, Any]], words: str, tmp_path: Path
) -> None:
    from ethogram.errors import SpecError
    from ethogram.spec.recipes import load_recipe

    path = tmp_path / "votes.yaml"
    data = change({"votes": ["v0.0.1", "v0.1.0"]})
    path.write_text(json.dumps({"kind": "dpo", "parent": "v0.0.1", "data": data}))
    with pytest.raises(SpecError, match=words):
        load_recipe(path)


def test_only_recipes_of_pairs_read_votes(tmp_path: Path) -> None:
    from ethogram.errors import SpecError
    from ethogram.spec.recipes import load_recipe

    path = tmp_path / "votes.yaml"
    data = {"votes": ["v0.0.1", "v0.1.0"]}
    path.write_text(json.dumps({"kind": "sft", "parent": "v0.0.1", "data": data}))
    with pytest.raises(SpecError, match="dpo, kto and reward"):
        load_recipe(path)


def test_a_recipe_of_files_keeps_its_identity() -> None:
    """The digest of 0.1, which knew no votes."""
    from ethogram.spec.recipes import DpoRecipe

    recipe = DpoRecipe.model_validate(
        {"kind": "dpo", "parent": "v1.0.0", "data": {"train": "a.jsonl"}}
    )
    form = recipe.model_dump(mode="json", exclude={"title", "version", "changes", "evaluate"})
    from ethogram.spec.identity import digest

    del form["data"]["votes"]
    assert recipe.identity_with(data="d") == digest({"recipe": form, "data": "d"})


def test_votes_are_exported_as_pairs(tmp_path: Path) -> None:
    from tests.arena.studies import named, prefers, vote_all, write_study

    from ethogram.arena import Arena

    names = ["v1.0.0", "v1.1.0"]
    with Study(write_study(tmp_path, {"v1.0.0": named("A"), "v1.1.0": named("B")})) as study:
        for voter, order in (("ann", "AB"), ("bob", "AB"), ("eve", "BA")):
            vote_all(Arena(study, names), voter, prefers(order))
        votes = Votes(study.store).all(voters=("eve",))
    target = tmp_path / "pairs.jsonl"
    command(tmp_path, "export", str(target), *names, "--as", "dpo", "-m", "votes")
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert len(rows) == 6
    assert all(row["chosen"].startswith("A") and row["rejected"].startswith("B") for row in rows)
    command(tmp_path, "export", str(target), *names, "--as", "dpo", "-m", "votes:eve")
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert len(rows) == len(votes)
    assert all(row["chosen"].startswith("B") for row in rows)
