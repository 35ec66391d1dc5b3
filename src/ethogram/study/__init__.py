"""The verbs of a study: run, compare, check, sweep, judge, trace, init, import, export.

Names load when first used, so that `show` and `diff` need neither metrics nor the store.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ethogram.study.check import Baseline, CheckResult, Contract, check
    from ethogram.study.compare import Comparison, compare
    from ethogram.study.difference import Difference, difference, differences
    from ethogram.study.files import export, import_outputs, init
    from ethogram.study.judging.judge import judge
    from ethogram.study.judging.pairwise import JudgedPair, PairwiseJudgement
    from ethogram.study.judging.rubric import RubricJudgement, ScoredOutput
    from ethogram.study.record import OnProgress, Progress, VersionProgress
    from ethogram.study.result import RunResult, VersionResult, summarise
    from ethogram.study.run import run
    from ethogram.study.settings import Shown, diff, show
    from ethogram.study.sweeping.promote import promote
    from ethogram.study.sweeping.result import SweepResult
    from ethogram.study.sweeping.sweep import sweep
    from ethogram.study.trace import Traced, trace
    from ethogram.study.workspace import Part, Study

_MODULES = {
    "Baseline": "check",
    "CheckResult": "check",
    "Comparison": "compare",
    "Contract": "check",
    "Difference": "difference",
    "JudgedPair": "judging.pairwise",
    "OnProgress": "record",
    "PairwiseJudgement": "judging.pairwise",
    "Part": "workspace",
    "Progress": "record",
    "RubricJudgement": "judging.rubric",
    "RunResult": "result",
    "ScoredOutput": "judging.rubric",
    "Shown": "settings",
    "Study": "workspace",
    "SweepResult": "sweeping.result",
    "Traced": "trace",
    "VersionProgress": "record",
    "VersionResult": "result",
    "check": "check",
    "compare": "compare",
    "diff": "settings",
    "difference": "difference",
    "differences": "difference",
    "export": "files",
    "import_outputs": "files",
    "init": "files",
    "judge": "judging.judge",
    "promote": "sweeping.promote",
    "run": "run",
    "show": "settings",
    "summarise": "result",
    "sweep": "sweeping.sweep",
    "trace": "trace",
}

__all__ = [
    "Baseline",
    "CheckResult",
    "Comparison",
    "Contract",
    "Difference",
    "JudgedPair",
    "OnProgress",
    "PairwiseJudgement",
    "Part",
    "Progress",
    "RubricJudgement",
    "RunResult",
    "ScoredOutput",
    "Shown",
    "Study",
    "SweepResult",
    "Traced",
    "VersionProgress",
    "VersionResult",
    "check",
    "compare",
    "diff",
    "difference",
    "differences",
    "export",
    "import_outputs",
    "init",
    "judge",
    "promote",
    "run",
    "show",
    "summarise",
    "sweep",
    "trace",
]


class _Package(ModuleType):
    """This package. Importing a submodule such as `run` must not hide the verb of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _MODULES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    setattr(sys.modules[__name__], name, found)
    return found
