"""`--log-format json`: progress and errors as one JSON object a line on standard error."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

import click

from ethogram.errors import EthogramError

#: Sets the format for every command of a shell.
VARIABLE = "ETHOGRAM_LOG_FORMAT"
#: Where the format is kept in click's context.
_KEY = "ethogram.log-format"


def log_format_option(command: Callable[..., None]) -> Callable[..., None]:
    """`--log-format`, before the name of a command."""
    return click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        envvar=VARIABLE,
        show_default=True,
        show_envvar=True,
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="Write progress and errors to standard error as text, or as JSON lines.",
    )(command)


def _remember(context: click.Context, _: click.Parameter, value: str) -> None:
    if isinstance(context.obj, dict):
        context.obj[_KEY] = value
    if value == "json":
        handler = _Handler()
        logging.getLogger().addHandler(handler)
        context.call_on_close(lambda: logging.getLogger().removeHandler(handler))


def moved_to_front(args: list[str]) -> list[str]:
    """Arguments with `--log-format FORMAT` before the command's name."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--log-format":
            front += [word, *[each for each in [next(words, None)] if each is not None]]
        elif word.startswith("--log-format="):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]


def is_json(state: Any = None) -> bool:
    """Whether lines are JSON.

    Args:
        state: of the program; default: that of the running command.
    """
    if state is None:
        context = click.get_current_context(silent=True)
        state = context.find_root().obj if context else None
    return isinstance(state, dict) and state.get(_KEY) == "json"


def event(kind: str, /, **fields: Any) -> str:
    """One line: the time in UTC, what it is, and its fields; those that are None are left out."""
    known = {name: value for name, value in fields.items() if value is not None}
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": at, "event": kind, **known}, ensure_ascii=False, default=str)


def say(words: str, kind: str = "note") -> None:
    """A line for the user on standard error, in the format asked for."""
    click.echo(event(kind, message=words) if is_json() else words, err=True)


def say_error(state: Any, error: BaseException, words: str, code: int) -> None:
    """The line of an error that ends the program."""
    if not is_json(state):
        click.echo(f"ethogram: {words}", err=True)
        return
    own = error if isinstance(error, EthogramError) else None
    line = event(
        "error",
        type=type(error).__name__,
        message=words,
        what=own.what if own else None,
        where=own.where if own else None,
        hint=own.hint if own else None,
        exit_code=code,
    )
    click.echo(line, err=True)


class _Handler(logging.Handler):
    """Warnings of the program and its libraries as lines."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        words = record.getMessage()
        click.echo(event(record.levelname.lower(), logger=record.name, message=words), err=True)


def write_progress(stream: TextIO) -> Callable[..., None]:
    """Writes a bar's lines to a stream as JSON; for `report.bar.ProgressBar`."""

    def write(kind: str, **fields: Any) -> None:
        print(event(kind, **fields), file=stream, flush=True)

    return write
