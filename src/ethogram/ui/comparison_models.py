"""Answers of the comparison's routes: columns, rows, cells, samples and a chart."""

from __future__ import annotations

from pydantic import JsonValue

from ethogram.plots import Chart
from ethogram.ui.differences import DifferenceInfo
from ethogram.ui.models import Answer, Clipped, Text
from ethogram.ui.texts import MarkedText


class VerdictInfo(Answer):
    """What the paired tests of a version against the first column say.

    Attributes:
        sentence: in words; empty for the first column, and where there is nothing to compare.
        differences: clear ones first.
    """

    sentence: Text
    differences: list[DifferenceInfo]


class ColumnInfo(Answer):
    """One version of the matrix.

    Attributes:
        version: its name.
        title: what it tries.
        stale: why its results are not those of the version as it is now.
        verdict: against the first column; None while nobody has tested the two.
        outputs: how many it has.
        changes: settings that differ from the first column.
        pitfalls: pitfall to prompts of which an output shows it.
    """

    version: str
    title: Text
    stale: Text
    verdict: VerdictInfo | None
    outputs: int
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


def chart_info(chart: Chart) -> ChartInfo:
    """A chart to send."""
    return ChartInfo(spec=chart.spec, words=chart.words)


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
