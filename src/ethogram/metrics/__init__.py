"""Metrics: from outputs to numbers with evidence. Knows texts and token ids; knows no study."""

from ethogram.metrics.base import CorpusMetric, Metric, Output, Score, Span
from ethogram.metrics.pitfall_rules import Finding
from ethogram.metrics.pitfall_table import PitfallRow, PitfallTable, find_pitfalls
from ethogram.metrics.pitfalls import PITFALLS, Pitfall
from ethogram.metrics.reading import read_outputs
from ethogram.metrics.registry import all_metrics, corpus_metrics, get
from ethogram.metrics.score import Evidence, ScoreRow, ScoreTable, score, score_outputs

__all__ = [
    "PITFALLS",
    "CorpusMetric",
    "Evidence",
    "Finding",
    "Metric",
    "Output",
    "Pitfall",
    "PitfallRow",
    "PitfallTable",
    "Score",
    "ScoreRow",
    "ScoreTable",
    "Span",
    "all_metrics",
    "corpus_metrics",
    "find_pitfalls",
    "get",
    "read_outputs",
    "score",
    "score_outputs",
]
