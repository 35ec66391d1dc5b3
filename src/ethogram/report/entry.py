"""One version's entry of PROGRESS.md as Markdown: the aim first, then evidence, tables folded."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ethogram.metrics import Span
from ethogram.report.claims import EXAMPLE_CHARACTERS, Claim, Entry, Shown
from ethogram.report.examples import Example
from ethogram.report.printing import printable
from ethogram.spec import Change
from ethogram.study.difference import Difference
from ethogram.study.headline import is_same
from ethogram.study.numbers import p_value
from ethogram.study.wording import (
    aim_head,
    aim_parts,
    change_words,
    moved_words,
    name_words,
    price_sentence,
    value_words,
)

#: A loop is shown this often, then cut.
LOOP_ROUNDS = 3
#: Values that the entry of a version without a parent opens with.
_FIRST_VALUES = 4


def render(entry: Entry) -> str:
    """The Markdown of one entry."""
    title = one_line(entry.title)
    parts = [f"### {entry.version}" + (f" — {title}" if title else ""), ""]
    parts += [f"**{entry.stale[:1].upper()}{entry.stale[1:]}.**", ""] if entry.stale else []
    parts += [*_headline(entry), ""]
    parts += _changes(entry)
    parts += [
        f"- **Evidence:** {entry.generations} outputs on {entry.prompts} prompts · "
        f"`{one_line(entry.model)}` · identity `{entry.identity}`",
        *entry.trained,
        *_pitfalls(entry.pitfalls),
        *_notes(entry),
        "",
        *_examples(entry),
        *_table(entry),
    ]
    return "\n".join(parts).rstrip() + "\n"


def clear_words(differences: Sequence[Difference]) -> str:
    """Clear changes with their intervals, in one line."""
    return "; ".join(f"{moved_words(item)} ({change_words(item)})" for item in differences)


def _headline(entry: Entry) -> list[str]:
    """The verdict in words: aims and price, or what is clear; then what cannot be known."""
    if not entry.differences:
        return [f"First version of its line: {_values(entry)}."]
    lines = []
    if entry.aims:
        lines.append(f"**{aim_head(entry.aims)}:** {aim_parts(entry.aims)}")
    aimed = {aim.difference.metric.name for aim in entry.aims.aims} if entry.aims else set()
    others = [item for name, item in entry.differences.items() if name not in aimed]
    named = {item.metric.name for item in entry.aims.price} if entry.aims else set()
    clear = [item for item in others if item.is_clear and item.metric.name not in named]
    if clear:
        lead = "Other clear changes (exploration)" if entry.aims else "Clear (no aim was stated)"
        lines.append(f"**{lead}:** {clear_words(clear)}.")
    elif not entry.aims:
        lines.append("No aim was stated, and nothing changed clearly.")
    if not entry.aims:
        worse = [item for item in others if item.verdict == "perhaps worse"]
        lines += [price_sentence(worse)] if worse else []
    same = [item for item in others if is_same(item)]
    open_ = [
        item
        for item in others
        if not item.is_clear and item.metric.name not in named and not is_same(item)
    ]
    if open_:
        lines.append(f"Cannot tell: {_with_prompts(open_)}.")
    if same:
        values = [
            f"{name_words(item.metric)} ({value_words(item.metric, item.after)})" for item in same
        ]
        lines.append(f"The same on every prompt: {', '.join(values)}.")
    return [line for each in lines for line in (each, "")][:-1]


def _with_prompts(items: Sequence[Difference]) -> str:
    """Metrics, grouped by the number of prompts to which they apply."""
    groups: dict[int, list[str]] = {}
    for item in items:
        groups.setdefault(item.test.prompts, []).append(name_words(item.metric))
    return "; ".join(
        f"{', '.join(names)} ({prompts} prompt{'s' if prompts != 1 else ''})"
        for prompts, names in groups.items()
    )


def _values(entry: Entry) -> str:
    return ", ".join(
        f"{name_words(item.metric)} {value_words(item.metric, item.value)}"
        for item in list(entry.values.values())[:_FIRST_VALUES]
    )


def _changes(entry: Entry) -> list[str]:
    if not entry.changes:
        return []
    count = len(entry.changes)
    many = f" ({count} settings at once; the results are their joint effect)"
    head = f"- **Changed from {entry.parent}**{many if count > 1 else ''}:"
    return [head, *render_changes(entry.changes)]


def render_changes(changes: Sequence[Change]) -> list[str]:
    """Changed settings as items of a list."""
    return [line for change in changes for line in _change(change)]


def _change(change: Change) -> list[str]:
    """A change as an item of a list; a changed text as a diff inside it."""
    head = f"  - {one_line(change.words)}"
    if not change.lines:
        return [head]
    longest = max(map(len, re.findall("`+", "\n".join(change.lines))), default=0)
    fence = "`" * max(3, longest + 1)
    body = [f"{fence}diff", *change.lines, fence]
    return [head, "", *(f"    {line}".rstrip() for line in body), ""]


def _pitfalls(pitfalls: Sequence[Shown]) -> list[str]:
    if not pitfalls:
        return []
    words = "; ".join(
        f"{item.name} "
        + (f"{item.before[0]} of {item.before[1]} → " if item.before else "")
        + f"{item.found} of {item.total}"
        for item in pitfalls
    )
    return [f"- **Pitfalls:** {words} outputs"]


def _notes(entry: Entry) -> list[str]:
    shown: dict[str, list[Claim]] = {}
    for claim in entry.claims:
        shown.setdefault(claim.text, []).append(claim)
    lines = []
    if title := shown.get(entry.title):
        lines.append(f"- **Title:** {_proof(title)}")
    for label, notes in (
        ("Learned", entry.learned),
        ("Takeaway", entry.takeaway),
        ("Limitation", entry.limitation),
        ("Note", entry.notes),
    ):
        for note in notes:
            proof = f" ({_proof(shown[note])})" if note in shown else ""
            lines.append(f"- **{label}:** {one_line(note)}{proof}")
    return lines


def _proof(claims: Sequence[Claim]) -> str:
    return "; ".join(
        f"shown by {claim.measured}" if claim.holds else f"**not shown:** {claim.measured}"
        for claim in claims
    )


def _examples(entry: Entry) -> list[str]:
    if entry.pair:
        before, after = entry.pair.before, entry.pair.after
        return [
            f"**Same prompt, before and after** (`{after.prompt_id}`, sample "
            f"{after.sample_index}: {entry.pair.why}): {quoted_prompt(after)}",
            "",
            *_quoted(f"{entry.parent}", before),
            ">",
            *_quoted(entry.version, after),
            "",
        ]
    if entry.example is None:
        return []
    example = entry.example
    return [
        f"**Example** (`{example.prompt_id}`, sample {example.sample_index}: {example.why}): "
        f"{quoted_prompt(example)}",
        "",
        *_quoted(entry.version, example),
        "",
    ]


def quoted_prompt(example: Example) -> str:
    """The prompt in one line that no viewer takes for markup."""
    return inert(one_line(printable(example.prompt)))


def _quoted(version: str, example: Example) -> list[str]:
    lines = shown_text(example).splitlines() or ["(empty)"]
    first = f"> **{version}** (`{example.identity}`)  "
    return [first, *(f"> {inert(line)}" for line in lines)]


def shown_text(example: Example, characters: int = EXAMPLE_CHARACTERS) -> str:
    """An output as the log shows it: a loop cut after three rounds, a long text at its length."""
    text = printable(cut_loop(example))
    return text if len(text) <= characters else text[:characters].rstrip() + " …"


def cut_loop(example: Example) -> str:
    """The text with its loop cut after some rounds, and how often it went on said."""
    kept, said, rest = loop_parts(example)
    return f"{kept.rstrip()} {said} {rest.strip()}".rstrip() if said else example.text


def loop_parts(example: Example) -> tuple[str, str, str]:
    """A text to the end of its third round, how often the loop went on, and the text behind it.

    The last two are empty where nothing is left out.
    """
    rounds = _rounds(example)
    more = len(rounds) - LOOP_ROUNDS
    if more <= 0:
        return example.text, "", ""
    said = f"[the same {more} more time{'s' if more > 1 else ''}]"
    return example.text[: rounds[LOOP_ROUNDS - 1].end], said, example.text[rounds[-1].end :]


def _rounds(example: Example) -> Sequence[Span]:
    """The first run of spans with nothing but space between them: the rounds of one loop."""
    run = list(example.spans[:1])
    for span in example.spans[1:]:
        if example.text[run[-1].end : span.start].strip():
            break
        run.append(span)
    return run


def _table(entry: Entry) -> list[str]:
    if not entry.differences:
        rows = [
            f"| {cell(item.metric.title)} | {value_words(item.metric, item.value)} |"
            for item in entry.values.values()
        ]
        head = ["| metric | value |", "|---|---|"]
        return folded(f"All {len(rows)} metrics", [*head, *rows])
    aims = [aim.difference for aim in entry.aims.aims] if entry.aims else []
    aimed = {item.metric.name for item in aims}
    others = [item for name, item in entry.differences.items() if name not in aimed]
    listed = [(item, "aim") for item in aims] + [(item, "") for item in others]
    unreliable = [item for item, _ in listed if item.is_unreliable]
    head = [
        f"| metric | {entry.parent} | {entry.version} | difference, 95 % interval "
        "| prompts | p | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [_row(item, kind) for item, kind in listed if item.before or item.after]
    nothing = [item for item, _ in listed if not item.before and not item.after]
    lines = [*head, *rows]
    if nothing:
        names = ", ".join(name_words(item.metric) for item in nothing)
        lines += ["", f"0 in both: {names}."]
    if unreliable:
        reasons = "; ".join(
            f"{name_words(item.metric)}: {item.test.warning}" for item in unreliable
        )
        lines += ["", f"`?` marks an unreliable interval ({reasons})."]
    lines += ["", "p is corrected within the aims, and within all others (exploration; Holm)."]
    return folded(f"All {len(listed)} metrics", lines)


def _row(item: Difference, kind: str) -> str:
    before, after = (value_words(item.metric, value) for value in (item.before, item.after))
    mark = " ?" if item.is_unreliable else ""
    name = f"**{cell(item.metric.title)}** ({kind})" if kind else cell(item.metric.title)
    return (
        f"| {name} | {before} | {after} | {change_words(item)}{mark} | {item.test.prompts} "
        f"| {p_value(item.p_adjusted)} | {item.verdict} |"
    )


def folded(summary: str, lines: Sequence[str]) -> list[str]:
    """Lines that a viewer shows when they are asked for."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>"]


def inert(text: str) -> str:
    """Model text as plain words: no HTML, links, images or markup come alive in a viewer."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]#|!~$@])", r"\\\1", escaped).replace("://", "&#58;//")


def one_line(text: str) -> str:
    """All white space as single spaces."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """Text inside a table's cell."""
    return text.replace("|", "\\|")
