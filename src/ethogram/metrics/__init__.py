"""Metrics: from outputs to numbers with evidence."""

from ethogram.metrics.base import (
    Metric,
    Output,
    Score,
    Span,
)
from ethogram.metrics.models import Models, NamedModels
from ethogram.metrics.pitfalls.registry import PITFALLS, Pitfall
from ethogram.metrics.pitfalls.rules import Finding
from ethogram.metrics.pitfalls.table import PitfallRow, PitfallTable, find_pitfalls
from ethogram.metrics.reading import read_outputs
from ethogram.metrics.registry import (
    DEFAULT_METRICS,
    all_metrics,
    get,
    metrics_of,
    named_metrics,
)
from ethogram.metrics.score import score, score_outputs
from ethogram.metrics.table import Evidence, ScoreRow, ScoreTable
from ethogram.metrics.units import Unit

__all__ = [
    "DEFAULT_METRICS",
    "PITFALLS",
    "Evidence",
    "Finding",
    "Metric",
    "Models",
    "NamedModels",
    "Output",
    "Pitfall",
    "PitfallRow",
    "PitfallTable",
    "Score",
    "ScoreRow",
    "ScoreTable",
    "Span",
    "Unit",
    "all_metrics",
    "find_pitfalls",
    "get",
    "metrics_of",
    "named_metrics",
    "read_outputs",
    "score",
    "score_outputs",
]
