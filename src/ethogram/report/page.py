"""The study as one self-contained HTML page: no script, no network, model text always escaped."""

from __future__ import annotations

import html
import math
import re
from pathlib import Path

from ethogram.files import write_whole
from ethogram.report.claims import Entry, Example, entries, marked, number, p_value, signed
from ethogram.study.difference import Difference
from ethogram.study.workspace import Study

REPORT_FILE = "report.html"
_STYLE = """
:root{color-scheme:light dark;--ink:#1c1c1a;--paper:#fbfaf7;--line:#d8d4c8;--soft:#6b675c;
--better:#1d7a46;--worse:#b3372f;--changed:#8a6a10}
@media(prefers-color-scheme:dark){:root{--ink:#e9e6dd;--paper:#191917;--line:#3a3833;--soft:#a39e90;
--better:#5fc48b;--worse:#ef8a80;--changed:#d9b65a}}
body{font:16px/1.55 Georgia,serif;color:var(--ink);background:var(--paper);max-width:60rem;
margin:2rem auto;padding:0 1.2rem}
h1{font-size:2rem}h2{margin-top:3rem;border-top:1px solid var(--line);padding-top:1.2rem}
table{border-collapse:collapse;width:100%;font:14px/1.4 system-ui,sans-serif}
td,th{border-bottom:1px solid var(--line);padding:.35rem .5rem;text-align:left;vertical-align:top}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th.verdict{min-width:12rem}
.scroll{overflow-x:auto}.soft{color:var(--soft)}
.better{color:var(--better)}.worse{color:var(--worse)}.changed{color:var(--changed)}
blockquote{margin:1rem 0;padding:.6rem 1rem;border-left:3px solid var(--line);
white-space:pre-wrap;overflow-wrap:anywhere;max-height:20rem;overflow-y:auto}
code{font-size:.9em}svg{display:block}
mark{color:inherit;background:color-mix(in srgb,var(--changed) 22%,transparent);border-radius:2px;
box-shadow:inset 2px 0 var(--changed)}
"""


def write_html(study: Study) -> Path:
    """Write report.html into the study's folder.

    Returns:
        The path of the file.
    """
    path = study.folder / REPORT_FILE
    write_whole(path, [render_page(study)])
    return path


def render_page(study: Study) -> str:
    """The whole page."""
    settings = study.spec.settings
    log = entries(study)
    title = html.escape(settings.title or settings.name)
    about = f"<p>{html.escape(settings.about)}</p>" if settings.about else ""
    body = _overview(log) + "".join(_entry(entry) for entry in log)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>{about}{body}"
        "</body></html>\n"
    )


def _overview(log: list[Entry]) -> str:
    if not log:
        return '<p class="soft">No version has been run yet.</p>'
    metrics = [item.metric for item in log[0].values.values()]
    head = "".join(
        f'<th class="number">{html.escape(metric.title)}<br>'
        f'<span class="soft">{html.escape(metric.unit.name)}</span></th>'
        for metric in metrics
    )
    rows = "".join(
        f'<tr><td><a href="#{html.escape(entry.version)}">{html.escape(entry.version)}</a> '
        f"{html.escape(entry.title)}</td>"
        + "".join(
            f'<td class="number {_class(entry.differences.get(metric.name))}">'
            f"{number(entry.values[metric.name].value)}</td>"
            for metric in metrics
        )
        + "</tr>"
        for entry in log
    )
    return f'<div class="scroll"><table><tr><th>version</th>{head}</tr>{rows}</table></div>'


def _class(difference: Difference | None) -> str:
    return difference.verdict if difference and difference.is_clear else ""


