"""What a report holds: the answers of the server that its page can ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ethogram.report.charts import comparison_chart
from ethogram.report.findings import find
from ethogram.stages import stage
from ethogram.study.matrix import Filters, Matrix
from ethogram.study.stale import has_results
from ethogram.study.workspace import Study
from ethogram.ui.comparison import cell_detail, matrix_info
from ethogram.ui.comparison_models import chart_info
from ethogram.ui.entries import entry_of, log_view
from ethogram.ui.findings import findings_info
from ethogram.ui.packed import Columns
from ethogram.ui.report_limits import Limits
from ethogram.ui.report_views import (
    Answers,
    Kept,
    SweepAnswers,
    TrainingAnswers,
    key_of,
    plain,
    together,
)


class Source:
    """What a report is made of, derived from the store once for all limits that are tried."""

    def __init__(self, study: Study) -> None:
        self._study = study
        ready = [name for name in study.versions if has_results(study, name)]
        self._alone = {name: Matrix(study, [name]) for name in ready}
        parents = {name: study.versions[name].parent for name in ready}
        self._matrices = [
            Matrix(study, [parent, name]) if parent in ready and parent else self._alone[name]
            for name, parent in parents.items()
        ]
        stage("Writing the report")
        self._log = plain(log_view(study))
        self._findings = plain(findings_info(find(study)))
        self._kept = Kept()
        self._sweeps = SweepAnswers(study, self._kept)
        self._trainings = TrainingAnswers(study, self._kept)
        self._entries = {name: plain(entry_of(study, name)) for name in study.versions}

    def data(self, limits: Limits) -> dict[str, Any]:
        """The answers that the page asks for, by route."""
        comparisons, prompts = {}, {name: dict[str, None]() for name in self._alone}
        for matrix in self._matrices:
            ids = matrix.rows(Filters())[: limits.rows]
            comparisons[_name(matrix)] = plain(
                matrix_info(self._study, matrix, ids, "", 0, len(ids), test=True)
            )
            for name in matrix.versions:
                prompts[name] |= dict.fromkeys(ids)
        columns = Columns()
        return {
            "log": self._log,
            "findings": self._findings,
            "entries": self._entries,
            "comparisons": comparisons,
            "charted": limits.charts,
            "together": together(self._study),
            "answers": {key: columns.pack(answer) for key, answer in self._answers(limits)},
            "columns": columns.all,
            "cells": {name: dict(self._cells(name, ids, limits)) for name, ids in prompts.items()},
            "left_out": str(limits),
        }

    def _answers(self, limits: Limits) -> Answers:
        """Those of sweeps and trainings, and the charts of comparisons."""
        yield from self._sweeps.all(limits)
        yield from self._trainings.all(limits)
        if limits.charts:
            yield from self._kept.of(("pairs", limits.every), self._charts(limits))

    def _charts(self, limits: Limits) -> Answers:
        for matrix in self._matrices:
            metrics = matrix.metrics if limits.every else [matrix.main_metric]
            for metric in metrics if len(matrix.versions) == 2 else ():
                key = key_of("/api/compare/chart", versions=matrix.versions, metric=metric)
                yield key, plain(chart_info(comparison_chart(matrix, metric)))

    def _cells(self, version: str, ids: Iterable[str], limits: Limits) -> Iterator[tuple[str, Any]]:
        matrix = self._alone[version]
        for prompt in ids:
            if prompt in matrix.prompts:
                detail = cell_detail(self._study, matrix, prompt, most=limits.characters)
                yield prompt, plain(detail)


def _name(matrix: Matrix) -> str:
    return " ".join(matrix.versions)
