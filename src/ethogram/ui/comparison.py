"""A comparison as the page shows it: columns with paired differences, rows, cells and a chart."""

from __future__ import annotations

import math
from collections import Counter

from pydantic import JsonValue

from ethogram.errors import SpecError
from ethogram.metrics.pitfalls.registry import PITFALLS
from ethogram.metrics.units import SHARE
from ethogram.plots import PairedPoint, paired_spec
from ethogram.spec import diff_versions
from ethogram.study.headline import by_verdict, sentence
from ethogram.study.matrix import Column, Matrix, Sample
from ethogram.study.numbers import difference_in, value_in
from ethogram.study.remarks import Remark, read_remarks
from ethogram.study.stale import results_of
from ethogram.study.wording import aim_sentence
from ethogram.study.workspace import Study
from ethogram.ui.differences import DifferenceInfo, difference_info
from ethogram.ui.models import CLIP, Answer, Clipped, Text
from ethogram.ui.texts import MarkedText, loop_as_one, marked_text


class ColumnInfo(Answer):
    """One version of the matrix.

    Attributes:
        version: its name.
        title: what it tries.
        stale: why its results are not those of the version as it is now.
        sentence: the verdict against the first column, in words; empty there.
        outputs: how many it has.
        differences: against the first column, clear ones first.
        changes: settings that differ from the first column.
        pitfalls: pitfall to prompts of which an output shows it.
    """

    version: str
    title: Text
    stale: Text
    sentence: Text
    outputs: int
    differences: list[DifferenceInfo]
    changes: list[Text]
    pitfalls: dict[str, int]


class MetricInfo(Answer):
    """A metric that rows can be sorted by."""

    name: str
    title: str
    direction: str


class RemarkInfo(Answer):
    """Star and comment of a cell."""

    star: bool
    comment: Text


class CellInfo(Answer):
    """The outputs of a version on a prompt, one of them shown.

    Attributes:
        outputs: how many.
        distinct: how many different texts.
        index: sample index of the shown one.
        times: samples with exactly this text.
        output: its beginning.
        pitfalls: pitfall to how many outputs show it.
        number: value of the metric on this prompt; None where it has none.
        value: the same in words.
        move: difference from the first column, in words; empty where there is none.
        verdict: of that difference: better, worse, changed or nothing.
        remark: star and comment.
    """

    outputs: int
    distinct: int
    index: int
    times: int
    output: MarkedText
    pitfalls: dict[str, int]
    number: float | None
    value: str
    move: str
    verdict: str
    remark: RemarkInfo | None


class RowInfo(Answer):
    """A prompt with a cell for each version; None where the version does not have the prompt.

    Attributes:
        prompt_id: its id.
        place: in the order of the suite, from 0.
        different: whether a version's texts differ from the first one's.
        prompt: its text.
        tags: of it.
        cells: in the order of the columns.
    """

    prompt_id: Text
    place: int
    different: bool
    prompt: Clipped
    tags: list[Text]
    cells: list[CellInfo | None]


class MatrixInfo(Answer):
    """Rows of a matrix, and all that stands above them.

    Attributes:
        columns: versions, the first one being compared with.
        metric: that rows are sorted and judged by.
        metrics: that can be chosen.
        tags: tag to number of prompts.
        pitfalls: names of all pitfalls.
        prompts: in all.
        total: rows that the filters leave.
        offset: place of the first row here.
        rows: from there.
    """

    columns: list[ColumnInfo]
    metric: str
    metrics: list[MetricInfo]
    tags: dict[str, int]
    pitfalls: dict[str, str]
    prompts: int
    total: int
    offset: int
    rows: list[RowInfo]


class ChartInfo(Answer):
    """A chart.

    Attributes:
        spec: Vega-Lite, with its data.
        words: what it shows.
    """

    spec: dict[str, JsonValue]
    words: str


class RowsInfo(Answer):
    """Further rows."""

    total: int
    offset: int
    rows: list[RowInfo]


class SampleInfo(Answer):
    """An output in full; equal texts are one.

    Attributes:
        indices: samples with this text.
        output: the whole text.
        finish_reason: how it ended.
        identity: of the generation.
        values: metric to its value on this output, in words.
        evidence: what was found, in words.
    """

    indices: list[int]
    output: MarkedText
    finish_reason: str
    identity: str
    values: dict[str, str]
    evidence: list[Text]


class CellDetail(Answer):
    """All outputs of a version on a prompt."""

    version: str
    prompt_id: Text
    prompt: Text
    reference: Text | None
    constraints: list[Text]
    samples: list[SampleInfo]
    remark: RemarkInfo | None


def matrix_info(
    study: Study, matrix: Matrix, ids: list[str], metric: str, offset: int, limit: int
) -> MatrixInfo:
    """What stands above the rows, and `limit` of the rows of `ids` from `offset`."""
    first = results_of(study, matrix.versions[0]).version
    columns = []
    for column in matrix.columns:
        ran = results_of(study, column.version)
        columns.append(
            ColumnInfo(
                version=column.version,
                title=study.versions[column.version].title,
                stale=ran.stale,
                sentence=_verdict(column),
                outputs=column.count,
                differences=_ordered(column),
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


def paired_info(matrix: Matrix, metric: str) -> ChartInfo:
    """The chart of a matrix's first and last version."""
    name = metric or matrix.main_metric
    about, first, last = matrix.metric(name), matrix.columns[0], matrix.columns[-1]
    points = []
    for prompt in matrix.prompts:
        before, after = (matrix.value(column, name, prompt) for column in (first, last))
        verdict = matrix.verdict(name, after - before) or "same"
        points.append(PairedPoint(prompt, before, after, verdict))
    counts = Counter(point.verdict for point in points if not math.isnan(point.after))
    spec = paired_spec(
        points,
        title=about.title,
        before=first.version,
        after=last.version,
        percent=about.unit == SHARE,
    )
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    words = f"{about.title} by prompt, {first.version} against {last.version}: {said}."
    return ChartInfo(spec=spec, words=words)


def _verdict(column: Column) -> str:
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
