"""`ethogram data`: look at training data, convert it, and split it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ethogram.cli.options import EXIT_FAILED, command, json_option, print_json

_RULES = (
    "decode-latin1",
    "decode-utf16",
    "strip-bom",
    "strip-nul",
    "unix-newlines",
    "keep-replacement",
    "merge-same-role",
    "drop-trailing-user",
    "drop-bad-rows",
)
files_argument = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
format_option = click.option(
    "--format",
    type=click.Choice(["jsonl", "json", "csv", "parquet", "text"]),
    help="Of all files. Default: by each name (.jsonl, .json, .csv, .tsv, .parquet, .txt).",
)
fix_option = click.option(
    "--fix",
    "fixes",
    metavar="RULE",
    multiple=True,
    type=click.Choice(_RULES),
    help=f"Rule that may change or drop bad rows, counted: {', '.join(_RULES)}. Repeatable.",
)
all_option = click.option("--all", "everything", is_flag=True, help="List all, not the first few.")


def out_option(text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`-o PATH`."""
    return click.option(
        "-o", "--out", metavar="PATH", required=True, type=click.Path(path_type=Path), help=text
    )


@click.group("data", epilog="\b\nExample:\n  ethogram data inspect chats.jsonl")
def data_group() -> None:
    """Look at training data, convert it, remove duplicates, split it.

    Files are JSON lines, JSON, CSV, Parquet or plain text, also gzipped.
    """


@command("inspect", "ethogram data inspect chats.jsonl", "ethogram data inspect a.json --all")
@files_argument
@format_option
@fix_option
@all_option
@json_option
def inspect_command(
    files: tuple[Path, ...],
    format: str | None,
    fixes: tuple[str, ...],
    everything: bool,
    json_wanted: bool,
) -> None:
    """Show what FILES hold, and each bad row by its line.

    Exits with 1 if a row is bad.
    """
    from ethogram.corpus import FixCounter, inspect
    from ethogram.report.data import bad_lines, survey_lines

    surveys = []
    for path in files:
        rules = FixCounter(fixes)
        survey = inspect(path, format=format, fixes=rules)
        surveys.append(survey)
        if not json_wanted:
            _print(survey_lines(survey, everything=everything))
            if rules.dropped.total:
                click.echo("  left out:")
                _print(f"  {line}" for line in bad_lines(rules.dropped, everything=everything))
    if json_wanted:
        print_json(surveys)
    if any(survey.bad_total for survey in surveys):
        sys.exit(EXIT_FAILED)


@command(
    "convert",
    "ethogram data convert alpaca.json --to messages -o chats.jsonl",
    "ethogram data convert a.csv --to pairs --fix decode-latin1 -o pairs.jsonl",
)
@files_argument
@click.option(
    "--to",
    required=True,
    type=click.Choice(["messages", "pairs", "preference", "text", "vote"]),
    help="Shape of the written rows.",
)
@out_option("File to write, as JSON lines.")
@format_option
@fix_option
@json_option
def convert_command(
    files: tuple[Path, ...],
    to: Any,
    out: Path,
    format: str | None,
    fixes: tuple[str, ...],
    json_wanted: bool,
) -> None:
    """Write the rows of FILES in one shape, with their licence, source and further fields.

    If a row is bad and no --fix covers it, nothing is written.
    """
    from ethogram.corpus import FixCounter, convert
    from ethogram.report.data import bad_lines, rules_lines

    with _reporting():
        done = convert(files, out, to=to, format=format, fixes=FixCounter(fixes))
    if json_wanted:
        dropped = [
            {"file": str(each.file), "reason": each.example, "lines": list(each.lines)}
            for each in done.dropped
        ]
        print_json({"file": str(out), "rows": done.rows, "used": done.used, "dropped": dropped})
        return
    click.echo(f"Wrote {done.rows:,} rows to {out}")
    _print(rules_lines(done.used))
    _print(bad_lines(done.dropped, everything=True))


