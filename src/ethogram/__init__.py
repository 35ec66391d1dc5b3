"""Ethogram: a workbench for designing language-model behaviour.

    import ethogram as eg
    study = eg.Study("my-study")
    eg.run(study)
    eg.compare(study, "v0.0.1", "v0.1.0")

Names load when first used, so that importing stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ethogram.metrics import read_outputs, score_outputs
    from ethogram.models import ModelReference, load, pull
    from ethogram.report import verify_progress, write_html, write_progress
    from ethogram.spec import diff_versions
    from ethogram.study import Study, compare, export, import_outputs, init, run

_ROOMS = {
    "ModelReference": "models",
    "Study": "study",
    "compare": "study",
    "diff_versions": "spec",
    "export": "study",
    "import_outputs": "study",
    "init": "study",
    "load": "models",
    "pull": "models",
    "read_outputs": "metrics",
    "run": "study",
    "score_outputs": "metrics",
    "verify_progress": "report",
    "write_html": "report",
    "write_progress": "report",
}

__all__ = [
    "ModelReference",
    "Study",
    "__version__",
    "compare",
    "diff_versions",
    "export",
    "import_outputs",
    "init",
    "load",
    "pull",
    "read_outputs",
    "run",
    "score_outputs",
    "verify_progress",
    "write_html",
    "write_progress",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its room on first use (PEP 562)."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'ethogram' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ethogram.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
