"""The command line: a thin layer over the Python API. Each command has its module here.

Exit codes: 0 done; 1 a claim or check failed; 2 an error that the user can fix, in one line;
130 interrupted; 141 the reader of a pipe has gone; 143 ended by SIGTERM.
"""

from __future__ import annotations

import difflib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

import click

from ethogram import __version__
from ethogram.cli import (
    ablate,
    arena,
    branch,
    chat,
    check,
    compare,
    data,
    doctor,
    files,
    inspect,
    judge,
    log,
    models,
    plan,
    plot,
    replicate,
    report,
    run,
    score,
    serve,
    store,
    structured,
    sweep,
    trace,
    train,
    ui,
)
from ethogram.errors import EthogramError

EXIT_INTERRUPTED = 130
#: As of a program that SIGPIPE ends: `ethogram outputs v1 | head` has read all that it wants.
EXIT_PIPE_CLOSED = 141
EXIT_TERMINATED = 143
#: Every command, in the groups of `ethogram --help`.
COMMANDS: dict[str, tuple[click.Command, ...]] = {
    "Work on a study": (
        files.init_command,
        files.new_command,
        plan.plan_command,
        run.run_command,
        compare.compare_command,
        ablate.ablate_command,
        sweep.sweep_command,
        train.train_command,
        check.check_command,
        judge.judge_command,
        arena.arena_command,
        arena.rank_command,
    ),
    "Look at it": (
        ui.ui_command,
        inspect.ls_command,
        inspect.outputs_command,
        trace.trace_command,
        branch.branch_group,
        inspect.show_command,
        inspect.diff_command,
        plot.plot_group,
    ),
    "Write it down": (log.log_command, log.verify_command, report.report_command),
    "Use it": (chat.chat_command, serve.serve_command),
    "Exchange outputs": (files.import_command, files.export_command),
    "Training data": (data.data_group,),
    "Keep the store": (store.store_group,),
    "Without a study": (
        score.score_command,
        score.metrics_command,
        replicate.replicate_command,
        models.models_command,
        models.pull_command,
        models.schema_command,
        doctor.doctor_command,
    ),
}
#: What people try first, and the command that does it.
SYNONYMS = {
    "list": "ls",
    "versions": "ls",
    "status": "ls",
    "generate": "run",
    "eval": "run",
    "create": "new",
    "fork": "new",
    "look": "outputs",
    "read": "outputs",
    "cat": "outputs",
    "download": "pull",
    "pitfalls": "metrics",
    "finetune": "train",
    "pretrain": "train",
    "measure": "score",
    "talk": "chat",
    "vote": "arena",
    "votes": "rank",
    "ratings": "rank",
    "browse": "ui",
    "page": "ui",
    "web": "ui",
    "view": "ui",
    "chart": "plot",
    "draw": "plot",
    "figure": "plot",
}


class _PipeClosedError(Exception):
    """The reader of the output has gone, as `head` does."""


@contextmanager
def _noticing_closed_pipes() -> Iterator[None]:
    """Tell a closed pipe from a failed check: click and rich exit with 1 for both."""
    try:
        yield
    except (BrokenPipeError, SystemExit) as error:
        if any(isinstance(each, BrokenPipeError) for each in (error, error.__context__)):
            raise _PipeClosedError from error
        raise


class _Commands(click.Group):
    """Commands listed in groups; an unknown name is answered with the nearest one."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments, which prints the help where it is wanted."""
        with _noticing_closed_pipes():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _noticing_closed_pipes():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups of commands."""
        width = formatter.width - 16
        for heading, members in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(member.name or "", member.get_short_help_str(width)) for member in members],
                    col_max=12,
                )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take `--log-format` from wherever it is: every command has it."""
        return super().parse_args(ctx, structured.moved_to_front(args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = difflib.get_close_matches(name, [*self.commands, *SYNONYMS], n=1)
            meant = SYNONYMS.get(near[0], near[0]) if near else None
            hint = f"did you mean '{meant}'?" if meant else "see 'ethogram --help'"
            ctx.fail(f"no command '{name}'; {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nStart with:\n  ethogram init my-study\n  cd my-study\n  ethogram run",
)
@structured.log_format_option
@click.version_option(__version__, prog_name="ethogram")
def cli() -> None:
    """Design language-model behaviour: write versions, run, measure, compare, keep a log."""


for _members in COMMANDS.values():
    for _command in _members:
        cli.add_command(_command)


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does: what is under way is closed."""

    exit_code = EXIT_TERMINATED


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


@contextmanager
def _hearing_sigterm() -> Iterator[None]:
    """Have SIGTERM end the command in order; a command may take the signal for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        _main()
    except (_PipeClosedError, BrokenPipeError):
        _drop_output()
        sys.exit(EXIT_PIPE_CLOSED)


def _main() -> NoReturn:
    state: dict[str, str] = {}
    try:
        with _hearing_sigterm():
            code = cli.main(standalone_mode=False, obj=state)
        sys.stdout.flush()  # Here, because a pipe that is found closed at exit is a traceback.
    except EthogramError as error:
        _end(state, error, str(error), error.exit_code)
    except click.ClickException as error:
        _end(state, error, error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt) as error:
        words = "interrupted; everything generated so far is stored"
        ended = isinstance(error, _Terminated) or isinstance(error.__cause__, _Terminated)
        _end(state, error, words, EXIT_TERMINATED if ended else EXIT_INTERRUPTED)
    except MemoryError as error:
        _end(state, error, "out of memory; what was stored is kept", 2)
    except BrokenPipeError:
        raise
    except OSError as error:
        # The last net: whatever the system refuses is one line too.
        place = f"{error.filename}: " if error.filename else ""
        _end(state, error, f"{place}{error.strerror or error}", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _drop_output() -> None:
    """Send what is still in buffers nowhere, so that Python can end without a message."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # A stream without a file, as in tests.
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _end(state: dict[str, str], error: BaseException, words: str, code: int) -> NoReturn:
    """Say why the program ends, and end it."""
    structured.say_error(state, error, words, code)
    sys.exit(code)
