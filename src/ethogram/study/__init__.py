"""The verbs of a study: run, compare, check, sweep, judge, trace, init, import, export.

Names load when first used, so that `show` and `diff` need neither metrics nor the store.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ethogram.study.ablate import Ablation, ablate
    from ethogram.study.aims import Aims
    from ethogram.study.branches import (
        branch_as_version,
        branch_pair,
        branches,
        restore_branch,
        undo_branch,
    )
    from ethogram.study.branching import Branched, branch, branch_again
    from ethogram.study.by_tag import TagComparison, compare_by_tag
    from ethogram.study.check import Baseline, CheckResult, Contract, check
    from ethogram.study.compare import Comparison, SideBySide
    from ethogram.study.difference import Difference, difference, differences
    from ethogram.study.exporting import export
    from ethogram.study.from_files import are_files, check_files, compare, study_of_files
    from ethogram.study.generate import generate
    from ethogram.study.importing import import_each, import_outputs, import_suite
    from ethogram.study.init import init
    from ethogram.study.judging.judge import judge
    from ethogram.study.judging.pairwise import JudgedPair, PairwiseJudgement
    from ethogram.study.judging.rubric import RubricJudgement, ScoredOutput
    from ethogram.study.plan import Plan, Prices, plan
    from ethogram.study.reading import Outputs, ReadOutput, outputs
    from ethogram.study.record import OnProgress, Progress, VersionProgress
    from ethogram.study.result import RunResult, VersionResult, summarise
    from ethogram.study.run import run
    from ethogram.study.settings import Shown, diff, show
    from ethogram.study.sweeping.promote import promote
    from ethogram.study.sweeping.result import SweepResult
    from ethogram.study.sweeping.sweep import sweep
    from ethogram.study.token_choice import Microscope, TokenChoice, token_choice
    from ethogram.study.trace import Traced, trace
    from ethogram.study.versions import VersionStatus, new_version, versions
    from ethogram.study.workspace import Part, Study

_MODULES = {
    "Ablation": "ablate",
    "Aims": "aims",
    "Baseline": "check",
    "Branched": "branching",
    "CheckResult": "check",
    "Comparison": "compare",
    "Contract": "check",
    "Difference": "difference",
    "JudgedPair": "judging.pairwise",
    "Microscope": "token_choice",
    "OnProgress": "record",
    "Outputs": "reading",
    "PairwiseJudgement": "judging.pairwise",
    "Part": "workspace",
    "Plan": "plan",
    "Prices": "plan",
    "Progress": "record",
    "ReadOutput": "reading",
    "RubricJudgement": "judging.rubric",
    "RunResult": "result",
    "ScoredOutput": "judging.rubric",
    "Shown": "settings",
    "SideBySide": "compare",
    "Study": "workspace",
    "SweepResult": "sweeping.result",
    "TagComparison": "by_tag",
    "TokenChoice": "token_choice",
    "Traced": "trace",
    "VersionProgress": "record",
    "VersionResult": "result",
    "VersionStatus": "versions",
    "ablate": "ablate",
    "are_files": "from_files",
    "branch": "branching",
    "branch_again": "branching",
    "branch_as_version": "branches",
    "branch_pair": "branches",
    "branches": "branches",
    "check": "check",
    "check_files": "from_files",
    "compare": "from_files",
    "compare_by_tag": "by_tag",
    "diff": "settings",
    "difference": "difference",
    "differences": "difference",
    "export": "exporting",
    "generate": "generate",
    "import_each": "importing",
    "import_outputs": "importing",
    "import_suite": "importing",
    "init": "init",
    "judge": "judging.judge",
    "new_version": "versions",
    "outputs": "reading",
    "plan": "plan",
    "promote": "sweeping.promote",
    "restore_branch": "branches",
    "run": "run",
    "show": "settings",
    "study_of_files": "from_files",
    "summarise": "result",
    "sweep": "sweeping.sweep",
    "token_choice": "token_choice",
    "trace": "trace",
    "undo_branch": "branches",
    "versions": "versions",
}

__all__ = [
    "Ablation",
    "Aims",
    "Baseline",
    "Branched",
    "CheckResult",
    "Comparison",
    "Contract",
    "Difference",
    "JudgedPair",
    "Microscope",
    "OnProgress",
    "Outputs",
    "PairwiseJudgement",
    "Part",
    "Plan",
    "Prices",
    "Progress",
    "ReadOutput",
    "RubricJudgement",
    "RunResult",
    "ScoredOutput",
    "Shown",
    "SideBySide",
    "Study",
    "SweepResult",
    "TagComparison",
    "TokenChoice",
    "Traced",
    "VersionProgress",
    "VersionResult",
    "VersionStatus",
    "ablate",
    "are_files",
    "branch",
    "branch_again",
    "branch_as_version",
    "branch_pair",
    "branches",
    "check",
    "check_files",
    "compare",
    "compare_by_tag",
    "diff",
    "difference",
    "differences",
    "export",
    "generate",
    "import_each",
    "import_outputs",
    "import_suite",
    "init",
    "judge",
    "new_version",
    "outputs",
    "plan",
    "promote",
    "restore_branch",
    "run",
    "show",
    "study_of_files",
    "summarise",
    "sweep",
    "token_choice",
    "trace",
    "undo_branch",
    "versions",
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
