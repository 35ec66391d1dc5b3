"""The GitHub action's check, run as a runner runs it: inputs as variables, bash, exit code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.formats import samples as made

ACTION = Path(__file__).parents[2] / "action.yml"
BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or BASH is None, reason="needs a bash that reads paths of this system"
)


def action() -> dict[str, Any]:
    return dict(YAML(typ="safe").load(ACTION.read_text(encoding="utf-8")))


def check(folder: Path, **given: str) -> tuple[int, str, str]:
    """Exit code, output and job summary of the action's check with some inputs."""
    inputs = {name: about.get("default", "") for name, about in action()["inputs"].items()}
    assert given.keys() <= inputs.keys()
    step = next(step for step in action()["runs"]["steps"] if step.get("name") == "Check")
    variables = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: (inputs | given)[m[1]], value)
        for name, value in step["env"].items()
    }
    summary = folder / "summary.md"
    summary.unlink(missing_ok=True)
    bin_folder = str(Path(sys.executable).parent)
    found = subprocess.run(
        [str(BASH), "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={
            **os.environ,
            **variables,
            "PATH": bin_folder + os.pathsep + os.environ["PATH"],
            "GITHUB_STEP_SUMMARY": str(summary),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return found.returncode, found.stdout + found.stderr, summary.read_text(encoding="utf-8")


def rows(folder: Path, name: str, text: str, count: int = 300) -> str:
    lines = [{"id": f"p{n}", "prompt": f"{n}?", "text": text} for n in range(count)]
    (folder / name).write_text(made.lines(*lines), encoding="utf-8")
    return name


@pytest.mark.long
def test_files_that_keep_a_bound_pass_and_others_fail(tmp_path: Path) -> None:
    good = rows(tmp_path, "good one.jsonl", "short")
    code, out, summary = check(tmp_path, files=good, expect="loop_rate < 0.05\nwords < 9")
    assert code == 0, out
    assert summary.startswith("### Ethogram: passed\n\n```text\n")
    bad = rows(tmp_path, "bad.jsonl", "and on " * 20)
    code, out, summary = check(tmp_path, files=f"{good}\n{bad}", expect="loop_rate < 0.05")
    assert code == 1
    assert "::error" in out
    assert summary.startswith("### Ethogram: failed (exit code 1)")
    assert "::error" not in summary


@pytest.mark.long
def test_inputs_are_data_and_undecided_fails_only_where_asked(tmp_path: Path) -> None:
    few = rows(tmp_path, "few.jsonl", "short", count=3)
    bound = "loop_rate < 0.01"
    assert check(tmp_path, files=few, expect=bound)[0] == 0
    assert check(tmp_path, files=few, expect=bound, strict="true")[0] == 1
    code, out, _ = check(tmp_path, files="$(touch made); `touch made`", expect=bound)
    assert (code, "no such file" in out) == (2, True)
    assert not (tmp_path / "made").exists()


@pytest.mark.long
def test_without_files_it_checks_the_study(tmp_path: Path) -> None:
    code, out, summary = check(tmp_path, study="nowhere")
    assert code == 2
    assert "nowhere" in out
    assert "failed (exit code 2)" in summary


def test_every_input_is_described_and_used() -> None:
    text = ACTION.read_text(encoding="utf-8")
    for name, about in action()["inputs"].items():
        assert about["description"].endswith("."), name
        assert f"${{{{ inputs.{name} }}}}" in text, name
    scripts = [step["run"] for step in action()["runs"]["steps"] if "run" in step]
    # An input inside a script would be run as code.
    assert not any("${{" in script for script in scripts)
