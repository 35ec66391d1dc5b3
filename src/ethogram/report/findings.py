"""What all versions of a study together show: sentences, a small table, one prompt through all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ethogram.metrics import Metric
from ethogram.report.claims import Entry, entries, measured_versions
from ethogram.report.entry import cell, folded, inert, one_line, quoted_prompt, shown_text
from ethogram.report.examples import Example, examples_of, prompt_moves
from ethogram.report.printing import wrapped
from ethogram.study.aims import Aim
from ethogram.study.difference import Difference, comparable, differences
from ethogram.study.measure import Measured, metric_names
from ethogram.study.wording import change_words, moved_words, name_words, value_words
from ethogram.study.workspace import Study

#: Columns of the small table, and sentences, at most.
_COLUMNS = 4
_THREAD_CHARACTERS = 160
#: Metrics that the sentence of first against last names.
_OVERALL = 3
#: Lines of a terminal that the findings take at most.
SHORT_LINES = 6


@dataclass(frozen=True)
class Thread:
    """One prompt through all versions.

    Attributes:
        why: by which rule it was chosen.
        outputs: of each version that has the prompt, in order.
    """

    why: str
    outputs: Sequence[tuple[str, Example]]


@dataclass(frozen=True)
class Finding:
    """One sentence of what was found: `Aims met: loop rate 45.5 → 0.0 % (v0.0.2, v0.1.0); …`.

    Attributes:
        lead: what its parts have in common.
        parts: as the log shows them, with intervals.
        short: as the terminal shows them.
    """

    lead: str
    parts: Sequence[str]
    short: Sequence[str]

    def __str__(self) -> str:
        return f"{self.lead}: {'; '.join(self.parts)}."

    def lines(self, width: int, most: int) -> list[str]:
        """The short parts in so many lines; those that do not fit are counted."""
        lines: list[str] = []
        for shown in range(len(self.short), 0, -1):
            left = len(self.short) - shown
            more = [f"and {left} more"] if left else []
            said = f"{self.lead}: {'; '.join([*self.short[:shown], *more])}."
            lines = wrapped(said, width, indent="- ", hanging="  ")
            if len(lines) <= most:
                break
        return lines[:most]


def in_short(findings: Sequence[Finding], width: int) -> list[str]:
    """The findings in at most `SHORT_LINES` lines of a terminal, the first ones in the most."""
    lines: list[str] = []
    for number, finding in enumerate(findings):
        after = len(findings) - number - 1
        lines += finding.lines(width, max(1, min(2, SHORT_LINES - len(lines) - after)))
    return lines[:SHORT_LINES]


@dataclass(frozen=True)
class Findings:
    """What the log opens with.

    Attributes:
        entries: of every version that has run.
        sentences: the findings, most telling first.
        columns: metrics of the small table.
        values: version to metric to score.
        thread: one prompt through all versions; None where they share none.
    """

    entries: Sequence[Entry]
    sentences: Sequence[Finding]
    columns: Sequence[Metric]
    values: dict[str, dict[str, Measured]]
    thread: Thread | None


def find(study: Study, *, examples: bool = True) -> Findings:
    """Derive the findings of all versions that have all their generations.

    Args:
        study: opened.
        examples: whether the entries show outputs, which have to be read; the thread always does.
    """
    measured = measured_versions(study)
    made = entries(study, measured=measured, examples=examples)
    overall = _first_to_last(study, made, measured)
    columns = _columns(study, made, overall)
    return Findings(
        made,
        _sentences(made, overall),
        [measured[made[0].version][name].metric for name in columns] if made else [],
        measured,
        _thread(study, made, measured),
    )


def _first_to_last(
    study: Study, made: Sequence[Entry], measured: dict[str, dict[str, Measured]]
) -> tuple[str, str, Sequence[Difference]] | None:
    """The last version against the first that it descends from, over the table and all aims."""
    if len(made) < 2:
        return None
    last = made[-1].version
    line = [last]
    while (parent := study.versions[line[-1]].parent) in measured and parent:
        line.append(parent)
    first = line[-1]
    if first == last or not comparable(measured[first], measured[last]):
        return None
    aims = [name for entry in made for name in study.versions[entry.version].aim]
    names = list(dict.fromkeys([*aims, *metric_names(study)]))
    found = differences(
        measured[first],
        measured[last],
        names,
        first,
        last,
        coupled=study.coupled(first, last),
    )
    return first, last, list(found.values())


def _columns(
    study: Study,
    made: Sequence[Entry],
    overall: tuple[str, str, Sequence[Difference]] | None,
) -> list[str]:
    """Aims in order of their versions, then what changed clearly in all, then the table's own."""
    aims = [name for entry in made for name in study.versions[entry.version].aim]
    clear = [item.metric.name for item in overall[2] if item.is_clear] if overall else []
    return list(dict.fromkeys([*aims, *clear, *metric_names(study)]))[:_COLUMNS]