def _entry(entry: Entry) -> str:
    name = html.escape(entry.version)
    parts = [
        f'<h2 id="{name}">{name} — {html.escape(entry.title)}</h2>',
        f'<p class="soft">Model <code>{html.escape(entry.model)}</code>, {entry.generations} '
        f"generations on {entry.prompts} prompts, identity <code>{entry.identity}</code></p>",
    ]
    if entry.changes:
        changes = "".join(f"<li>{_coded(change.words)}</li>" for change in entry.changes)
        parts.append(f"<p>Changed from {html.escape(str(entry.parent))}:</p><ul>{changes}</ul>")
    if entry.differences:
        parts.append(_differences(entry))
    if entry.pitfalls:
        found = "".join(
            f'<li><b class="worse">{html.escape(pitfall.name)}</b>: {pitfall.found} of '
            f"{pitfall.total} outputs ({html.escape(pitfall.meaning)})</li>"
            for pitfall in entry.pitfalls
        )
        parts.append(f"<p>Pitfalls:</p><ul>{found}</ul>")
    if entry.example:
        parts.append(_example(entry.example))
    for label, notes in (
        ("Learned", entry.learned),
        ("Takeaway", entry.takeaway),
        ("Limitation", entry.limitation),
        ("Notes", entry.notes),
    ):
        if notes:
            listed = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
            parts.append(f"<p>{label}:</p><ul>{listed}</ul>")
    return "".join(parts)


def _coded(words: str) -> str:
    """Words in which backticks mark code, escaped."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(words))


def _differences(entry: Entry) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(item.metric.title)}</td>"
        f'<td class="number">{number(item.before)}</td><td class="number">{number(item.after)}</td>'
        f'<td class="number">{signed(item.estimate)} [{signed(item.low)}, {signed(item.high)}]</td>'
        f'<td>{_whisker(item)}</td><td class="number">{p_value(item.p_adjusted)}</td>'
        f'<td class="{_class(item)}">{item.verdict}{_doubt(item)}</td></tr>'
        for item in entry.differences.values()
    )
    return (
        f'<div class="scroll"><table><tr><th>metric</th><th class="number">{entry.parent}</th>'
        f'<th class="number">{entry.version}</th><th class="number">difference, 95 %</th>'
        f'<th></th><th class="number">p</th><th class="verdict">verdict</th></tr>{rows}'
        "</table></div>"
    )


def _doubt(item: Difference) -> str:
    if not item.is_doubtful:
        return ""
    return f' <span class="soft">(unreliable: {html.escape(item.test.doubt)})</span>'


def _whisker(item: Difference) -> str:
    """The interval as a line around zero, each metric on its own scale."""
    if math.isnan(item.estimate) or math.isnan(item.low):
        return ""
    reach = max(abs(item.low), abs(item.high), abs(item.estimate)) or 1.0
    low, middle, high = (60 + 55 * value / reach for value in (item.low, item.estimate, item.high))
    return (
        f'<svg width="120" height="16" role="img" aria-label="interval" class="{_class(item)}">'
        '<line x1="60" x2="60" y1="1" y2="15" stroke="var(--soft)"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="8" y2="8" stroke="currentColor"/>'
        f'<circle cx="{middle:.1f}" cy="8" r="3" fill="currentColor"/></svg>'
    )


def _example(example: Example) -> str:
    return (
        f"<p>Example ({html.escape(example.why)}; prompt <code>{html.escape(example.prompt_id)}"
        f"</code>, sample {example.sample_index}):</p>"
        f'<p class="soft">{html.escape(example.prompt)}</p>'
        f"<blockquote>{_marked(example) or '(empty)'}</blockquote>"
    )


def _marked(example: Example) -> str:
    """The text with its evidence marked; what a mark shows is its tooltip."""
    pieces = [
        html.escape(piece)
        if span is None
        else f'<mark title="{html.escape(span.label)}">{html.escape(piece)}</mark>'
        for piece, span in marked(example.text, example.spans)
    ]
    # A mark may begin with the blank lines that its text begins with.
    return re.sub(r"^(<mark [^>]*>)\s+", r"\1", "".join(pieces).strip())
