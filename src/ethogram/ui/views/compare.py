"""Compare: prompts by versions, with what differs, what fails, and how sure it is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import fields
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from ethogram.report.charts import comparison_chart
from ethogram.study.matrix import Filters, Matrix, Mode, Sort
from ethogram.study.remarks import Remark, write_remark
from ethogram.study.stale import results_of
from ethogram.study.workspace import Study
from ethogram.ui.comparison import (
    cell_detail,
    matrix_info,
    rows_info,
    verdict_info,
)
from ethogram.ui.comparison_models import (
    CellDetail,
    ChartInfo,
    MatrixInfo,
    RemarkInfo,
    RowsInfo,
    VerdictInfo,
    chart_info,
)
from ethogram.ui.context import Context
from ethogram.ui.models import Body

#: Matrices that are kept; one of 4 × 5000 outputs of 2 KB takes about 50 MB.
_KEPT = 4
#: Versions side by side, and rows of one answer.
_COLUMNS, _ROWS = 8, 100


class VersionsQuery(Body):
    """Versions, the first of which the others are compared with."""

    versions: list[str] = Field(min_length=1, max_length=_COLUMNS)


class FiltersQuery(VersionsQuery):
    """Versions, filters and order, as they stand in the page's address."""

    mode: Mode = "all"
    metric: str = ""
    sort: Sort = "difference"
    tags: list[str] = Field(default_factory=list)
    pitfall: str = ""
    low: float | None = None
    high: float | None = None
    text: str = Field("", max_length=1000)
    pattern: bool = False
    prompts: list[str] = Field(default_factory=list)
    offset: int = Field(0, ge=0)
    limit: int = Field(16, ge=1, le=_ROWS)

    @property
    def filters(self) -> Filters:
        """The part that chooses rows."""
        names = [each.name for each in fields(Filters)]
        return Filters(**{name: getattr(self, name) for name in names})


class RemarkBody(Body):
    """Star and comment of a version on a prompt."""

    version: str
    prompt_id: str
    star: bool = False
    comment: str = Field("", max_length=10_000)


class Matrices:
    """The matrices of the last comparisons: filters of one are answered without the store."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, Matrix] = OrderedDict()
        #: Held by whoever computes tests, so that two tabs do not compute the same.
        self.testing = threading.Lock()

    def get(self, study: Study, versions: list[str]) -> Matrix:
        """The matrix of some versions as they are stored now."""
        key = (
            tuple(
                (name, found.identities, found.suite.identity, tuple(study.versions[name].aim))
                for name, found in ((name, results_of(study, name)) for name in versions)
            ),
            (study.spec.settings.metrics, study.spec.settings.scoring),
        )
        if key not in self._kept:
            self._kept[key] = Matrix(study, versions)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes, matrices = APIRouter(), Matrices()

    @routes.get("/compare")
    def compare(query: Annotated[FiltersQuery, Query()]) -> MatrixInfo:
        """The first rows of a comparison, and all that stands above them."""
        with context.study() as study:
            matrix = matrices.get(study, query.versions)
            ids = matrix.rows(query.filters)
            return matrix_info(study, matrix, ids, query.metric, query.offset, query.limit)

    @routes.get("/compare/rows")
    def compare_rows(query: Annotated[FiltersQuery, Query()]) -> RowsInfo:
        """Further rows of a comparison."""
        with context.study() as study:
            matrix = matrices.get(study, query.versions)
            ids = matrix.rows(query.filters)
            part = ids[query.offset : query.offset + query.limit]
            rows = rows_info(study, matrix, part, query.metric)
            return RowsInfo(total=len(ids), offset=query.offset, rows=rows)

    @routes.get("/compare/verdicts")
    def compare_verdicts(query: Annotated[VersionsQuery, Query()]) -> list[VerdictInfo]:
        """The paired tests of each version against the first; of a large study it takes seconds."""
        with context.study() as study:
            matrix = matrices.get(study, query.versions)
            for column in matrix.columns:
                if column.against:
                    column.against.prepare()
        with matrices.testing:  # Not of the study: other views are answered meanwhile.
            return [verdict_info(column) for column in matrix.columns]

    @routes.get("/compare/cell")
    def compare_cell(version: str, prompt: str) -> CellDetail:
        """All outputs of a version on a prompt, in full."""
        with context.study() as study:
            return cell_detail(study, matrices.get(study, [version]), prompt)

    @routes.get("/compare/chart")
    def compare_chart(query: Annotated[FiltersQuery, Query()]) -> ChartInfo:
        """Each prompt as a point: the metric for the first version and for the last one."""
        with context.study() as study:
            matrix = matrices.get(study, query.versions)
            return chart_info(comparison_chart(matrix, query.metric))

    @routes.post("/remarks")
    def save_remark(body: RemarkBody) -> RemarkInfo:
        """Star an output, or comment on it; kept in the study's folder."""
        with context.study() as study:
            study.spec.version(body.version)
            comment = body.comment.strip()
            write_remark(context.folder, Remark(body.version, body.prompt_id, body.star, comment))
            return RemarkInfo(star=body.star, comment=comment)

    return routes
