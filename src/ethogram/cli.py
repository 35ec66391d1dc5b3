"""The command line: a thin skin over the verbs.

Exit codes: 0 done; 1 a claim or check failed; 2 something the user can mend, said in one line;
130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from ethogram import __version__
from ethogram.errors import EthogramError

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.study import OnProgress, Study
    from ethogram.study import Progress as RunProgress

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130

study_option = click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder of the study. Default: here.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ethogram")
def cli() -> None:
    """Design language-model behaviour: write versions, run them, measure, compare, write down."""


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


@contextmanager
def _open(folder: Path) -> Iterator[Study]:
    from ethogram.study import Study

    with Study(folder) as study:
        yield study


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


class _Printable(Protocol):
    """What a verb returns that is words as much as data."""

    def to_json(self) -> Any:
        """Plain data."""

    def to_text(self) -> str:
        """Words."""


def _print(result: _Printable, *, as_json: bool) -> None:
    if as_json:
        _print_json(result.to_json())
    else:
        click.echo(result.to_text())


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def init(folder: Path, as_json: bool) -> None:
    """Make a new study in FOLDER: study.yaml, versions, a suite."""
    from ethogram.study import init as make

    path = make(folder)
    if as_json:
        _print_json({"study": str(path)})
    else:
        click.echo(f"Made a study in {path}. Next: ethogram run --study {path}")


@cli.command()
@click.argument("versions", nargs=-1)
@study_option
@json_option
def run(versions: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Generate what is missing, measure it, print the table against each parent."""
    from ethogram.report.terminal import print_run
    from ethogram.study import run as make

    def waiting() -> None:
        click.echo("Another run holds this study; waiting for it to finish.", err=True)

    def loading(model: str) -> None:
        if not as_json:
            click.echo(f"Loading {model} (a built-in is fetched on first use)", err=True)

    with _open(folder) as study, _progress(quiet=as_json) as on_progress:
        result = make(
            study, versions or None, on_progress=on_progress, on_wait=waiting, on_load=loading
        )
    if as_json:
        _print_json(result.to_json())
    else:
        print_run(_console(), result)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[OnProgress | None]:
    """A live bar with tokens per second and time left, on standard error."""
    if quiet:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bar = Progress(*columns, console=_console(stderr=True))
    tasks: dict[str, Any] = {}

    def update(now: RunProgress) -> None:
        bar.start()  # Only now: an empty bar would leave a blank line before an error.
        if now.version not in tasks:
            tasks[now.version] = bar.add_task(now.version, total=now.allowance, state="")
        speed = f"  {now.tokens / now.seconds:.0f} tokens/s" if now.tokens else ""
        state = f"{now.done}/{now.total}{speed}"
        bar.update(tasks[now.version], completed=now.spent, state=state)

    try:
        yield update
    finally:
        if tasks:
            bar.stop()


@cli.command()
@click.argument("version")
@click.option("--resolved", is_flag=True, help="With everything inherited and every default.")
@study_option
@json_option
def show(version: str, resolved: bool, folder: Path, as_json: bool) -> None:
    """Show a version: what its file states, or the whole of it."""
    from ethogram.study import show as make

    with _open(folder) as study:
        _print(make(study, version, resolved=resolved), as_json=as_json)


@cli.command()
@click.argument("before")
@click.argument("after")
@study_option
@json_option
def diff(before: str, after: str, folder: Path, as_json: bool) -> None:
    """Say which settings differ between two versions."""
    from ethogram.study import diff as make

    with _open(folder) as study:
        _print(make(study, before, after), as_json=as_json)