def _sentences(
    made: Sequence[Entry], overall: tuple[str, str, Sequence[Difference]] | None
) -> list[Finding]:
    """Three to five: first against last, aims met, aims not met, the largest price, the open."""
    found = [_overall_finding(made, *overall)] if overall else []
    for outcome, lead in (("met", "Aims met"), ("not met", "Aims not met")):
        parts = _by_version(
            (", ".join(moved_words(aim.difference) for aim in aims), version)
            for version, aims in _aims_of(made, outcome)
        )
        found += [Finding(lead, parts, parts)] if parts else []
    prices = [
        (entry.version, item)
        for entry in made
        if entry.aims
        for item in entry.aims.price
        if item.is_clear
    ]
    if prices:
        version, item = max(prices, key=lambda pair: _strength(pair[1]))
        short = f"{version}, {moved_words(item)}"
        found.append(Finding("Clearest price", [f"{short} ({change_words(item)})"], [short]))
    if undecided := _aims_of(made, "undecided"):
        parts = [f"{version}, {_open_words(aims)}" for version, aims in undecided]
        short_parts = _by_version(
            (name_words(aim.difference.metric), version)
            for version, aims in undecided
            for aim in aims
            if aim.outcome == "undecided"
        )
        found.append(Finding("Undecided", parts, short_parts))
    return found


def _overall_finding(
    made: Sequence[Entry], first: str, last: str, items: Sequence[Difference]
) -> Finding:
    """The clearest differences between first and last: those of aims, then those with a side."""
    aims = {aim.difference.metric.name for entry in made if entry.aims for aim in entry.aims.aims}
    clear = sorted(
        (item for item in items if item.is_clear),
        key=lambda item: (
            item.metric.name in aims,
            item.metric.direction != "none",
            _strength(item),
        ),
        reverse=True,
    )[:_OVERALL]
    lead = f"From {first} to {last}"
    if not clear:
        nothing = [f"nothing changed clearly on {items[0].test.prompts} prompts"]
        return Finding(lead, nothing, nothing)
    short = [moved_words(item) for item in clear]
    parts = [f"{moved_words(item)} ({change_words(item)})" for item in clear]
    return Finding(lead, parts, short)


def _aims_of(made: Sequence[Entry], outcome: str) -> list[tuple[str, Sequence[Aim]]]:
    return [
        (entry.version, entry.aims.aims)
        for entry in made
        if entry.aims and entry.aims.outcome == outcome
    ]


def _by_version(said: Iterable[tuple[str, str]]) -> list[str]:
    """What is true of several versions, once: `loop rate 45.5 → 0.0 % (v0.0.2, v0.1.0)`."""
    versions: dict[str, list[str]] = {}
    for words, version in said:
        versions.setdefault(words, []).append(version)
    return [f"{words} ({', '.join(names)})" for words, names in versions.items()]


def _open_words(aims: Sequence[Aim]) -> str:
    """Aims of which one is open at least, and what would decide it."""
    words = []
    for aim in aims:
        said = moved_words(aim.difference)
        if aim.outcome == "undecided":
            more = f"about {aim.needed} prompts" if aim.needed else "no number of such prompts"
            said += f" ({more} would tell)"
        else:
            said += f" ({aim.outcome})"
        words.append(said)
    return ", ".join(words)


def _strength(item: Difference) -> float:
    """How far the difference is from none, in standard errors; nothing measured is nothing."""
    if not item.test.error or math.isnan(item.test.error):
        return 0.0 if math.isnan(item.estimate) else math.inf
    return abs(item.estimate) / item.test.error


