"""Report: the page of a study as one file that works offline, from the page's own components.

The file holds the built page, its style sheet, and the answers that the server would give as JSON.
Scripts and styles are allowed by their digests only; nothing is loaded.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.study.matrix import Filters, Matrix
from ethogram.study.stale import has_results
from ethogram.study.workspace import Study
from ethogram.ui.app import STATIC
from ethogram.ui.comparison import cell_detail, matrix_info
from ethogram.ui.views.log import entry_of, log_view

#: Bytes of the whole file, and characters of an output and rows of a comparison that are tried in
#: turn until it fits. None is all.
MOST_BYTES = 5_000_000
_TRIED: tuple[tuple[int | None, int | None], ...] = (
    (None, None),
    (4000, None),
    (1000, None),
    (400, None),
    (400, 200),
    (400, 50),
    (200, 10),
)
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src {styles}; img-src data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def write_report(study: Study, path: Path) -> str:
    """Write the report of a study.

    Args:
        study: opened.
        path: of the file.

    Returns:
        What was left out so that the file stays small; empty if nothing was.

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
    for characters, rows in _TRIED:
        data = report_data(study, characters=characters, rows=rows)
        text = render_report(study, data)
        if len(text.encode()) <= MOST_BYTES:
            break
    write_whole(path, [text])
    return str(data["left_out"])


def report_data(
    study: Study, *, characters: int | None = None, rows: int | None = None
) -> dict[str, Any]:
    """The answers that the page asks for, by route.

    Args:
        study: opened.
        characters: of each output; None for all.
        rows: of each comparison, largest differences first; None for all.
    """
    ready = [name for name in study.versions if has_results(study, name)]
    pairs = [(study.versions[name].parent, name) for name in ready]
    comparisons, cells = {}, {}
    for before, after in pairs:
        names = [name for name in (before, after) if name in ready]
        matrix = Matrix(study, [name for name in names if name])
        ids = matrix.rows(Filters())[:rows]
        comparisons[" ".join(matrix.versions)] = _json(
            matrix_info(study, matrix, ids, "", 0, len(ids))
        )
        cells[after] = dict(_cells(study, after, ids, characters))
    return {
        "log": _json(log_view(study)),
        "entries": {name: _json(entry_of(study, name)) for name in study.versions},
        "comparisons": comparisons,
        "cells": cells,
        "left_out": _left_out(characters, rows),
    }


def _cells(
    study: Study, version: str, ids: list[str], characters: int | None
) -> Iterator[tuple[str, Any]]:
    matrix = Matrix(study, [version])
    for prompt in ids:
        if prompt in matrix.prompts:
            yield prompt, _json(cell_detail(study, matrix, prompt, most=characters))


def _json(answer: Any) -> Any:
    return answer.model_dump(mode="json")


def _left_out(characters: int | None, rows: int | None) -> str:
    parts = [f"of each output, all but the first {characters} characters"] if characters else []
    parts += [f"all but the {rows} prompts that changed most"] if rows else []
    return f"Left out to keep the file small: {'; '.join(parts)}." if parts else ""


def render_report(study: Study, data: dict[str, Any]) -> str:
    """The file: page, style sheet and data, with a policy that allows exactly these."""
    title = study.spec.settings.title or study.spec.settings.name
    # In a script element only "</script" and "<!--" mean anything; neither can occur now.
    packed = json.dumps(data, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    scripts = [
        f"globalThis.ethogramReport = {packed};",
        *(
            _inline((STATIC / name).read_text(encoding="utf-8"))
            for name in ("vendor/ui.js", "app.js")
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