@command("dedupe", "ethogram data dedupe chats.jsonl more.jsonl -o unique.jsonl")
@files_argument
@out_option("File to write, as JSON lines.")
@click.option("--exact", is_flag=True, help="Only rows equal but for case, space, punctuation.")
@format_option
@fix_option
@all_option
@json_option
def dedupe_command(
    files: tuple[Path, ...],
    out: Path,
    exact: bool,
    format: str | None,
    fixes: tuple[str, ...],
    everything: bool,
    json_wanted: bool,
) -> None:
    """Write the rows of FILES without those that repeat an earlier one.

    Near-duplicates are found by MinHash over 5-grams of words, at a similarity of 0.8.
    """
    from ethogram.corpus import FixCounter, deduplicate
    from ethogram.report.data import duplicates_lines

    with _reporting():
        done = deduplicate(files, out, near=not exact, format=format, fixes=FixCounter(fixes))
    if json_wanted:
        print_json(done)
    else:
        _print(duplicates_lines(done, everything=everything))


@command("split", "ethogram data split chats.jsonl --held-out 0.05 -o data")
@files_argument
@out_option("Folder for train.jsonl and held-out.jsonl.")
@click.option(
    "--held-out",
    "share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of the groups of rows to hold out.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--by", metavar="FIELD", help="Rows with the same value stay together.")
@format_option
@fix_option
@json_option
def split_command(
    files: tuple[Path, ...],
    out: Path,
    share: float,
    seed: int,
    by: str | None,
    format: str | None,
    fixes: tuple[str, ...],
    json_wanted: bool,
) -> None:
    """Split the rows of FILES into those to learn from and held-out ones, without leakage.

    Similar rows, rows with the same prompt and rows with the same FIELD are on one side. The
    split depends on content and seed, not on the order of rows.
    """
    from ethogram.corpus import FixCounter
    from ethogram.corpus.splitting import split_files
    from ethogram.report.data import rules_lines

    rules = FixCounter(fixes)
    with _reporting():
        counts = split_files(files, out, share, seed=seed, by=by, format=format, fixes=rules)
    if json_wanted:
        print_json({"folder": str(out), **counts, "used": rules.used})
        return
    for name, count in counts.items():
        click.echo(f"Wrote {count:,} rows to {out / f'{name}.jsonl'}")
    _print(rules_lines(rules.used))


@command(
    "tokens",
    "ethogram data tokens chats.jsonl --tokenizer smollm2-135m-instruct --context 2048",
)
@files_argument
@click.option(
    "--tokenizer",
    metavar="MODEL",
    required=True,
    help="Model whose tokenizer is used: a built-in's name, hub id or local folder.",
)
@click.option("--context", type=click.IntRange(1), help="Tokens from which a row is cut.")
@format_option
@fix_option
@json_option
def tokens_command(
    files: tuple[Path, ...],
    tokenizer: str,
    context: int | None,
    format: str | None,
    fixes: tuple[str, ...],
    json_wanted: bool,
) -> None:
    """Count the tokens of FILES, without those that a chat template adds."""
    from ethogram.corpus import FixCounter, read, token_counts
    from ethogram.models.text_encoder import text_encoder
    from ethogram.report.data import rules_lines, token_lines

    coder, rules = text_encoder(tokenizer), FixCounter(fixes)
    rows = (row for path in files for row in read(path, format=format, fixes=rules))
    with _reporting():
        counts = token_counts(
            rows,
            coder.encode,
            context=context,
            unknown=coder.unknown,
            byte_tokens=coder.byte_tokens,
        )
    if json_wanted:
        print_json(counts)
        return
    _print(token_lines(counts))
    _print(rules_lines(rules.used))


@contextmanager
def _reporting() -> Iterator[None]:
    """Before the error that bad rows are, print each reason with its lines."""
    from ethogram.corpus import BadRowsError
    from ethogram.report.data import bad_lines

    try:
        yield
    except BadRowsError as error:
        _print(bad_lines(error.bad, everything=True), err=True)
        raise


def _print(lines: Iterable[str], *, err: bool = False) -> None:
    for line in lines:
        click.echo(line, err=err)


for _member in (inspect_command, convert_command, dedupe_command, split_command, tokens_command):
    data_group.add_command(_member)