@cli.command()
@click.argument("before")
@click.argument("after")
@click.option("--metric", "metrics", multiple=True, help="Metric to compare; may be repeated.")
@click.option("--samples", default=3, show_default=True, help="Prompts shown side by side.")
@study_option
@json_option
def compare(
    before: str, after: str, metrics: tuple[str, ...], samples: int, folder: Path, as_json: bool
) -> None:
    """Compare two versions: what changed, what it did, how sure we are."""
    from ethogram.report.terminal import print_comparison
    from ethogram.study import compare as make

    with _open(folder) as study:
        result = make(study, before, after, metrics=metrics or None, samples=samples)
    if as_json:
        _print_json(result.to_json())
    else:
        print_comparison(_console(), result)


@cli.command()
@study_option
@json_option
def log(folder: Path, as_json: bool) -> None:
    """Write PROGRESS.md and report.html from the stored runs."""
    from ethogram.report import log as write

    with _open(folder) as study:
        written = write(study)
    if as_json:
        _print_json(written.to_json())
    else:
        click.echo(f"Wrote {written.progress} and {written.page}")


@cli.command()
@study_option
@json_option
def verify(folder: Path, as_json: bool) -> None:
    """Derive every claim of PROGRESS.md again; exit 1 if one is edited or stale."""
    from ethogram.report import verify as check

    with _open(folder) as study:
        verification = check(study)
    _print(verification, as_json=as_json)
    if not verification.holds:
        sys.exit(EXIT_FAILED)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--metric", "metrics", multiple=True, help="Metric to compute; may be repeated.")
@click.option("--evidence", is_flag=True, help="Show where the clearest output shows it.")
@json_option
def score(file: Path, metrics: tuple[str, ...], evidence: bool, as_json: bool) -> None:
    """Score the outputs in FILE (.jsonl or .jsonl.gz), made anywhere."""
    from ethogram.metrics import score as make

    table = make(file, metrics or None)
    if as_json:
        _print_json(table.to_json())
    else:
        click.echo(table.to_text(evidence=evidence))


@cli.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "version", required=True, help="Name of the new version, like v0.0.1.")
@click.option("--title", default="", help="Title of the new version.")
@study_option
@json_option
def import_(file: Path, version: str, title: str, folder: Path, as_json: bool) -> None:
    """Bring outputs made elsewhere into the study as a version."""
    from ethogram.study import import_outputs

    with _open(folder) as study:
        path = import_outputs(study, file, version, title=title)
    if as_json:
        _print_json({"version": version, "file": str(path)})
    else:
        click.echo(f"Wrote {path}. Next: ethogram run {version}")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("versions", nargs=-1)
@study_option
@json_option
def export(file: Path, versions: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Write stored generations to FILE (.jsonl or .parquet)."""
    from ethogram.study import export as write

    with _open(folder) as study:
        rows = write(study, file, versions or None)
    if as_json:
        _print_json({"file": str(file), "rows": rows})
    else:
        click.echo(f"Wrote {rows} generations to {file}")


@cli.command()
@json_option
def models(as_json: bool) -> None:
    """List the models that are here, and the built-in ones that can be fetched."""
    from dataclasses import asdict

    from ethogram.models import available

    infos = available()
    if as_json:
        _print_json([asdict(info) for info in infos])
        return
    for info in infos:
        click.echo(str(info))


@cli.command()
@click.argument("name")
@click.option("--revision", help="Branch, tag or commit of a hub model.")
@json_option
def pull(name: str, revision: str | None, as_json: bool) -> None:
    """Fetch a built-in or hub model, verify it, and make it ready to load."""
    from ethogram.models import pull as fetch

    path = fetch(name, revision=revision)
    if as_json:
        _print_json({"model": name, "path": str(path)})
    else:
        click.echo(f"{name} is ready in {path}")


@cli.command()
@click.argument("kind", type=click.Choice(["study", "version", "suite"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a file, for editors."""
    from ethogram.spec import StudyFile, SuitePrompt, Version

    kinds: dict[str, Callable[[], dict[str, Any]]] = {
        "study": StudyFile.model_json_schema,
        "version": Version.model_json_schema,
        "suite": SuitePrompt.model_json_schema,
    }
    _print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **kinds[kind]()})
