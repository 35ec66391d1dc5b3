"""Metrics: from outputs to numbers with evidence. Knows texts and token ids; knows no study."""

from ethogram.metrics.base import (
    Additive,
    BatchMetric,
    CorpusMetric,
    GroupMetric,
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
    all_metrics,
    batch_metrics,
    corpus_metrics,
    get,
    group_metrics,
)
from ethogram.metrics.score import score, score_outputs
from ethogram.metrics.table import Evidence, ScoreRow, ScoreTable

__all__ = [
    "PITFALLS",
    "Additive",
    "BatchMetric",
    "CorpusMetric",
    "Evidence",
    "Finding",
    "GroupMetric",
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
    "all_metrics",
    "batch_metrics",
    "corpus_metrics",
    "find_pitfalls",
    "get",
    "group_metrics",
    "read_outputs",
    "score",
    "score_outputs",
]
