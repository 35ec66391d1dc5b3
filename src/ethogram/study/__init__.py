"""The verbs: run, compare, init, import, export; joins the rooms above it."""

from ethogram.study.check import Baseline, CheckResult, Contract, check
from ethogram.study.compare import Comparison, compare
from ethogram.study.difference import Difference, difference, differences
from ethogram.study.files import export, import_outputs, init
from ethogram.study.judge import judge
from ethogram.study.judgement import JudgedPair, PairwiseJudgement, RubricJudgement, ScoredOutput
from ethogram.study.look import Shown, diff, show
from ethogram.study.record import OnProgress, Progress, VersionProgress
from ethogram.study.result import RunResult, VersionResult, summarise
from ethogram.study.run import run
from ethogram.study.trace import Traced, trace
from ethogram.study.workspace import Study

__all__ = [
    "Baseline",
    "CheckResult",
    "Comparison",
    "Contract",
    "Difference",
    "JudgedPair",
    "OnProgress",
    "PairwiseJudgement",
    "Progress",
    "RubricJudgement",
    "RunResult",
    "ScoredOutput",
    "Shown",
    "Study",
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
    "run",
    "show",
    "summarise",
    "trace",
]
