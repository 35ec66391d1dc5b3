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
    "Additive",
    "BatchMetric",
    "CorpusMetric",
    "Evidence",
    "GroupMetric",
    "Metric",
    "Models",
    "NamedModels",
    "Output",
    "Score",
    "ScoreRow",
    "ScoreTable",
    "Span",
    "all_metrics",
    "batch_metrics",
    "corpus_metrics",
    "get",
    "group_metrics",
    "read_outputs",
    "score",
    "score_outputs",
]
