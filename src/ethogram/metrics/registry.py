"""Registry: every metric by its name. Knows the families; a new metric touches its family only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.metrics.base import (
    Additive,
    BatchMetric,
    CorpusMetric,
    Described,
    GroupMetric,
    Metric,
)
from ethogram.metrics.choices import MULTIPLE_CHOICE
from ethogram.metrics.citations import read_index
from ethogram.metrics.coherence import COHERENCE
from ethogram.metrics.consistency import CONSISTENCY
from ethogram.metrics.distribution import MAUVE
from ethogram.metrics.diversity import DIVERSITY, DIVERSITY_CORPUS, DIVERSITY_SAMPLES
from ethogram.metrics.factuality import FACTUALITY, with_index
from ethogram.metrics.fluency import FLUENCY
from ethogram.metrics.focus import FOCUS
from ethogram.metrics.human_text import HUMAN_TEXT, read_human_text, with_human_text
from ethogram.metrics.instruction import INSTRUCTION
from ethogram.metrics.likelihood import LIKELIHOOD, SELF_REINFORCEMENT
from ethogram.metrics.loops import LOOPS
from ethogram.metrics.pitfalls.off_topic import OFF_TOPIC
from ethogram.metrics.pitfalls.registry import PITFALL_METRICS
from ethogram.metrics.repetition import REPETITION, REPETITION_CORPUS
from ethogram.metrics.samples import SAMPLES
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
#: Metrics that read a model, or all samples of a prompt; they run when they are named.
_NAMED_METRICS: dict[str, BatchMetric | GroupMetric] = {
    metric.name: metric
    for family in (COHERENCE, OFF_TOPIC, LIKELIHOOD, SAMPLES, DIVERSITY_SAMPLES, CONSISTENCY)
    for metric in family
}
_CORPUS_METRICS = {
    metric.name: metric for metric in (*DIVERSITY_CORPUS, *REPETITION_CORPUS, *HUMAN_TEXT)
}

#: Measures of a model or of two sets of texts: functions, not columns of a table.
MEASURES: tuple[Described, ...] = (MAUVE, MULTIPLE_CHOICE, SELF_REINFORCEMENT)


def all_metrics() -> tuple[Metric, ...]:
    """Every metric that scores one output at a time, family by family."""
    return tuple(_METRICS.values())


def corpus_metrics() -> tuple[CorpusMetric, ...]:
    """Every metric that needs a whole set of outputs; only score tables hold them."""
    return tuple(_CORPUS_METRICS.values())


def batch_metrics() -> tuple[BatchMetric, ...]:
    """Every metric that scores outputs with a model; they run only when named."""
    return tuple(m for m in _NAMED_METRICS.values() if isinstance(m, BatchMetric))


def group_metrics() -> tuple[GroupMetric, ...]:
    """Every metric of all samples of a prompt; they run only when named."""
    return tuple(m for m in _NAMED_METRICS.values() if isinstance(m, GroupMetric))


def get(name: str) -> Additive:
    """The metric of that name, of those that have a value for one prompt.

    Raises:
        SpecError: there is none; names the nearest.
    """
    found = _METRICS.get(name) or _NAMED_METRICS.get(name)
    if found is not None:
        return found
    if name in _CORPUS_METRICS:
        raise SpecError(
            "this metric is about a whole set of outputs, so it has no value for one prompt",
            where=f"metric {name!r}",
            hint="read it with `ethogram score`",
        )
    raise _unknown(name, [*_METRICS, *_NAMED_METRICS])


def get_any(name: str) -> Additive | CorpusMetric:
    """The metric of that name, of whatever kind.

    Raises:
        SpecError: there is none; names the nearest.
    """
    found = _METRICS.get(name) or _NAMED_METRICS.get(name) or _CORPUS_METRICS.get(name)
    if found is None:
        raise _unknown(name, [*_METRICS, *_NAMED_METRICS, *_CORPUS_METRICS])
    return found


def chosen_metrics(
    names: Sequence[str], human_text: Path | None = None, index: Path | None = None
) -> list[Additive | CorpusMetric]:
    """The metrics of these names, with the files that some of them read.

    Without names, all that need neither a model nor several samples of a prompt, but no pitfalls.

    Raises:
        SpecError: a name is unknown, or a file cannot be read.
    """
    chosen = [get_any(name) for name in dict.fromkeys(names)]
    if not chosen:
        # Pitfalls have a table of their own, and rest on what the others measure.
        named = {metric.name for metric in PITFALL_METRICS}
        chosen = [metric for metric in all_metrics() if metric.name not in named]
        chosen += corpus_metrics()
    informed: dict[str, Additive | CorpusMetric] = {}
    if human_text is not None:
        informed |= {m.name: m for m in with_human_text(read_human_text(human_text))}
    if index is not None:
        informed |= {m.name: m for m in with_index(read_index(index))}
    return [informed.get(metric.name, metric) for metric in chosen]


def refuse_silent(names: Sequence[str], human_text: Path | None, index: Path | None) -> None:
    """Metrics that were named without the file that they read would say nothing.

    Raises:
        SpecError: names the metric and the option that gives it the file.
    """
    for name in names:
        if human_text is None and name in {metric.name for metric in HUMAN_TEXT}:
            what, option = "human text to compare with", "--human-text FILE"
        elif index is None and name == "listed_references":
            what, option = "an index of known references", "--index FILE"
        else:
            continue
        raise SpecError(f"needs {what}", where=f"metric {name!r}", hint=f"give it by {option}")


def _unknown(name: str, valid: list[str]) -> SpecError:
    return SpecError("unknown metric", where=f"metric {name!r}", hint=suggest(name, valid))
