"""Frame: what a study holds as a table for data analysis, pandas where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ethogram.errors import SpecError
from ethogram.study.compare import compare
from ethogram.study.exporting import finite, generation_rows
from ethogram.study.measure import measure, metric_names
from ethogram.study.stale import has_results, stored_results
from ethogram.study.workspace import Study

KINDS = ("generations", "scores", "comparisons")


def frame(
    study: Study,
    kind: str = "generations",
    versions: Sequence[str] | None = None,
    *,
    metrics: Sequence[str] | None = None,
) -> Any:
    """What a study holds as a table.

    Args:
        study: the opened study.
        kind: `generations`, a row an output; `scores`, a row an output (or, for a metric of all
            samples of a prompt, a prompt) and metric; `comparisons`, a row a metric and version
            that has a parent, against it.
        versions: names; default all that have results. Results of a version whose suite grew or
            that was edited since are those stored, and the column `stale` says why.
        metrics: names; default those of the study's table. `generations` has none.

    Returns:
        A pandas DataFrame, or a dict of columns (name to list) where pandas is not installed.

    Raises:
        SpecError: another kind, generations are missing, or a name is unknown.
    """
    if kind not in KINDS:
        raise SpecError(f"unknown table {kind!r}", hint=f"one of {', '.join(KINDS)}")
    names = list(versions or (name for name in study.versions if has_results(study, name)))
    chosen = tuple(metrics or metric_names(study))
    if kind == "generations":
        rows = [
            {**row, "stale": stale}
            for name in names
            for stale in [stored_results(study, name).stale]
            for row in generation_rows(study, [name])
        ]
    elif kind == "scores":
        rows = [row for name in names for row in _scores(study, name, chosen)]
    else:
        rows = [row for name in names for row in _comparisons(study, name, chosen)]
    return _table(rows)


def _scores(study: Study, version: str, metrics: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "version": version,
            "prompt_id": output.prompt_id,
            "sample": output.sample_index,
            "metric": name,
            "value": score.value,
            "stale": measured.stale,
        }
        for name, measured in measure(study, version, metrics, accept="earlier").items()
        for output, score in zip(measured.outputs, measured.scores, strict=True)
    ]


def _comparisons(study: Study, version: str, metrics: Sequence[str]) -> list[dict[str, Any]]:
    parent = study.spec.version(version).parent
    if parent is None or not has_results(study, parent):
        return []
    result = compare(study, parent, version, metrics=metrics, samples=0)
    return [
        {
            "version": version,
            "parent": parent,
            "metric": item.metric.name,
            "before": finite(item.before),
            "after": finite(item.after),
            "difference": finite(item.estimate),
            "low": finite(item.low),
            "high": finite(item.high),
            "p": finite(item.test.p),
            "p_adjusted": finite(item.p_adjusted),
            "prompts": item.test.prompts,
            "verdict": item.verdict,
            "stale": result.stale,
        }
        for item in result.differences
    ]


def _table(rows: Sequence[dict[str, Any]]) -> Any:
    columns: dict[str, list[Any]] = (
        {name: [row[name] for row in rows] for name in rows[0]} if (rows) else {}
    )
    try:
        import pandas as pd
    except ModuleNotFoundError:
        return columns
    return pd.DataFrame(columns)
