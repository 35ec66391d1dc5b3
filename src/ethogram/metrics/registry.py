"""Registry: every metric by its name. Knows the families; a new metric touches its family only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.metrics.base import CorpusMetric, Metric
from ethogram.metrics.citations import read_index
from ethogram.metrics.diversity import DIVERSITY, DIVERSITY_CORPUS
from ethogram.metrics.factuality import FACTUALITY, with_index
from ethogram.metrics.fluency import FLUENCY
from ethogram.metrics.focus import FOCUS
from ethogram.metrics.human_text import HUMAN_TEXT, read_human_text, with_human_text
from ethogram.metrics.instruction import INSTRUCTION
from ethogram.metrics.loops import LOOPS
from ethogram.metrics.pitfalls import PITFALL_METRICS
from ethogram.metrics.repetition import REPETITION, REPETITION_CORPUS
from ethogram.metrics.structure import STRUCTURE
from ethogram.spec.source import suggest

_METRICS = {
    metric.name: metric
    for family in (
        *(LOOPS, REPETITION, DIVERSITY, FOCUS, STRUCTURE, INSTRUCTION, FACTUALITY, FLUENCY),
        PITFALL_METRICS,
    )
    for metric in family
}
_CORPUS_METRICS = {
    metric.name: metric for metric in (*DIVERSITY_CORPUS, *REPETITION_CORPUS, *HUMAN_TEXT)
}


def all_metrics() -> tuple[Metric, ...]:
    """Every metric that scores one output at a time, family by family."""
    return tuple(_METRICS.values())


def corpus_metrics() -> tuple[CorpusMetric, ...]:
    """Every metric that needs a whole set of outputs; only score tables hold them."""
    return tuple(_CORPUS_METRICS.values())


def get(name: str) -> Metric:
    """The metric of that name.

    Raises:
        SpecError: there is none; names the nearest.
    """
    if name in _METRICS:
        return _METRICS[name]
    if name in _CORPUS_METRICS:
        raise SpecError(
            "this metric is about a whole set of outputs, so it has no value for one prompt",
            where=f"metric {name!r}",
            mend="read it with `ethogram score`",
        )
    raise _unknown(name, list(_METRICS))


def get_any(name: str) -> Metric | CorpusMetric:
    """The metric or corpus metric of that name.

    Raises:
        SpecError: there is none; names the nearest.
    """
    found = _METRICS.get(name) or _CORPUS_METRICS.get(name)
    if found is None:
        raise _unknown(name, [*_METRICS, *_CORPUS_METRICS])
    return found


def chosen_metrics(
    names: Sequence[str], human_text: Path | None = None, index: Path | None = None
) -> list[Metric | CorpusMetric]:
    """The metrics of these names, or all but pitfalls, with the files that some of them read.

    Raises:
        SpecError: a name is unknown, or a file cannot be read.
    """
    chosen = [get_any(name) for name in dict.fromkeys(names)]
    if not chosen:
        # Pitfalls have a table of their own, and rest on what the others measure.
        named = {metric.name for metric in PITFALL_METRICS}
        chosen = [metric for metric in all_metrics() if metric.name not in named]
        chosen += corpus_metrics()
    informed: dict[str, Metric | CorpusMetric] = {}
    if human_text is not None:
        informed |= {m.name: m for m in with_human_text(read_human_text(human_text))}
    if index is not None:
        informed |= {m.name: m for m in with_index(read_index(index))}
    return [informed.get(metric.name, metric) for metric in chosen]


def _unknown(name: str, valid: list[str]) -> SpecError:
    return SpecError("unknown metric", where=f"metric {name!r}", mend=suggest(name, valid))
