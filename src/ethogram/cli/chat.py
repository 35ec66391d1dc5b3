"""`ethogram chat`: talk with a version in the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    open_study,
    say_loading,
    study_option,
)
from ethogram.errors import EthogramError, RequestError
from ethogram.stages import over

if TYPE_CHECKING:
    from ethogram.study.chatting import Chat, Said

#: The prompt of a message.
ASK = "> "


@command("chat", "ethogram chat v0.2.0", "echo 'Why is the sky blue?' | ethogram chat v0.2.0")
@click.argument("version")
@study_option
@json_option
def chat_command(version: str, folder: Path, json_wanted: bool) -> None:
    """Talk with a version.

    Replies appear as they are generated; Ctrl-C stops a reply, not the program. Commands begin
    with a slash: /help lists them. Without a terminal, each line of the input is a message and only
    replies are printed. With --json, a reply is an object of one line: answer, data, sentences,
    confidence, flags and usage.
    """
    from ethogram.report.conversation import print_opening
    from ethogram.study.chatting import Chat

    interactive = sys.stdin.isatty()
    with open_study(folder) as study:
        study.spec.version(version)
        chat = Chat(study, version, on_load=say_loading(quiet=not interactive))
        if interactive:
            print_opening(console(), chat)
        for line in _lines(interactive):
            try:
                if json_wanted and not line.startswith("/"):
                    click.echo(json.dumps(chat.say(line).answer.to_json(), ensure_ascii=False))
                elif not _answer(chat, line, interactive):
                    break
            except EthogramError as error:
                if not interactive:
                    raise
                over()
                click.echo(f"ethogram: {error}", err=True)
            except KeyboardInterrupt:
                if not interactive:
                    raise
                over()
                click.echo("\n(stopped; the message was not kept)", err=True)


def _lines(interactive: bool) -> Iterator[str]:
    """The messages: typed with history and editing, or the lines of standard input."""
    if not interactive:
        yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())
        return
    from prompt_toolkit import PromptSession

    session: PromptSession[str] = PromptSession()
    while True:
        try:
            line = session.prompt(ASK)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if line.strip():
            yield line


def _answer(chat: Chat, line: str, interactive: bool) -> bool:
    """Reply to a message or do what a command says; returns whether to go on."""
    if not line.startswith("/"):
        _show(lambda write: chat.say(line, write), interactive)
        return True
    name, _, rest = line[1:].strip().partition(" ")
    if name in ("quit", "exit", "q"):
        return False
    act = _COMMANDS.get(name)
    if act is None:
        raise RequestError(f"no command /{name}", hint="/help lists the commands")
    act(chat, rest.strip())
    return True


def _show(reply: Callable[[Callable[[str], None]], Said], interactive: bool) -> None:
    from ethogram.report.conversation import print_ending, writer

    write = writer(console())

    def write_alone(piece: str) -> None:
        over()  # The model has loaded.
        write(piece)

    said = reply(write_alone)
    over()
    if interactive:
        print_ending(console(), said)
    else:
        click.echo()


def _help(chat: Chat, rest: str) -> None:
    from ethogram.report.conversation import HELP

    click.echo(HELP)


def _version(chat: Chat, rest: str) -> None:
    from ethogram.report.conversation import print_opening

    if rest:
        chat.use(rest)
    print_opening(console(), chat)


def _set(chat: Chat, rest: str) -> None:
    from ethogram.study.versions import parse_setting

    name, _, value = rest.replace("=", " ", 1).partition(" ")
    if not value.strip():
        raise RequestError("a setting needs a value", hint="write /set temperature 0.7")
    chat.set(*parse_setting(f"{name}={value.strip()}"))
    click.echo(", ".join(f"{name} {value}" for name, value in chat.settings.items()))


def _why(chat: Chat, rest: str) -> None:
    from ethogram.report.microscope import print_trace

    print_trace(console(), chat.why())


def _retry(chat: Chat, rest: str) -> None:
    _show(chat.retry, True)


def _undo(chat: Chat, rest: str) -> None:
    chat.undo()
    click.echo(f"{len(chat.messages)} messages left")


def _save(chat: Chat, rest: str) -> None:
    if not rest:
        raise RequestError(
            "say what to save", hint="write /save v1.2.0 for a version or /save chats.jsonl"
        )
    path = (
        chat.save_conversation(chat.study.folder / rest)
        if rest.endswith(".jsonl")
        else chat.save_version(rest)
    )
    click.echo(f"wrote {path}")


_COMMANDS: dict[str, Callable[[Chat, str], None]] = {
    "help": _help,
    "version": _version,
    "set": _set,
    "why": _why,
    "retry": _retry,
    "undo": _undo,
    "save": _save,
}
