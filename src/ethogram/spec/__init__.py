"""What a user writes: study, version, decoding, prompt, suite; parsing, inheritance, identity."""

from ethogram.spec.decoding import Decoding
from ethogram.spec.diff import Change, Diff, diff_versions
from ethogram.spec.generation import FinishReason, Generation, Message, Request, Trace
from ethogram.spec.prompt import Example, Prompt
from ethogram.spec.requests import make_requests
from ethogram.spec.scoring import ScoringModels
from ethogram.spec.selection import Selection
from ethogram.spec.steps import ORDER_PRESETS
from ethogram.spec.study import StudySpec, load_study
from ethogram.spec.suite import Constraint, Suite, SuitePrompt, load_suite
from ethogram.spec.version import StudyFile, Version

__all__ = [
    "ORDER_PRESETS",
    "Change",
    "Constraint",
    "Decoding",
    "Diff",
    "Example",
    "FinishReason",
    "Generation",
    "Message",
    "Prompt",
    "Request",
    "ScoringModels",
    "Selection",
    "StudyFile",
    "StudySpec",
    "Suite",
    "SuitePrompt",
    "Trace",
    "Version",
    "diff_versions",
    "load_study",
    "load_suite",
    "make_requests",
]
