"""Checks for people and machines: lines of the terminal, JUnit XML, annotations of GitHub.

Model text is escaped in each of the three forms.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.files import write_whole
from ethogram.metrics import Span
from ethogram.report.claims import marked
from ethogram.report.printing import inactive
from ethogram.study.check import Baseline, CheckResult, Contract, Evidence
from ethogram.study.numbers import number, p_value, signed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

#: Of each output shown as evidence, this many characters around what it shows.
_CHARACTERS = 240
#: What XML 1.0 forbids even as a reference (section 2.2).
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
#: Columns of "undecided", the longest outcome.
_OUTCOME_WIDTH = 9
_COLOUR = {"pass": "green", "fail": "red", "undecided": "yellow"}


def confidence(value: float) -> str:
    """A confidence in percent, never rounded up to certainty."""
    return "over 99.9 %" if value > 0.999 else f"{math.floor(1000 * value) / 10:.1f} %"


def contract_words(item: Contract) -> str:
    """One line on a contract: value, what was decided, how sure."""
    value = f"{item.metric.name} is {number(item.value)}, expected {item.bound}"
    basis = f"{item.outputs} outputs"
    if 0 < item.applies_to < item.outputs:
        basis += f" ({item.metric.name} applies to {item.applies_to})"
    if item.outcome == "undecided":
        return f"{value}: undecided after {basis}, {_missing(item)}"
    if item.method == "exact":
        return f"{value}, deterministic, on {basis}"
    if item.method == "counter-example":
        return f"{value}, by a counterexample among {basis}"
    return f"{value}, confidence {confidence(item.confidence)} on {basis}"


def _missing(item: Contract) -> str:
    if math.isnan(item.value):
        return "because the metric applies to none of them"
    if item.missing is None and item.method == "counter-example":
        return "and no number of samples can prove it"
    if item.missing is None:
        return "and more samples like these would not decide it"
    return f"about {item.missing} more would decide"


def baseline_words(item: Baseline) -> list[str]:
    """A line for each regression."""
    return [
        f"{found.metric.name} is worse than in {item.parent}: {number(found.before)} to "
        f"{number(found.after)}, difference {signed(found.estimate)} "
        f"[{signed(found.low)}, {signed(found.high)}], p {p_value(found.p_adjusted)}"
        for found in item.regressions
    ]


def print_check(console: Console, result: CheckResult) -> None:
    """Each version's contracts with the evidence against broken ones, then the parents."""
    from rich.text import Text

    version = None
    for item in result.contracts:
        if item.version != version:
            version = item.version
            console.print(Text(version, style="bold"))
            if item.stale:
                console.print(Text(f"{version} {item.stale}", style="yellow"))
        style = _COLOUR[item.outcome]
        console.print(_beside(item.outcome, style, Text(contract_words(item))))
        for shown in item.evidence:
            console.print(_beside("", "", _evidence_text(shown)))
    for compared in result.baselines:
        lines = baseline_words(compared)
        heading = f"{compared.version} against {compared.parent}"
        if not lines:
            console.print(Text(f"{heading}: no clear regression"))
            continue
        console.print(Text(heading, style="bold"))
        for words in lines:
            console.print(_beside("worse", "red", Text(words)))
    console.print(Text(summary(result)))


