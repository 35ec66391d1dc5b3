"""Data: what is said about files of training data, as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ethogram.corpus import Deduplicated, Reason, Survey, TokenCounts
from ethogram.formats.content import shortened

#: Ranges of lines named of each reason, and reasons and duplicates named, unless all are wanted.
_RANGES, _REASONS, _DUPLICATES = 12, 20, 20
_EXAMPLE = 160


def survey_lines(survey: Survey, *, everything: bool = False) -> Iterator[str]:
    """What a file holds; with `everything` each bad row by its line."""
    total = survey.rows + survey.bad_total
    yield f"{survey.file}: {survey.format}, {total:,} rows, {survey.bad_total:,} of them bad"
    if survey.rows:
        yield f"  shape       {_counted(survey.shapes)}"
        yield f"  fields      {_counted(survey.fields)}"
        if survey.roles:
            yield f"  roles       {_counted(survey.roles)}"
        if survey.turns:
            yield f"  turns       {_spread(survey.turns)}"
        yield f"  characters  {_spread(survey.characters)}"
        yield f"  duplicates  {survey.duplicates:,} rows ({survey.duplicate_share:.1%})"
        licences = {name or "(not stated)": count for name, count in survey.licences.items()}
        yield f"  licence     {_counted(licences)}"
    for row in survey.examples:
        yield f"  line {row.line}: {shortened(_printable(row.words), _EXAMPLE)}"
    yield from (f"  {line}" for line in rules_lines(survey.used))
    yield from (f"  {line}" for line in bad_lines(survey.bad, everything=everything))


def bad_lines(reasons: Iterable[Reason], *, everything: bool = False) -> Iterator[str]:
    """Bad rows by reason, with their lines."""
    listed = list(reasons)
    for reason in listed if everything else listed[:_REASONS]:
        fix = f" [--fix {reason.fix}]" if reason.fix else ""
        example = _printable(reason.example)
        yield f"bad: {len(reason.lines):,} × {example}{fix}"
        yield f"     {reason.file.name}:{reason.ranges(None if everything else _RANGES)}"
    if not everything and len(listed) > _REASONS:
        yield f"and {len(listed) - _REASONS} more reasons"


def rules_lines(used: Mapping[str, int]) -> Iterator[str]:
    """How often each rule was used."""
    for name, count in used.items():
        yield f"rule {name}: used {'once' if count == 1 else f'{count:,} times'}"


def duplicates_lines(result: Deduplicated, *, everything: bool = False) -> Iterator[str]:
    """What was kept and which rows were left out."""
    exact = sum(each.exact for each in result.duplicates)
    near = len(result.duplicates) - exact
    yield f"Wrote {result.rows:,} rows to {result.file}"
    yield f"Left out {exact:,} equal and {near:,} similar rows"
    shown = result.duplicates if everything else result.duplicates[:_DUPLICATES]
    for each in shown:
        yield f"  {each.where} {'equals' if each.exact else 'is similar to'} {each.of}"
    if len(shown) < len(result.duplicates):
        yield f"  and {len(result.duplicates) - len(shown):,} more (--all)"
    yield from rules_lines(result.used)


def token_lines(counts: TokenCounts) -> Iterator[str]:
    """How long rows are for a tokenizer."""
    yield f"{counts.rows:,} rows, {counts.tokens:,} tokens"
    yield f"  characters/token  {counts.characters_per_token:.2f}"
    yield f"  tokens per row    {_spread(counts.per_row)}"
    if counts.context is not None:
        cut = f"{counts.cut_rows:.1%} of rows, {counts.cut_tokens:.1%} of tokens cut"
        yield f"  longer than {counts.context:,}: {cut}"
    yield f"  unknown           {counts.unknown:.3%} of tokens"
    yield f"  byte fallback     {counts.byte_fallback:.3%} of tokens"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{shortened(_printable(name))} {count:,}" for name, count in counts.items())


def _spread(percentiles: Mapping[int, int]) -> str:
    names = {0: "least", 50: "median", 100: "most"}
    return ", ".join(
        f"{names.get(percent, f'{percent} %')} {value:,}" for percent, value in percentiles.items()
    )


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() or each.isspace() else "�" for each in text)
