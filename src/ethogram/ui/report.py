"""Report: the page of a study as one file that works offline, from the page's own components.

The file holds the built page, its style sheet, and the answers that the server would give as JSON.
Scripts and styles are allowed by their digests only; nothing is loaded.
"""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.study.calling import takes_study
from ethogram.study.stale import has_results
from ethogram.study.workspace import Study
from ethogram.ui import STATIC
from ethogram.ui.packed import compressed
from ethogram.ui.report_data import Source
from ethogram.ui.report_limits import TRIED

REPORT_FILE = "report.html"
#: Bytes of the whole file.
MOST_BYTES = 5_000_000
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src {styles}; img-src data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
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
    for limits in TRIED:
        data = source.data(limits)
        text = render_report(study, data)
        size = len(text.encode())
        if size <= MOST_BYTES:
            break
    write_whole(path, [text])
    return Written(path, size, data["left_out"])


def render_report(study: Study, data: dict[str, Any]) -> str:
    """The file: page, style sheet and data, with a policy that allows exactly these."""
    title = study.spec.settings.title or study.spec.settings.name
    # The packed data are letters and digits, so nothing in them can end the script.
    charts = ["vendor/vega.js"] if data["charted"] else []
    scripts = [
        f"globalThis.ethogramReport = '{compressed(data)}';",
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
