"""What is done with a study: run, compare, read, check, sweep, judge, trace, import, export."""

from ethogram.study.by_tag import TagComparison, compare_by_tag
from ethogram.study.check import Baseline, CheckResult, Contract, check
from ethogram.study.compare import Comparison, SideBySide, compare
from ethogram.study.difference import Difference, difference, differences
from ethogram.study.files import export, import_outputs
from ethogram.study.generate import generate
from ethogram.study.init import init
from ethogram.study.judging.judge import judge
from ethogram.study.judging.pairwise import (
    JudgedPair,
    PairwiseJudgement,
    RubricJudgement,
    ScoredOutput,
)
from ethogram.study.reading import Outputs, ReadOutput, outputs
from ethogram.study.record import OnProgress, Progress, VersionProgress
from ethogram.study.result import RunResult, VersionResult, summarise
from ethogram.study.run import run
from ethogram.study.settings import Shown, diff, show
from ethogram.study.sweeping.landscape import Landscape
from ethogram.study.sweeping.promote import promote
from ethogram.study.sweeping.sweep import sweep
from ethogram.study.trace import Traced, trace
from ethogram.study.versions import VersionStatus, new_version, versions
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
    "Outputs",
    "PairwiseJudgement",
    "Part",
    "Progress",
    "ReadOutput",
    "RubricJudgement",
    "RunResult",
    "ScoredOutput",
    "Shown",
    "SideBySide",
    "Study",
    "TagComparison",
    "Traced",
    "VersionProgress",
    "VersionResult",
    "VersionStatus",
    "check",
    "compare",
    "compare_by_tag",
    "diff",
    "difference",
    "differences",
    "export",
    "generate",
    "import_outputs",
    "init",
    "judge",
    "new_version",
    "outputs",
    "promote",
    "run",
    "show",
    "summarise",
    "sweep",
    "trace",
    "versions",
]
