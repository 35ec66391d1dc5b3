"""Write docs/command-line.md: the help of every command, with the notes beside this script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from pathlib import Path

import click

from ethogram.cli import COMMANDS

NOTES = Path(__file__).with_name("command_line_notes.md")
PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"
WIDTH = 96


def page() -> str:
    """The whole page."""
    head, *sections = NOTES.read_text(encoding="utf-8").split("\n## Notes: ")
    notes = dict(section.split("\n", 1) for section in sections)
    commands = [command for members in COMMANDS.values() for command in members]
    unknown = notes.keys() - {command.name for command in commands}
    if unknown:
        raise SystemExit(f"{NOTES.name}: no command {', '.join(sorted(unknown))}")
    parts = []
    for heading, members in COMMANDS.items():
        names = ", ".join(f"[{command.name}](#{command.name})" for command in members)
        parts.append(f"{heading}: {names}.")
    for command in _with_members(commands):
        note = notes.get(command.name or "", "").strip()
        parts.append(f"### {command.name}\n\n```text\n{help_of(command)}\n```")
        parts += [note] if note else []
    return head.replace("<!-- commands -->", "\n\n".join(parts)).rstrip() + "\n"


def _with_members(commands: Iterable[click.Command]) -> Iterator[click.Command]:
    """Commands, and after each group those in it, named with the group."""
    for command in commands:
        yield command
        if isinstance(command, click.Group):
            for member in command.commands.values():
                whole = copy(member)
                whole.name = f"{command.name} {member.name}"
                yield whole


def help_of(command: click.Command) -> str:
    """What `ethogram COMMAND --help` prints, without the option --help itself."""
    context = click.Context(
        command, info_name=f"ethogram {command.name}", max_content_width=WIDTH, terminal_width=WIDTH
    )
    text = command.get_help(context)
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(line for line in lines if "Show this message and exit." not in line)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
