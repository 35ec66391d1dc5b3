"""A comparison as the page shows it: columns with paired differences, rows and cells."""

from __future__ import annotations

import math

from ethogram.errors import SpecError
from ethogram.metrics.pitfalls.registry import PITFALLS
from ethogram.spec import diff_versions
from ethogram.study.columns import Column, Sample
from ethogram.study.headline import by_verdict, sentence
from ethogram.study.matrix import Matrix
from ethogram.study.numbers import difference_in, value_in
from ethogram.study.remarks import Remark, read_remarks
from ethogram.study.stale import results_of
from ethogram.study.wording import aim_sentence
from ethogram.study.workspace import Study
from ethogram.ui.comparison_models import (
    CellDetail,
    CellInfo,
    ColumnInfo,
    MatrixInfo,
    MetricInfo,
    RemarkInfo,
    RowInfo,
    SampleInfo,
    VerdictInfo,
)
from ethogram.ui.differences import DifferenceInfo, difference_info
from ethogram.ui.models import CLIP, Clipped
from ethogram.ui.texts import MarkedText, loop_as_one, marked_text


def matrix_info(
    study: Study,
    matrix: Matrix,
    ids: list[str],
    metric: str,
    offset: int,
    limit: int,
    *,
    test: bool = False,
) -> MatrixInfo:
    """What stands above the rows, and `limit` of the rows of `ids` from `offset`.

    Tests that are not known yet are computed only with `test`.
    """
    first = results_of(study, matrix.versions[0]).version
    columns = []
    for column in matrix.columns:
        ran = results_of(study, column.version)
        columns.append(
            ColumnInfo(
                version=column.version,
                title=study.versions[column.version].title,
                stale=ran.stale,
                verdict=verdict_info(column) if test or column.is_tested else None,
                outputs=column.count,
                changes=[change.plain for change in diff_versions(first, ran.version)],
                pitfalls={name: len(found) for name, found in column.failing.items() if found},
            )
        )
    return MatrixInfo(
        columns=columns,
        metric=metric or matrix.main_metric,
        metrics=[
            MetricInfo(name=name, title=metric.title, direction=metric.direction)
            for name in matrix.metrics
            for metric in (matrix.metric(name),)
        ],
        tags=dict(matrix.tags),
        pitfalls={pitfall.name: pitfall.title for pitfall in PITFALLS},
        prompts=len(matrix.prompts),
        total=len(ids),
        offset=offset,
        rows=rows_info(study, matrix, ids[offset : offset + limit], metric),
    )


def verdict_info(column: Column) -> VerdictInfo:
    """The paired tests of a column, which are computed unless they are known."""
    return VerdictInfo(sentence=_sentence(column), differences=_ordered(column))


def _sentence(column: Column) -> str:
    if column.aims:
        return aim_sentence(column.aims)
    return sentence(list(column.differences.values())) if column.differences else ""


def _ordered(column: Column) -> list[DifferenceInfo]:
    groups = by_verdict(column.differences.values()).values()
    return [difference_info(item) for group in groups for item in group]


def rows_info(study: Study, matrix: Matrix, ids: list[str], metric: str) -> list[RowInfo]:
    """A row for each of some prompts; an empty `metric` is the matrix's main one."""
    remarks = read_remarks(study.folder)
    metric = metric or matrix.main_metric
    for column in matrix.columns:
        column.read(ids)
    return [
        RowInfo(
            prompt_id=prompt,
            place=matrix.places[prompt],
            different=matrix.is_different(prompt),
            prompt=Clipped.of(matrix.prompts[prompt].prompt),
            tags=list(matrix.prompts[prompt].tags),
            cells=[
                _cell(matrix, column, prompt, metric, remarks.get((column.version, prompt)))
                for column in matrix.columns
            ],
        )
        for prompt in ids
    ]


def _cell(
    matrix: Matrix, column: Column, prompt: str, metric: str, remark: Remark | None
) -> CellInfo | None:
    samples = column.samples(prompt)
    if not samples:
        return None
    shown = _shown(matrix, column, prompt, samples)
    unit = matrix.metric(metric).unit
    value = matrix.value(column, metric, prompt)
    move = value - matrix.value(matrix.columns[0], metric, prompt)
    is_first = column is matrix.columns[0]
    return CellInfo(
        outputs=sum(len(sample.indices) for sample in samples),
        distinct=len(samples),
        index=shown.indices[0],
        times=len(shown.indices),
        output=_marked(column, shown),
        pitfalls=column.pitfalls(prompt),
        number=None if math.isnan(value) else value,
        value=value_in(unit, value),
        move="" if is_first or math.isnan(move) else difference_in(unit, move),
        verdict="" if is_first else matrix.verdict(metric, move),
        remark=_remark(remark),
    )


def _shown(matrix: Matrix, column: Column, prompt: str, samples: list[Sample]) -> Sample:
    """The first sample whose text differs from the first column's, so that a difference is seen."""
    first = matrix.columns[0]
    if column is first:
        return samples[0]
    others = set(first.texts(prompt))
    return next((sample for sample in samples if sample.output.text not in others), samples[0])


def _marked(column: Column, sample: Sample, most: int | None = CLIP) -> MarkedText:
    spans = [
        (name, loop_as_one(found) if name == "loop" else found)
        for name, found in column.evidence(sample.place)
    ]
    return marked_text(sample.output.text, spans, most=most)


def _remark(remark: Remark | None) -> RemarkInfo | None:
    return RemarkInfo(star=remark.star, comment=remark.comment) if remark else None


def cell_detail(
    study: Study, matrix: Matrix, prompt: str, *, most: int | None = None
) -> CellDetail:
    """All outputs of a matrix's first version on a prompt; `most` clips their texts."""
    column = matrix.columns[0]
    samples = column.samples(prompt)
    if not samples:
        raise SpecError(f"{column.version} has no output for prompt {prompt!r}")
    output = samples[0].output
    identities = results_of(study, column.version).identities
    return CellDetail(
        version=column.version,
        prompt_id=prompt,
        prompt=output.prompt,
        reference=output.reference,
        constraints=[each.type for each in output.constraints],
        samples=[
            SampleInfo(
                indices=list(sample.indices),
                output=_marked(column, sample, most),
                finish_reason=sample.output.finish_reason or "unknown",
                identity=identities[sample.place],
                values=_values(matrix, column, sample),
                evidence=_evidence(column, sample),
            )
            for sample in samples
        ],
        remark=_remark(read_remarks(study.folder).get((column.version, prompt))),
    )


def _values(matrix: Matrix, column: Column, sample: Sample) -> dict[str, str]:
    found = {}
    for name in matrix.metrics:
        measured = column.measured[name]
        if measured.metric.scope == "output":
            value = measured.scores[sample.place].value
            if value is not None:
                found[measured.metric.title] = value_in(measured.metric.unit, value)
    return found


def _evidence(column: Column, sample: Sample) -> list[str]:
    titles = {pitfall.name: pitfall.title for pitfall in PITFALLS}
    return [
        f"{titles[name]}: {(loop_as_one(spans) if name == 'loop' else spans)[0].label}"
        for name, spans in column.evidence(sample.place)
    ]
