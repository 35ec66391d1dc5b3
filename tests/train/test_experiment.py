"""Two recipes compared by the versions of their seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.train.preferences import preference_study

from ethogram.cli import cli
from ethogram.errors import SpecError
from ethogram.study import Study, run
from ethogram.train import compare_recipes

pytestmark = pytest.mark.long


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two recipes of two seeds; the second one's versions write two tokens more."""
    path = preference_study(tmp_path, {"kind": "sft", "version": "v1.0.0", "seeds": [1, 2]})
    recipe = json.loads(path.read_text())
    (tmp_path / "b.yaml").write_text(json.dumps({**recipe, "version": "v1.1.0", "name": "b"}))
    path.rename(tmp_path / "a.yaml")
    lengths = {"v1.0.0": 4, "v1.0.0-seed2": 4, "v1.1.0": 6, "v1.1.0-seed2": 6}
    for seed, (name, length) in enumerate(lengths.items()):
        version: dict[str, Any] = {
            "title": name,
            "parent": "v0.0.1",
            "decoding": {"temperature": 1.5 + 0.1 * seed, "max_new_tokens": length},
        }
        (tmp_path / f"versions/{name}.yaml").write_text(json.dumps(version))
    with Study(tmp_path) as opened:
        run(opened)
    return tmp_path


def test_a_difference_over_seeds_and_prompts(study: Path) -> None:
    with Study(study) as opened:
        found = compare_recipes(
            opened, study / "a.yaml", study / "b.yaml", metrics=["tokens", "distinct_2"]
        )
    assert found.versions == (["v1.0.0", "v1.0.0-seed2"], ["v1.1.0", "v1.1.0-seed2"])
    assert found.prompts == 2
    tokens, absent = found.differences
    assert tokens.test.estimate > 0
    assert tokens.test.seeds == (2, 2)
    assert absent.verdict == "not measured"  # Too few words in each output.
    assert json.loads(json.dumps(found.to_json()))["differences"][0]["metric"] == "tokens"


def test_the_command(study: Path) -> None:
    arguments = ["train", "--compare", "a.yaml", "b.yaml", "-C", str(study)]
    shown = CliRunner().invoke(cli, arguments)
    assert shown.exit_code == 0, shown.output
    assert "2 and 2 seeds, 2 prompts" in shown.output
    found = CliRunner().invoke(cli, [*arguments, "--json"])
    assert json.loads(found.output)["after"] == "b"
    one = CliRunner().invoke(cli, ["train", "--compare", "a.yaml", "-C", str(study)])
    assert one.exit_code == 2
    assert "takes two recipe files" in one.output


def test_a_seed_that_was_not_trained_is_named(study: Path) -> None:
    (study / "versions/v1.1.0-seed2.yaml").unlink()
    with (
        Study(study) as opened,
        pytest.raises(SpecError, match=r"version v1\.1\.0-seed2 is not"),
    ):
        compare_recipes(opened, study / "a.yaml", study / "b.yaml")


def test_a_recipe_without_a_version_is_refused(study: Path) -> None:
    recipe = json.loads((study / "a.yaml").read_text())
    del recipe["version"]
    (study / "a.yaml").write_text(json.dumps(recipe))
    with Study(study) as opened, pytest.raises(SpecError, match="writes no version to compare"):
        compare_recipes(opened, study / "a.yaml", study / "b.yaml")
