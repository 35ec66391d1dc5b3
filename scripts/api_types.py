"""Writes the page's OpenAPI document to standard output, from which web/src/api.d.ts is made."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ethogram.ui.app import make_api
from ethogram.ui.context import Context


def document() -> str:
    """The OpenAPI document as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "study.yaml").write_text("name: empty\n", encoding="utf-8")
        return json.dumps(make_api(Context(Path(folder))).openapi(), indent=1)


if __name__ == "__main__":
    print(document())
