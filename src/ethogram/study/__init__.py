"""The verbs: run, compare, init, import, export; joins the rooms above it."""

from ethogram.study.check import Baseline, CheckResult, Contract, check
from ethogram.study.compare import Comparison
from ethogram.study.difference import Difference, difference, differences
from ethogram.study.exporting import export
from ethogram.study.files import init
from ethogram.study.from_files import are_files, check_files, compare, study_of_files
from ethogram.study.importing import import_each, import_outputs, import_suite
from ethogram.study.judging.judge import judge
from ethogram.study.judging.pairwise import (
    JudgedPair,
    PairwiseJudgement,
    RubricJudgement,
    ScoredOutput,
)
from ethogram.study.record import OnProgress, Progress, VersionProgress
from ethogram.study.result import RunResult, VersionResult, summarise
from ethogram.study.run import run
from ethogram.study.settings import Shown, diff, show
from ethogram.study.sweeping.landscape import Landscape
from ethogram.study.sweeping.promote import promote
from ethogram.study.sweeping.sweep import sweep
from ethogram.study.trace import Traced, trace
from ethogram.study.workspace import Part, Study

__all__ = [
    "Baseline",
    "CheckResult",
    "Comparison",
    "Contract",
    "Difference",
    "JudgedPair",
    "Landscape",
    "OnProgress",
    "PairwiseJudgement",
    "Part",
    "Progress",
    "RubricJudgement",
    "RunResult",
    "ScoredOutput",
    "Shown",
    "Study",
    "Traced",
    "VersionProgress",
    "VersionResult",
    "are_files",
    "check",
    "check_files",
    "compare",
    "diff",
    "difference",
    "differences",
    "export",
    "import_each",
    "import_outputs",
    "import_suite",
    "init",
    "judge",
    "promote",
    "run",
    "show",
    "study_of_files",
    "summarise",
    "sweep",
    "trace",
]