def _thread(
    study: Study, made: Sequence[Entry], measured: dict[str, dict[str, Measured]]
) -> Thread | None:
    """`thread:` of study.yaml, else the prompt on which the aims moved most over all versions."""
    shared = _shared_prompts(made, measured)
    if not shared:
        return None
    named = study.spec.settings.thread
    if named in shared:
        prompt, why = named, "chosen in study.yaml"
    else:
        moved = _restlessness(made, measured, shared)
        prompt = max(shared, key=lambda each: moved[each])
        why = "the prompt on which the aims moved most, over all steps"
    wanted = [(entry.version, prompt) for entry in made]
    shown = examples_of(study, wanted, measured)
    return Thread(why, [(version, shown[version, prompt]) for version, _ in wanted])


def _shared_prompts(made: Sequence[Entry], measured: dict[str, dict[str, Measured]]) -> list[str]:
    """Prompts that every version has, in the order of the first one's suite."""
    if not made:
        return []
    ids = [measured[entry.version]["loop_rate"].places for entry in made]
    return [prompt for prompt in ids[0] if all(prompt in each for each in ids[1:])]


def _restlessness(
    made: Sequence[Entry], measured: dict[str, dict[str, Measured]], prompts: Sequence[str]
) -> dict[str, float]:
    """How far the aims of all versions moved on a prompt, each in units of its own mean move."""
    total = dict.fromkeys(prompts, 0.0)
    for entry in made:
        for aim in entry.aims.aims if entry.aims else ():
            name = aim.difference.metric.name
            moves = prompt_moves(measured[str(entry.parent)][name], measured[entry.version][name])
            mean = sum(map(abs, moves.values())) / max(1, len(moves))
            for prompt in prompts if mean else ():
                total[prompt] += abs(moves.get(prompt, 0.0)) / mean
    return total


def render_findings(findings: Findings) -> str:
    """The Markdown that the log opens with."""
    if not findings.entries:
        return "No version has all its outputs yet; run `ethogram run`.\n"
    parts = ["**What was found**", ""]
    parts += [f"{place}. {sentence}" for place, sentence in enumerate(findings.sentences, 1)]
    if not findings.sentences:
        parts.append("One version has run; there is nothing to compare it with yet.")
    parts += ["", *_small_table(findings), "", *_legend(findings), ""]
    if findings.thread:
        parts += _thread_lines(findings.thread)
    return "\n".join(parts).rstrip() + "\n"


def _small_table(findings: Findings) -> list[str]:
    heads = " | ".join(cell(metric.title) for metric in findings.columns)
    rows = [
        f"| | {heads} | prompts | clear against its parent |",
        "|---|" + "---|" * (len(findings.columns) + 2),
    ]
    for entry in findings.entries:
        scores = findings.values[entry.version]
        values = " | ".join(
            value_words(metric, scores[metric.name].value) for metric in findings.columns
        )
        label = f"**{entry.version}** {cell(one_line(entry.title))}".rstrip()
        rows.append(f"| {label} | {values} | {entry.prompts} | {clear_changes(entry)} |")
    return rows


def _legend(findings: Findings) -> list[str]:
    """What the columns are, for a reader who does not know the metrics."""
    lines = [f"- {metric.title}: {inert(metric.formula)}" for metric in findings.columns]
    return folded("What the columns mean", lines)


def clear_changes(entry: Entry) -> str:
    """What changed clearly against the parent, with arrows, aims first; empty without one."""
    if not entry.differences:
        return ""
    items = (
        {aim.difference.metric.name: aim.difference for aim in entry.aims.aims}
        if entry.aims
        else {}
    )
    for name, item in entry.differences.items():
        items.setdefault(name, item)
    words = [
        f"{name_words(item.metric)} {'↑' if item.estimate > 0 else '↓'}"
        for item in items.values()
        if item.is_clear
    ]
    return ", ".join(words) or "nothing"


def _thread_lines(thread: Thread) -> list[str]:
    example = thread.outputs[0][1]
    lines = [
        f"**One prompt through all versions** (`{example.prompt_id}`, {thread.why}): "
        f"{quoted_prompt(example)}",
        "",
    ]
    for version, output in thread.outputs:
        text = one_line(shown_text(output, _THREAD_CHARACTERS)) or "(empty)"
        lines += [f"> **{version}** {inert(text)}", ">"]
    return lines[:-1]
