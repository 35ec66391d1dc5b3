"""Report: the page of a study as one file that works offline, from the page's own components.

The file holds the built page, its style sheet, and the answers that the server would give as JSON.
Scripts and styles are allowed by their digests only; nothing is loaded.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.report.charts import comparison_chart
from ethogram.report.findings import find
from ethogram.stages import stage
from ethogram.study.calling import takes_study
from ethogram.study.matrix import Filters, Matrix
from ethogram.study.stale import has_results
from ethogram.study.workspace import Study
from ethogram.ui import STATIC
from ethogram.ui.comparison import cell_detail, matrix_info
from ethogram.ui.comparison_models import chart_info
from ethogram.ui.entries import entry_of, log_view
from ethogram.ui.findings import findings_info
from ethogram.ui.models import Answer

REPORT_FILE = "report.html"
#: Bytes of the whole file.
MOST_BYTES = 5_000_000
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src {styles}; img-src data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@dataclass(frozen=True)
class Limits:
    """What a report holds at most; None is all.

    Attributes:
        characters: of each output.
        rows: of each comparison, largest differences first.
        charts: whether it has charts, which need a library of 0.8 MB.
    """

    characters: int | None = None
    rows: int | None = None
    charts: bool = True

    def __str__(self) -> str:
        parts = [f"of each output, all but the first {self.characters} characters"]
        parts = parts if self.characters else []
        parts += [f"all but the {self.rows} prompts that changed most"] if self.rows else []
        parts += [] if self.charts else ["the charts"]
        return f"Left out to keep the file small: {'; '.join(parts)}." if parts else ""


#: Tried in turn until the file is small enough.
_TRIED = (
    Limits(),
    Limits(4000),
    Limits(1000),
    Limits(400),
    Limits(400, 200),
    Limits(400, 200, charts=False),
    Limits(400, 50, charts=False),
    Limits(200, 10, charts=False),
)


@dataclass(frozen=True)
class Written:
    """A report that was written.

    Attributes:
        path: of the file.
        size: in bytes.
        left_out: what is not in it, so that it stays small; empty if nothing.
    """

    path: Path
    size: int
    left_out: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"path": str(self.path), "bytes": self.size, "left_out": self.left_out}

    def to_text(self) -> str:
        """Words."""
        wrote = f"Wrote {self.path} ({self.size / 1e6:.1f} MB). Open it in a browser."
        return f"{wrote}\n{self.left_out}" if self.left_out else wrote


@takes_study
def write_report(study: Study, path: str | Path | None = None) -> Written:
    """Write the report of a study.

    Args:
        study: opened, or its folder.
        path: of the file; None for report.html in the study.

    Raises:
        SpecError: no version has stored outputs.
        WriteError: the file cannot be written.
    """
    if not any(has_results(study, name) for name in study.versions):
        raise SpecError(
            "no version has stored outputs, so there is nothing to report",
            where=str(study.folder),
            hint="generate outputs with `ethogram run`",
        )
    path = Path(path) if path else study.folder / REPORT_FILE
    source = Source(study)
    for limits in _TRIED:
        data = source.data(limits)
        text = render_report(study, data)
        size = len(text.encode())
        if size <= MOST_BYTES:
            break
    write_whole(path, [text])
    return Written(path, size, data["left_out"])


class Source:
    """What a report is made of, derived from the store once for all limits that are tried."""

    def __init__(self, study: Study) -> None:
        self._study = study
        ready = [name for name in study.versions if has_results(study, name)]
        self._alone = {name: Matrix(study, [name]) for name in ready}
        parents = {name: study.versions[name].parent for name in ready}
        self._matrices = [
            Matrix(study, [parent, name]) if parent in ready and parent else self._alone[name]
            for name, parent in parents.items()
        ]
        stage("Writing the report")
        self._charts = {
            _name(matrix): _json(chart_info(comparison_chart(matrix, "")))
            for matrix in self._matrices
            if len(matrix.versions) == 2
        }
        self._log = _json(log_view(study))
        self._findings = _json(findings_info(find(study)))
        self._entries = {name: _json(entry_of(study, name)) for name in study.versions}

    def data(self, limits: Limits) -> dict[str, Any]:
        """The answers that the page asks for, by route."""
        comparisons, prompts = {}, {name: dict[str, None]() for name in self._alone}
        for matrix in self._matrices:
            ids = matrix.rows(Filters())[: limits.rows]
            comparisons[_name(matrix)] = _json(
                matrix_info(self._study, matrix, ids, "", 0, len(ids), test=True)
            )
            for name in matrix.versions:
                prompts[name] |= dict.fromkeys(ids)
        return {
            "log": self._log,
            "findings": self._findings,
            "entries": self._entries,
            "comparisons": comparisons,
            "charts": self._charts if limits.charts else {},
            "cells": {name: dict(self._cells(name, ids, limits)) for name, ids in prompts.items()},
            "left_out": str(limits),
        }

    def _cells(self, version: str, ids: Iterable[str], limits: Limits) -> Iterator[tuple[str, Any]]:
        matrix = self._alone[version]
        for prompt in ids:
            if prompt in matrix.prompts:
                detail = cell_detail(self._study, matrix, prompt, most=limits.characters)
                yield prompt, _json(detail)


def _name(matrix: Matrix) -> str:
    return " ".join(matrix.versions)


def _json(answer: Answer) -> Any:
    return answer.model_dump(mode="json")


def render_report(study: Study, data: dict[str, Any]) -> str:
    """The file: page, style sheet and data, with a policy that allows exactly these."""
    title = study.spec.settings.title or study.spec.settings.name
    # In a script element only "</script" and "<!--" mean anything; neither can occur now.
    packed = json.dumps(data, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    charts = ["vendor/vega.js"] if data["charts"] else []
    scripts = [
        f"globalThis.ethogramReport = {packed};",
        *(
            _inline((STATIC / name).read_text(encoding="utf-8"))
            for name in (*charts, "vendor/ui.js", "app.js")
        ),
    ]
    style = (STATIC / "app.css").read_text(encoding="utf-8")
    policy = _POLICY.format(scripts=" ".join(map(_digest, scripts)), styles=_digest(style))
    blocks = "\n".join(f"<script>{script}</script>" for script in scripts)
    return (
        '<!doctype html>\n<html lang="en" data-theme="auto">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n"
        '<link rel="icon" href="data:,">\n'
        f'<style id="react-aria-pressable-style">{style}</style>\n</head>\n<body>\n'
        f'<div id="root"></div>\n{blocks}\n</body>\n</html>\n'
    )


def _inline(script: str) -> str:
    """A script as it can stand in a document: no end tag inside its strings."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
