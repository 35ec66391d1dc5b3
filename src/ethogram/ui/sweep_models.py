"""What the page is sent of a sweep."""

from __future__ import annotations

from pydantic import Field

from ethogram.plots import Fate
from ethogram.study.sweeping.proposers import ProposerName
from ethogram.study.sweeping.stored import State
from ethogram.ui.comparison_models import ChartInfo
from ethogram.ui.differences import DifferenceInfo
from ethogram.ui.models import Answer, Body, Text
from ethogram.ui.texts import MarkedText


class SweepBody(Body):
    """A sweep to start; the options of `ethogram sweep`.

    Attributes:
        base: the parent version.
        axes: FIELD=VALUES, one for each field that varies.
        goals: METRIC or METRIC:higher or METRIC:lower; empty takes the version's own.
        search: grid, or how to draw `trials` settings.
        trials: of a search.
        samples: per prompt; None takes the version's number.
        race: eliminate settings early.
    """

    base: str
    axes: tuple[Text, ...]
    goals: tuple[str, ...] = ()
    search: ProposerName = "grid"
    trials: int = Field(60, ge=2, le=10_000)
    samples: int | None = Field(None, ge=1, le=1000)
    race: bool = True


class SweepLine(Answer):
    """A sweep in the list.

    Attributes:
        id: its number.
        title: the fields that vary, and the parent.
        base: the parent.
        state: running, done, stopped or interrupted.
        sentence: the verdict in words, or how far it came.
        started_at: UTC.
        job: of this server, if it runs here.
    """

    id: int
    title: Text
    base: str
    state: State
    sentence: Text
    started_at: str
    job: str | None


class SweepAxis(Answer):
    """A field that varies.

    Attributes:
        field: its dotted name.
        name: for people.
        labels: its values in order; empty where it is continuous.
    """

    field: str
    name: Text
    labels: list[Text]


class SweepMetric(Answer):
    """A metric that charts can show.

    Attributes:
        name: its name.
        title: for people.
        direction: higher, lower or none, whichever is better in this sweep.
        objective: whether the sweep made it better.
    """

    name: str
    title: str
    direction: str
    objective: bool


class TrialInfo(Answer):
    """A setting.

    Attributes:
        name: in this sweep.
        words: its fields with values.
        setting: field to value, in words.
        values: objective to value, in words.
        samples: per prompt, that they rest on.
        fate: what became of it.
        eliminated: by what and when, in words; empty if it was not.
        front_share: how often it is on the front when prompts are drawn again, in words.
        against: minus the parent on the selection prompts: objective to difference and 95 %
            interval, in words; empty where it did not finish the race.
        doubt: why it should not become a version without a second thought.
        promoted: versions that it became.
    """

    name: str
    words: Text
    setting: dict[str, Text]
    values: dict[str, str]
    samples: int
    fate: Fate
    eliminated: Text
    front_share: str
    against: dict[str, str]
    doubt: Text
    promoted: list[str]


class EliminatedInfo(Answer):
    """A setting that was eliminated in a round, by which one, and their values then."""

    name: str
    words: Text
    by: Text
    why: Text


class RoundInfo(Answer):
    """A round of the race.

    Attributes:
        number: from 1.
        samples: per prompt.
        settings: how many ran.
        eliminated: those that lost.
    """

    number: int
    samples: int
    settings: int
    eliminated: list[EliminatedInfo]


class SweepInfo(SweepLine):
    """A sweep as far as it came.

    Attributes:
        why: the rule that made the choice.
        chosen: name of the chosen setting.
        facts: what was run, in words.
        again: what starts the same sweep.
        axes: the fields that vary.
        metrics: that charts can show, objectives first.
        base_values: the parent's, in words.
        trials: by rank.
        rounds: of the race.
        holdout: the choice minus the parent, on held-out prompts.
        holdout_prompts: how many.
        next_version: a free name for a child.
    """

    why: Text
    chosen: str | None
    facts: Text
    again: SweepBody
    axes: list[SweepAxis]
    metrics: list[SweepMetric]
    base_values: dict[str, str]
    trials: list[TrialInfo]
    rounds: list[RoundInfo]
    holdout: list[DifferenceInfo]
    holdout_prompts: int
    next_version: str


class GridCell(Answer):
    """A cell of the heat map as a table: the best setting of its pair of values.

    Attributes:
        setting: its name.
        value: of the metric, in words.
        settings: how many have this pair of values.
        mark: a sign of the choice or the front.
        shade: 0 to 9, brighter where it is better; None where there is no value.
    """

    setting: str
    value: str
    settings: int
    mark: str
    shade: int | None


class HeatInfo(ChartInfo):
    """A heat map and the same as a table.

    Attributes:
        columns: values of the first field; empty where one of both is continuous.
        rows: value of the second field, and a cell for each column, or none.
    """

    columns: list[Text]
    rows: list[tuple[Text, list[GridCell | None]]]


class SweepOutput(Answer):
    """An output; equal texts of one prompt are one.

    Attributes:
        indices: samples with this text.
        output: the whole text, with evidence of the objectives.
        finish_reason: how it ended.
        values: objective to its value on this output, in words.
    """

    indices: list[int]
    output: MarkedText
    finish_reason: str
    values: dict[str, str]


class SweepRow(Answer):
    """The outputs of a prompt: of the setting and of the parent."""

    prompt_id: Text
    prompt: Text
    outputs: list[SweepOutput]
    parent: list[SweepOutput]


class SamplesInfo(Answer):
    """A page of the outputs of a setting on the prompts for selection.

    Attributes:
        setting: its name.
        words: its fields with values.
        base: the parent.
        missing: why the parent's outputs are not shown; empty if they are.
        total: prompts in all.
        offset: place of the first row here.
        rows: a prompt each.
    """

    setting: str
    words: Text
    base: str
    missing: Text
    total: int
    offset: int
    rows: list[SweepRow]


class FormVersion(Answer):
    """A version that a sweep can begin from, with its default objectives and samples."""

    name: str
    title: Text
    goals: list[str]
    samples: int


class SweepsView(Answer):
    """The sweeps of a study, newest first, and what a new one can be made of."""

    sweeps: list[SweepLine]
    versions: list[FormVersion]
    fields: list[str]
    metrics: list[tuple[str, str]]


class PromoteBody(Body):
    """A setting to write as a version; `force` where there is a doubt."""

    setting: str
    name: str
    force: bool = False
