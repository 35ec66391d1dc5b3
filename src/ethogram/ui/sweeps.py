"""A sweep as the page shows it: verdict, settings by rank, rounds of the race."""

from __future__ import annotations

import math

from ethogram.errors import SpecError
from ethogram.spec.space import value_word
from ethogram.store import SweepRecord
from ethogram.study.difference import Difference
from ethogram.study.importing import next_version
from ethogram.study.numbers import difference_in, interval_in, value_in
from ethogram.study.sweeping.promote import doubt_of
from ethogram.study.sweeping.result import Trial
from ethogram.study.sweeping.stored import (
    Round,
    State,
    StoredSweep,
    read_asked,
    read_sweep,
    state_of,
)
from ethogram.study.sweeping.values import fate_of, labels_of, metrics_of, ranked, short
from ethogram.study.workspace import Study
from ethogram.ui.differences import difference_info
from ethogram.ui.sweep_models import (
    EliminatedInfo,
    RoundInfo,
    SweepAxis,
    SweepBody,
    SweepInfo,
    SweepLine,
    SweepMetric,
    TrialInfo,
)


def sweep_line(record: SweepRecord, job: str | None, sentence: str = "") -> SweepLine:
    """A sweep in the list."""
    try:
        axes = read_asked(record).axes
    except (ValueError, KeyError, TypeError, SpecError):
        axes = ()
    names = ", ".join(axis.field.split(".", 1)[-1] for axis in axes) or "unknown settings"
    state: State = "running" if job else state_of(record)
    return SweepLine(
        id=record.id,
        title=f"{names} of {record.base}",
        base=record.base,
        state=state,
        sentence=sentence or _progress(state, record.ended),
        started_at=record.started_at,
        job=job,
    )


def stored_line(study: Study, record: SweepRecord, job: str | None) -> SweepLine:
    """A sweep in the list, with its verdict or why it cannot be read."""
    try:
        sentence = sentence_of(read_sweep(study, record.id), job)
    except SpecError as error:  # Of another release: the others are shown all the same.
        sentence = str(error)
    return sweep_line(record, job, sentence)


def sweep_info(study: Study, sweep: StoredSweep, job: str | None) -> SweepInfo:
    """A sweep."""
    asked, result, record = sweep.asked, sweep.result, sweep.record
    line = sweep_line(record, job, sentence_of(sweep, job))
    units = {objective.name: objective.metric.unit for objective in asked.objectives}
    return SweepInfo(
        **line.model_dump(),
        why=result.why if result else "",
        chosen=result.chosen if result else None,
        facts=_facts(sweep),
        again=again(sweep),
        axes=[_axis(sweep, axis.field) for axis in asked.axes],
        metrics=_metrics(study, sweep),
        base_values={
            name: value_in(units[name], value) for name, value in sweep.base_values.items()
        },
        trials=[_trial(sweep, trial) for trial in ranked(sweep)],
        rounds=[_round(sweep, each) for each in sweep.rounds],
        holdout=[difference_info(each) for each in result.holdout.differences]
        if result and result.holdout
        else [],
        holdout_prompts=len(asked.holdout),
        next_version=next_version(study),
    )


def sentence_of(sweep: StoredSweep, job: str | None) -> str:
    """The verdict in words, or how far it came."""
    result = sweep.result
    if result and result.chosen:
        return f"{result.trial(result.chosen).setting.words}: {_lower(result.verdict)}"
    state: State = "running" if job else state_of(sweep.record)
    words = _progress(state, sweep.record.ended)
    if not sweep.trials:
        return words
    lost = sum(trial.eliminated_by is not None for trial in sweep.trials)
    done = len(sweep.rounds)
    rounds = f"{done} {'round' if done == 1 else 'rounds'} of the race done"
    return f"{words} {len(sweep.trials)} settings, {rounds}, {lost} eliminated."


def _lower(sentence: str) -> str:
    """A sentence behind a colon; names of versions and metrics keep their case."""
    first = sentence.split(" ", 1)[0]
    return sentence[:1].lower() + sentence[1:] if first in ("It", "The", "No") else sentence


def _progress(state: State, ended: str | None) -> str:
    return {
        "running": "Running.",
        "done": "Finished.",
        "stopped": f"Ended early: {ended}.",
        "interrupted": "Unfinished: its process ended. Start it again; what it made is stored.",
    }[state]