def _beside(outcome: str, style: str, words: Text) -> Table:
    """A word, and beside it a text that wraps into its own column."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 0, 0, 2))
    grid.add_column(width=_OUTCOME_WIDTH, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(outcome, style=style), words)
    return grid


def summary(result: CheckResult) -> str:
    """How many contracts came out how, in one line."""
    if not result.contracts and not result.baselines:
        return "No contract to check: no version has bounds under expect:"
    counts = [
        f"{sum(item.outcome == outcome for item in result.contracts)} {word}"
        for outcome, word in (("pass", "passed"), ("fail", "broken"), ("undecided", "undecided"))
    ]
    words = f"{', '.join(counts)} of {_counted(len(result.contracts), 'contract')}"
    if result.baselines:
        worse = sum(len(item.regressions) for item in result.baselines)
        words += f"; {_counted(worse, 'regression')} against "
        words += _counted(len(result.baselines), "parent")
    return words


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _evidence_text(item: Evidence) -> Text:
    """An output with its spans marked."""
    from rich.text import Text

    line = Text(f"{item.prompt_id} sample {item.sample_index}, {number(item.value)}: ")
    line.stylize("dim")
    for piece, span in marked(*_window(item)):
        line.append(_one_line(piece), style="reverse" if span else "default")
    return line.append("" if item.text.strip() else "(empty)")


def _one_line(text: str) -> str:
    """Text on one line and without control characters; its spaces stay, as it may be a piece."""
    return inactive(text.replace("\n", " ⏎ "))


def _window(item: Evidence) -> tuple[str, list[Span]]:
    """The part of the text around the first span, and the spans inside it."""
    first = min((span.start for span in item.spans), default=0)
    start = max(0, first - _CHARACTERS // 3)
    end = start + _CHARACTERS
    inside = [
        Span(max(span.start, start) - start, min(span.end, end) - start, span.label)
        for span in item.spans
        if span.start < end and span.end > start
    ]
    return item.text[start:end], inside


def _evidence_plain(item: Evidence) -> str:
    text = _one_line(_window(item)[0]).strip() or "(empty)"
    labels = "; ".join(span.label for span in item.spans[:3])
    value = f"{item.prompt_id} sample {item.sample_index}, {number(item.value)}"
    return f"{value}{f' ({labels})' if labels else ''}: {text}"


def write_junit(result: CheckResult, path: Path, *, strict: bool = False) -> None:
    """Write the result as JUnit XML: a test case a contract, another a compared version.

    Args:
        result: what was decided.
        path: of the file.
        strict: whether undecided contracts count as failures rather than as skipped.

    Raises:
        WriteError: the file cannot be written.
    """
    from xml.etree import ElementTree

    suite = ElementTree.Element("testsuite", name=_xml(f"ethogram {result.study}"))
    for item in result.contracts:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_xml(item.version),
            name=_xml(item.name),
            file=_xml(str(item.file)),
            line=str(item.line),
        )
        failed = item.outcome == "fail" or (strict and item.outcome == "undecided")
        if item.outcome == "pass":
            continue
        message = _xml(contract_words(item))
        found = ElementTree.SubElement(case, "failure" if failed else "skipped", message=message)
        found.text = _xml("\n".join(_evidence_plain(shown) for shown in item.evidence)) or None
    for compared in result.baselines:
        name = f"no regression against {compared.parent}"
        case = ElementTree.SubElement(
            suite, "testcase", classname=_xml(compared.version), name=_xml(name)
        )
        lines = baseline_words(compared)
        if lines:
            found = ElementTree.SubElement(case, "failure", message=_xml(lines[0]))
            found.text = _xml("\n".join(lines))
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(1 for _ in suite.iter(tag))))
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode")
    write_whole(path, ['<?xml version="1.0" encoding="UTF-8"?>\n', text, "\n"])


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def github_annotations(result: CheckResult, *, strict: bool = False) -> Iterator[str]:
    """Workflow commands that mark the lines of broken bounds in a pull request.

    Paths are given from the current folder, which in a workflow is that of the repository.
    """
    for item in result.contracts:
        if item.outcome == "pass":
            continue
        kind = "error" if item.outcome == "fail" or strict else "warning"
        lines = [contract_words(item), *(_evidence_plain(shown) for shown in item.evidence)]
        title = f"{item.version}: {item.name}"
        yield _annotation(kind, item.file, item.line, title, "\n".join(lines))
    for compared in result.baselines:
        for words in baseline_words(compared):
            title = f"{compared.version}: worse than {compared.parent}"
            yield _annotation("error", compared.file, 1, title, words)


def _annotation(kind: str, file: Path, line: int, title: str, message: str) -> str:
    place = os.path.relpath(file)
    return (
        f"::{kind} file={_property(place)},line={line},title={_property(title)}::{_data(message)}"
    )


def _data(text: str) -> str:
    """As GitHub's toolkit escapes messages (actions/toolkit, packages/core/src/command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
