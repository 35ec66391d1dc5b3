"""The command line: a thin layer over the Python API. Each command has its module here.

Exit codes: 0 done; 1 a claim or check failed; 2 an error that the user can fix, in one line;
130 interrupted.
"""

from __future__ import annotations

import difflib
import sys

import click

from ethogram import __version__
from ethogram.cli import (
    ablate,
    chat,
    check,
    compare,
    data,
    files,
    inspect,
    judge,
    log,
    models,
    replicate,
    run,
    score,
    serve,
    sweep,
    trace,
    train,
    ui,
)
from ethogram.errors import EthogramError

EXIT_INTERRUPTED = 130
#: Every command, in the groups of `ethogram --help`.
COMMANDS: dict[str, tuple[click.Command, ...]] = {
    "Work on a study": (
        files.init_command,
        files.new_command,
        run.run_command,
        compare.compare_command,
        ablate.ablate_command,
        sweep.sweep_command,
        train.train_command,
        check.check_command,
        judge.judge_command,
    ),
    "Look at it": (
        ui.ui_command,
        inspect.ls_command,
        inspect.outputs_command,
        trace.trace_command,
        inspect.show_command,
        inspect.diff_command,
    ),
    "Write it down": (log.log_command, log.verify_command),
    "Use it": (chat.chat_command, serve.serve_command),
    "Exchange outputs": (files.import_command, files.export_command),
    "Training data": (data.data_group,),
    "Without a study": (
        score.score_command,
        score.metrics_command,
        replicate.replicate_command,
        models.models_command,
        models.pull_command,
        models.schema_command,
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
    "report": "log",
    "download": "pull",
    "pitfalls": "metrics",
    "finetune": "train",
    "pretrain": "train",
    "measure": "score",
    "talk": "chat",
    "browse": "ui",
    "page": "ui",
    "web": "ui",
    "view": "ui",
}


class _Commands(click.Group):
    """Commands listed in groups; an unknown name is answered with the nearest one."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups of commands."""
        width = formatter.width - 16
        for heading, members in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(member.name or "", member.get_short_help_str(width)) for member in members],
                    col_max=12,
                )

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
@click.version_option(__version__, prog_name="ethogram")
def cli() -> None:
    """Design language-model behaviour: write versions, run, measure, compare, keep a log."""


for _members in COMMANDS.values():
    for _command in _members:
        cli.add_command(_command)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = cli.main(standalone_mode=False)
    except EthogramError as error:
        click.echo(f"ethogram: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"ethogram: {error.format_message()}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("ethogram: interrupted; everything generated so far is stored", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        # The last net: whatever the system refuses is one line too.
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"ethogram: {place}{error.strerror or error}", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)
