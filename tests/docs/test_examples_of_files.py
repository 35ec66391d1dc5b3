"""The examples of the pages about files run, and print what the pages show."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import click
from ruamel.yaml import YAML

from ethogram.cli import cli

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "statistics-from-your-own-tool.md"


def test_the_examples_of_statistics_from_your_own_tool_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```(?:\s+```text\n(.*?)```)?", text, re.DOTALL)
    assert len(blocks) == 2
    for code, shown in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(PAGE), "exec"), {})
        assert printed.getvalue()
        if shown:
            assert printed.getvalue() == shown


def test_the_action_names_options_of_check() -> None:
    action = YAML(typ="safe").load(ROOT / "action.yml")
    step = action["runs"]["steps"][-1]["run"]
    check = cli.get_command(click.Context(cli), "check")
    assert check is not None
    options = {name for parameter in check.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z]+", step)) <= options
    assert "GITHUB_STEP_SUMMARY" in step
    assert set(action["inputs"]) >= {"study", "files", "expect", "strict"}
