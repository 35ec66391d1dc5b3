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
    from ethogram.backends import Endpoint
    from ethogram.metrics import read_outputs, score, score_outputs
    from ethogram.models import ModelReference, available, load, pull
    from ethogram.replications import replicate
    from ethogram.report import log, verify
    from ethogram.study import (
        Study,
        check,
        check_files,
        compare,
        diff,
        export,
        import_outputs,
        import_suite,
        init,
        judge,
        promote,
        run,
        show,
        sweep,
        trace,
    )

_ROOMS = {
    "Endpoint": "backends",
    "ModelReference": "models",
    "Study": "study",
    "available": "models",
    "check": "study",
    "check_files": "study",
    "compare": "study",
    "diff": "study",
    "export": "study",
    "import_outputs": "study",
    "import_suite": "study",
    "init": "study",
    "judge": "study",
    "load": "models",
    "log": "report",
    "promote": "study",
    "pull": "models",
    "read_outputs": "metrics",
    "replicate": "replications",
    "run": "study",
    "score": "metrics",
    "score_outputs": "metrics",
    "show": "study",
    "sweep": "study",
    "trace": "study",
    "verify": "report",
}

__all__ = [
    "Endpoint",
    "ModelReference",
    "Study",
    "__version__",
    "available",
    "check",
    "check_files",
    "compare",
    "diff",
    "export",
    "import_outputs",
    "import_suite",
    "init",
    "judge",
    "load",
    "log",
    "promote",
    "pull",
    "read_outputs",
    "replicate",
    "run",
    "score",
    "score_outputs",
    "show",
    "sweep",
    "trace",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its room on first use (PEP 562)."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'ethogram' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ethogram.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
