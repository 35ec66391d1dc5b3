"""The study as one self-contained HTML page: no script, no network, model text always escaped."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from pathlib import Path

from ethogram.files import write_whole
from ethogram.report.claims import Example, marked
from ethogram.report.entry import loop_parts, shown_text
from ethogram.report.findings import Findings, find
from ethogram.study.difference import Difference
from ethogram.study.headline import by_verdict, doubt, in_words
from ethogram.study.numbers import difference_in, interval_in, p_value, value_in
from ethogram.study.wording import aim_sentence
from ethogram.study.workspace import Study

REPORT_FILE = "report.html"


def write_html(study: Study, findings: Findings | None = None) -> Path:
    """Write report.html into the study's folder.

    Args:
        study: opened.
        findings: of it, where they are known already.

    Returns:
        The path of the file.
    """
    path = study.folder / REPORT_FILE
    write_whole(path, [render_page(study, findings)])
    return path


def render_page(study: Study, findings: Findings | None = None) -> str:
    """The whole page: findings, the table of all versions, then each."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ethogram.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "aim_sentence": aim_sentence,
        "by_verdict": by_verdict,
        "coded": _coded,
        "difference_in": difference_in,
        "doubt": doubt,
        "in_words": in_words,
        "interval_in": interval_in,
        "mark": _mark,
        "p_value": p_value,
        "pieces": _pieces,
        "scale": Scale(),
        "shown_text": shown_text,
        "value_in": value_in,
    }
    settings = study.spec.settings
    findings = findings or find(study)
    log = findings.entries
    page = environment.get_template("report.html.j2").render(
        title=settings.title or settings.name,
        about=settings.about,
        entries=log,
        sentences=findings.sentences,
        thread=findings.thread,
        metrics=[item.metric for item in log[0].values.values()] if log else [],
    )
    return f"{page.strip()}\n"  # The template's macros leave empty lines around the page.


@dataclass(frozen=True)
class Bar:
    """An interval on the common axis, in units of the drawing."""

    low: float
    middle: float
    high: float
    cut_low: bool
    cut_high: bool


@dataclass(frozen=True)
class Scale:
    """The axis that all intervals of the page share, so that their lengths can be compared.

    Metrics have different units, so differences are divided by the standard deviation between
    prompts of that difference (Cohen's d_z); values beyond `most` end in an arrow.

    Attributes:
        most: standard deviations from zero to either end.
        width: of the drawing.
    """

    most: int = 3
    width: int = 220

    @property
    def ticks(self) -> range:
        """Whole standard deviations."""
        return range(-self.most, self.most + 1)

    def x(self, value: float) -> float:
        """The place of a value in the drawing; values beyond an end are drawn at the end."""
        inside = min(max(value, -self.most), self.most)
        return round(10 + (self.width - 20) * (inside + self.most) / (2 * self.most), 1)

    def bar(self, item: Difference) -> Bar | None:
        """The interval of a difference; None where the prompts do not vary."""
        spread = item.test.error * math.sqrt(item.test.prompts)
        if not spread > 0 or math.isnan(item.low) or math.isnan(item.high):
            return None
        low, middle, high = (value / spread for value in (item.low, item.estimate, item.high))
        return Bar(self.x(low), self.x(middle), self.x(high), low < -self.most, high > self.most)


def _mark(item: Difference | None) -> str:
    """The CSS class of a clear verdict."""
    return item.verdict if item and item.is_clear else ""


def _coded(words: str) -> object:
    """Words in which backticks mark code, escaped."""
    from markupsafe import Markup

    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(words)))


def _pieces(example: Example) -> list[tuple[str, str | None]]:
    """The text of an example in pieces, each with the label of its evidence; loops are cut."""
    kept, said, rest = loop_parts(example)
    spans = [span for span in example.spans if span.end <= len(kept)]
    found = [(piece, span.label if span else None) for piece, span in marked(kept, spans)]
    found += [(f" {said} {rest}", None)] if said else []
    while found and not found[0][0].strip():
        found.pop(0)
    while found and not found[-1][0].strip():
        found.pop()
    if found:
        found[0] = (found[0][0].lstrip(), found[0][1])
        found[-1] = (found[-1][0].rstrip(), found[-1][1])
    return found
