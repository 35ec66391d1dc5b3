"""The command line before any command runs: what it loads, its help, the public names."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_every_help_has_an_example_and_explains_every_option() -> None:
    import click

    from ethogram.cli import cli

    for name, command in cli.commands.items():
        assert f"ethogram {name}" in (command.epilog or ""), name
        assert command.help, name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (name, option.name)


def test_starting_loads_nothing_heavy() -> None:
    """`import ethogram` and `ethogram --help` are quick because of what they leave out."""
    heavy = ("torch", "transformers", "pydantic", "sqlalchemy", "numpy", "rich", "jinja2")
    code = (
        "import sys, ethogram, ethogram.cli\n"
        "try: ethogram.cli.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_public_names_are_all_there() -> None:
    import ethogram

    for name in ethogram.__all__:
        assert getattr(ethogram, name) is not None
    assert "run" in dir(ethogram)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ethogram.nothing
