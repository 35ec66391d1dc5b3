"""Registry: every metric by its name. A new metric touches its family only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from ethogram.errors import SpecError
from ethogram.metrics import (
    choices,
    coherence,
    consistency,
    distribution,
    diversity,
    factuality,
    fluency,
    focus,
    human_text,
    instruction,
    likelihood,
    loops,
    repetition,
    samples,
    structure,
)
from ethogram.metrics.base import Metric, Scope, declared
from ethogram.metrics.citations import read_index
from ethogram.metrics.pitfalls import off_topic, rules
from ethogram.metrics.pitfalls import registry as pitfalls
from ethogram.spec.source import suggest

#: The modules that declare metrics, in the order of tables and documentation.
FAMILIES = {
    module.__name__.removeprefix("ethogram.metrics."): title
    for module, title in (
        (rules, "Loops, as a reader sees them"),
        (loops, "Loops, unit by unit"),
        (repetition, "Repetition"),
        (diversity, "Diversity"),
        (focus, "Length and focus"),
        (structure, "Structure"),
        (instruction, "Instructions"),
        (factuality, "Right answers and references"),
        (fluency, "Fluency"),
        (pitfalls, "Pitfalls"),
        (off_topic, "Pitfall by a sentence encoder"),
        (coherence, "Coherence"),
        (likelihood, "Likelihood under a reference model"),
        (samples, "Differences between samples"),
        (consistency, "Agreement between samples"),
        (human_text, "Distance to human text"),
        (distribution, "Distribution of texts"),
        (choices, "Multiple choice"),
    )
}
_PITFALL_FAMILIES = ("pitfalls.registry", "pitfalls.off_topic")
_METRICS = {
    name: metric
    for family in FAMILIES
    for name, metric in declared.items()
    if metric.family == family
}
#: What `run` and `score` show where nothing is named; in a run, right answers only for a suite that
#: has some.
DEFAULT_METRICS = (
    "empty_rate",
    "loop_rate",
    "rep_4",
    "diversity",
    "distinct_2",
    "words",
    "stop_rate",
    "contains_reference",
    "self_perplexity",
)
#: Metrics of 0.1 that are gone, and what to use instead.
_REMOVED = {
    "prompt_echo": "pitfall_echo",
    "turn_leakage": "pitfall_turn_leakage",
    "truncation": "pitfall_truncation, or stop_rate",
    "pitfall_ramble": "post_answer_words or words",
    "block_compression_ratio": "compression_ratio",
    "zipf_coefficient_mauve": "zipf_coefficient",
    **{f"corpus_hapax_{n}": f"corpus_distinct_{n}" for n in (1, 2, 3)},
    **{
        f"{kind}_history_{size}": "rep_4 or seq_rep_4"
        for kind in ("rep", "wrep")
        for size in (16, 32, 128, 512)
    },
    **{
        f"human_{kind}_baseline": f"human_{kind} on the other half of the human text"
        for kind in ("words", "word_lengths", "sentence_lengths", "function_words")
    },
}


def metrics_of(scope: Scope) -> tuple[Metric, ...]:
    """Every metric of a scope, family by family."""
    return tuple(metric for metric in _METRICS.values() if metric.scope == scope)


def all_metrics() -> tuple[Metric, ...]:
    """Every metric that scores one output at a time and needs no model, family by family."""
    return tuple(metric for metric in _METRICS.values() if metric.reads_one_output)


def named_metrics() -> tuple[Metric, ...]:
    """Every metric that runs only when it is named: it reads a model or all samples of a prompt."""
    return tuple(
        metric
        for metric in _METRICS.values()
        if metric.scope in ("output", "prompt") and not metric.reads_one_output
    )


def get(name: str) -> Metric:
    """The metric of that name, of those that have a value for one prompt.

    Raises:
        SpecError: there is none; names the nearest.
    """
    metric = get_any(name)
    if metric.scope == "corpus":
        raise SpecError(
            "this metric measures a whole set of outputs and has no value for one prompt",
            where=f"metric {name!r}",
            hint="read it with `ethogram score`",
        )
    return metric


def get_any(name: str) -> Metric:
    """The metric of that name, of whatever scope but `model`.

    Raises:
        SpecError: there is none; names the nearest.
    """
    metric = _METRICS.get(name)
    if metric is not None and metric.scope != "model":
        return metric
    where = f"metric {name!r}"
    if name in _REMOVED:
        raise SpecError("this metric was removed", where=where, hint=f"use {_REMOVED[name]}")
    valid = [each.name for each in _METRICS.values() if each.scope != "model"]
    raise SpecError("unknown metric", where=where, hint=suggest(name, valid))


def chosen_metrics(
    names: Sequence[str] | Literal["all"], human: Path | None = None, index: Path | None = None
) -> list[Metric]:
    """The metrics of these names, with the files that some of them read.

    `all` are the default ones, then the others that need neither a model nor several samples of a
    prompt; pitfalls have a table of their own (`find_pitfalls`) and are not among them.

    Raises:
        SpecError: a name is unknown, or a file cannot be read.
    """
    if names == "all":
        rest = [m.name for m in all_metrics() if m.family not in _PITFALL_FAMILIES]
        names = (*DEFAULT_METRICS, *rest, *(m.name for m in metrics_of("corpus")))
    chosen = [get_any(name) for name in dict.fromkeys(names)]
    informed: dict[str, Metric] = {}
    if human is not None:
        informed |= _by_name(human_text.with_human_text(human_text.read_human_text(human)))
    if index is not None:
        informed |= _by_name(factuality.with_index(read_index(index)))
    return [informed.get(metric.name, metric) for metric in chosen]


def _by_name(metrics: Iterable[Metric]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


def refuse_silent(names: Sequence[str], human: Path | None, index: Path | None) -> None:
    """Metrics that were named without the file that they read would say nothing.

    Raises:
        SpecError: names the metric and the option that gives it the file.
    """
    for name in names:
        if human is None and name.startswith("human_"):
            what, option = "human text to compare with", "--human-text FILE"
        elif index is None and name == "listed_references":
            what, option = "an index of known references", "--index FILE"
        else:
            continue
        raise SpecError(f"needs {what}", where=f"metric {name!r}", hint=f"give it by {option}")
