"""The command line: a thin skin over the verbs. Commands live in the modules beside this one.

Exit codes: 0 done; 1 a claim or check failed; 2 something the user can mend, said in one line;
130 interrupted.
"""

from __future__ import annotations

import sys

import click

from ethogram import __version__
from ethogram.cli import (
    alone,
    checking,
    judging,
    looking,
    microscope,
    replicating,
    sweeping,
    working,
)
from ethogram.errors import EthogramError

EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ethogram")
def cli() -> None:
    """Design language-model behaviour: write versions, run them, measure, compare, write down."""


#: As a study is worked on.
COMMANDS: tuple[click.Command, ...] = (
    working.init,
    working.run,
    looking.show,
    looking.diff,
    looking.compare,
    sweeping.sweep,
    judging.judge,
    checking.check,
    microscope.trace,
    looking.log,
    looking.verify,
    alone.score,
    replicating.replicate,
    working.import_,
    working.export,
    alone.models,
    alone.pull,
    alone.schema,
)
for command in COMMANDS:
    cli.add_command(command)


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
        click.echo("ethogram: interrupted; all that was made is stored", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        # The last net: whatever the system refuses is told in one line too.
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"ethogram: {place}{error.strerror or error}", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)