def again(sweep: StoredSweep) -> SweepBody:
    """What starts the same sweep."""
    asked = sweep.asked
    return SweepBody(
        base=sweep.record.base,
        axes=tuple(axis.text for axis in asked.axes),
        goals=tuple(
            f"{objective.name}:{'higher' if objective.higher_is_better else 'lower'}"
            for objective in asked.objectives
        ),
        search=asked.search,
        trials=asked.trials or 60,
        samples=asked.samples,
        race=asked.racing,
    )


def _axis(sweep: StoredSweep, field: str) -> SweepAxis:
    return SweepAxis(field=field, name=short(sweep, field), labels=labels_of(sweep, field))


def _metrics(study: Study, sweep: StoredSweep) -> list[SweepMetric]:
    higher = {each.name: each.higher_is_better for each in sweep.asked.objectives}
    return [
        SweepMetric(
            name=metric.name,
            title=metric.title,
            direction=("higher" if higher[metric.name] else "lower")
            if metric.name in higher
            else metric.direction,
            objective=metric.name in higher,
        )
        for metric in metrics_of(study, sweep)
    ]


def _facts(sweep: StoredSweep) -> str:
    asked, result = sweep.asked, sweep.result
    search = "every combination" if asked.search == "grid" else f"a {asked.search} search"
    words = [f"{len(sweep.trials)} settings by {search}"]
    if result and result.requested > len(sweep.trials):
        words[0] += f" ({result.requested} requested; the others behave the same as one of these)"
    samples = "1 sample" if asked.samples == 1 else f"{asked.samples} samples"
    words.append(f"{samples} of {len(asked.selection)} prompts for selection")
    words.append("racing" if asked.racing else "no racing")
    if result:
        words.append(f"{result.generations} outputs made in {result.seconds:.0f} s")
    return ", ".join(words)


def _trial(sweep: StoredSweep, trial: Trial) -> TrialInfo:
    units = {each.name: each.metric.unit for each in sweep.asked.objectives}
    return TrialInfo(
        name=trial.name,
        words=trial.setting.words,
        setting={field: value_word(value) for field, value in trial.setting.values},
        values={name: value_in(units[name], value) for name, value in trial.values.items()},
        samples=trial.samples,
        fate=fate_of(sweep, trial),
        eliminated=_eliminated(sweep, trial),
        front_share=f"{trial.front_share:.0%}" if sweep.result and not trial.eliminated_by else "",
        against={each.metric.name: _against(each) for each in trial.against},
        doubt=doubt_of(sweep.result, trial.name) if sweep.result else "the sweep is not finished",
        promoted=[
            each.version
            for each in sweep.promotions
            if sweep.trials[each.trial - 1].name == trial.name
        ],
    )


def _against(each: Difference) -> str:
    unit = each.metric.unit
    sign = " ?" if each.is_unreliable else ""
    interval = interval_in(unit, each.low, each.high)
    return f"{difference_in(unit, each.estimate)} {interval}{sign}"


def _eliminated(sweep: StoredSweep, trial: Trial) -> str:
    for each in sweep.rounds:
        if trial.name in each.eliminated:
            by = sweep.trial(each.eliminated[trial.name]).setting.words
            return f"in round {each.number} by {by}"
    return ""


def _round(sweep: StoredSweep, each: Round) -> RoundInfo:
    return RoundInfo(
        number=each.number,
        samples=each.samples,
        settings=len(each.values) - 1,  # The parent runs beside them.
        eliminated=[
            EliminatedInfo(
                name=name,
                words=sweep.trial(name).setting.words,
                by=sweep.trial(by).setting.words,
                why=_why(sweep, each, name, by),
            )
            for name, by in each.eliminated.items()
        ],
    )


def _why(sweep: StoredSweep, each: Round, name: str, by: str) -> str:
    parts = []
    for objective in sweep.asked.objectives:
        unit = objective.metric.unit
        ours, theirs = (each.values[who].get(objective.name, math.nan) for who in (name, by))
        parts.append(
            f"{objective.metric.title} {value_in(unit, ours)} against {value_in(unit, theirs)}"
        )
    return ", ".join(parts)
