"""`ethogram chat`: commands, pipes, and a terminal whose Ctrl-C stops a reply, not the program."""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.calls import Run, one_line

from ethogram.engine.live import Chosen

VERSION = "v0.1.0"
MAIN = "from ethogram.cli import main; main()"


def piped(monkeypatch: pytest.MonkeyPatch, ethogram: Run, folder: Path, text: str) -> str:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    code, out, err = ethogram("chat", VERSION, "--study", str(folder))
    assert code == 0, err
    return out


def test_a_pipe_gets_replies_alone(
    ethogram: Run, tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = piped(monkeypatch, ethogram, tiny_study, "the cat\n")
    two = piped(monkeypatch, ethogram, tiny_study, "the cat\n\nthe dog\n")
    assert one.strip()
    assert two.startswith(one)
    assert two != one


def test_commands_in_a_pipe(
    ethogram: Run, tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (
        "/help\n/set max_new_tokens 4\nthe cat\n/why\n/retry\n/undo\n/version v1.0.0\nthe dog\n"
        "/save chats.jsonl\n/set temperature=0.5\n/save v0.9.0\n/quit\nnever said\n"
    )
    out = piped(monkeypatch, ethogram, tiny_study, lines)
    for words in ("/save NAME", "decoding.max_new_tokens 4", "0 messages left", "v1.0.0"):
        assert words in out, out
    assert "never said" not in (tiny_study / "chats.jsonl").read_text()
    assert "temperature: 0.5" in (tiny_study / "versions/v0.9.0.yaml").read_text()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/nonsense", "no command /nonsense"),
        ("/set temperature", "a setting needs a value"),
        ("/set temprature 1", "temprature"),
        ("/save", "say what to save"),
        ("/save v0.9.0", "no setting was changed"),
        ("/why", "there is no reply to explain"),
        ("/retry", "there is no reply to try again"),
        ("/version v7.7.7", "v7.7.7"),
    ],
)
def test_a_mistake_in_a_pipe_is_one_line(
    line: str, words: str, ethogram: Run, tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(line + "\n"))
    one_line(ethogram("chat", VERSION, "--study", str(tiny_study)), words)


class Terminal:
    """The program in a pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        mine, theirs = os.openpty()
        command = [sys.executable, "-c", MAIN, "chat", VERSION, "--study", str(folder)]
        environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.fd, self.seen = mine, ""
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            preexec_fn=_takes_the_terminal,
        )
        os.close(theirs)

    def expect(self, words: str, seconds: float = 120) -> None:
        """Wait until new output holds the words."""
        until = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < until, self.seen
            if select.select([self.fd], [], [], 1)[0]:
                self.seen += os.read(self.fd, 4096).decode("utf-8", "replace")
        self.seen = self.seen.partition(words)[2]

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())


def _takes_the_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Typed(io.StringIO):
    """Standard input that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_ctrl_c_stops_the_reply_and_not_the_program(
    ethogram: Run, tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ethogram.cli import chat
    from ethogram.engine.live import LiveBatch

    steps, step = 0, LiveBatch.step

    def interrupted(batch: LiveBatch) -> list[Chosen]:
        nonlocal steps
        steps += 1
        if steps == 5:
            raise KeyboardInterrupt
        return step(batch)

    lines = ["the cat", "/nonsense", "the dog", "/undo", "/quit"]
    monkeypatch.setattr(LiveBatch, "step", interrupted)
    monkeypatch.setattr(chat, "_lines", lambda interactive: iter(lines))
    monkeypatch.setattr(sys, "stdin", Typed())
    code, out, err = ethogram("chat", VERSION, "--study", str(tiny_study))
    assert code == 0, err
    assert "(stopped; the message was not kept)" in err
    assert "no command /nonsense" in err
    assert "0 messages left" in out, "the dog alone was kept, and undone"


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_conversation_in_a_terminal(tiny_study: Path) -> None:
    terminal = Terminal(tiny_study)
    try:
        terminal.expect("/help lists the commands")
        terminal.type("/set max_new_tokens 4\r")
        terminal.expect("decoding.max_new_tokens 4")
        terminal.type("the cat\r")
        terminal.expect("cut off by max_new_tokens")
        terminal.type("\x03/nonsense\r")  # Ctrl-C at the prompt forgets the line.
        terminal.expect("no command /nonsense")
        terminal.type("/quit\r")
        assert terminal.process.wait(60) == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.fd)
