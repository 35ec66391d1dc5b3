"""What PROGRESS.md says of each version, derived from the store and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ethogram.metrics import Span
from ethogram.metrics.pitfalls.registry import PITFALL_METRICS, PITFALLS
from ethogram.report.examples import Example, Pair, make_pairs, parent_of, single_example
from ethogram.report.trained import training_lines
from ethogram.spec import Change, Version, diff_versions
from ethogram.spec.aims import WAYS, within
from ethogram.study.aims import Aims, aim_metrics, judge_aims, moved
from ethogram.study.difference import Difference, comparable, difference, differences
from ethogram.study.measure import Measured, measure, metric_names
from ethogram.study.notes import NOTE_FIELDS
from ethogram.study.stale import has_results, results_of
from ethogram.study.wording import change_words, moved_words, name_words, value_words
from ethogram.study.workspace import Study

EXAMPLE_CHARACTERS = 320


@dataclass(frozen=True)
class Shown:
    """A pitfall: in how many outputs of how many, and how many of the parent's.

    Attributes:
        name: of the pitfall.
        meaning: in a few words.
        found: outputs that show it.
        total: outputs to which its rule applies.
        before: the same two counts of the parent; None without one.
    """

    name: str
    meaning: str
    found: int
    total: int
    before: tuple[int, int] | None = None


@dataclass(frozen=True)
class Claim:
    """What a title or a note says can be seen in a metric.

    Attributes:
        text: the author's words.
        metric: name of the metric.
        claimed: lower, higher, same, or a bound.
        holds: whether the stored runs show it.
        measured: what they show, in words.
    """

    text: str
    metric: str
    claimed: str
    holds: bool
    measured: str


@dataclass(frozen=True)
class Entry:
    """All that the log says about one version.

    Attributes:
        version: its name.
        title: what it tries.
        parent: name of its parent.
        model: as the version names it, with its stand-in.
        identity: first digits of the version's identity.
        generations: outputs that the entry rests on.
        prompts: of these.
        changes: settings that differ from the parent.
        values: every metric of the table.
        differences: against the parent; aims among them as exploration.
        aims: what came of the version's aims; None without any.
        pitfalls: found here or in the parent.
        pair: one prompt before and after; None without a parent, or without examples.
        example: one output, where there is no pair; None without examples.
        claims: notes and title that name what shows them.
        unmeasured: notes that rest on nothing measured.
        stale: why the results are not those of the version as it is now; empty if they are.
        trained: how its model was trained, as lines of Markdown; empty if that was not here.
    """

    version: str
    title: str
    parent: str | None
    model: str
    identity: str
    generations: int
    prompts: int
    changes: Sequence[Change]
    values: dict[str, Measured]
    differences: dict[str, Difference]
    aims: Aims | None
    pitfalls: Sequence[Shown]
    pair: Pair | None
    example: Example | None
    claims: Sequence[Claim]
    unmeasured: Sequence[str]
    learned: Sequence[str]
    takeaway: Sequence[str]
    limitation: Sequence[str]
    notes: Sequence[str]
    stale: str = ""
    trained: Sequence[str] = ()


def measured_versions(study: Study) -> dict[str, dict[str, Measured]]:
    """The scores that the log needs, of every version that has all its generations."""
    ready = [name for name in study.versions if has_results(study, name)]
    return scores_for(study, ready, ready)


def scores_for(
    study: Study, shown: Sequence[str], measured: Sequence[str]
) -> dict[str, dict[str, Measured]]:
    """The scores that the entries of `shown` need, of each version in `measured`."""
    columns = metrics_for(study, shown)
    return {name: measure(study, name, columns, accept="earlier") for name in measured}


def metrics_for(study: Study, shown: Sequence[str]) -> tuple[str, ...]:
    """Names of the metrics that the entries of some versions need."""
    pitfalls = [metric.name for metric in PITFALL_METRICS]
    named = [name for version in shown for name in aim_metrics(study, version)]
    needed = [*metric_names(study), *pitfalls, *named, "loop_rate", "answer_first"]
    return tuple(dict.fromkeys(needed))


def entries(
    study: Study,
    *,
    measured: dict[str, dict[str, Measured]] | None = None,
    examples: bool = True,
) -> list[Entry]:
    """One entry per version that has all its generations, in the study's order.

    Args:
        study: opened.
        measured: their scores, if they are known.
        examples: whether the entries show outputs, which have to be read.
    """
    scores = measured_versions(study) if measured is None else measured
    pairs = make_pairs(study, scores, scores) if examples else {}
    singles = {
        name: single_example(study, name, scores[name])
        for name in scores
        if examples and name not in pairs
    }
    return [_make_entry(study, name, scores, pairs.get(name), singles.get(name)) for name in scores]


def make_entry(study: Study, name: str, measured: dict[str, dict[str, Measured]]) -> Entry:
    """The entry of one version; `measured` has its scores and those of what it compares with."""
    pair = make_pairs(study, [name], measured).get(name)
    single = None if pair else single_example(study, name, measured[name])
    return _make_entry(study, name, measured, pair, single)


def _make_entry(
    study: Study,
    name: str,
    measured: dict[str, dict[str, Measured]],
    pair: Pair | None,
    example: Example | None,
) -> Entry:
    version = study.versions[name]
    scores = measured[name]
    parent = parent_of(study, name, measured)
    ran = results_of(study, name)
    shown = metric_names(study)
    of_each_output = scores[PITFALL_METRICS[0].name]
    found: dict[str, Difference] = {}
    if parent:
        coupled = study.coupled(parent, name)
        found = differences(measured[parent], scores, shown, parent, name, coupled=coupled)
    aims = judge_aims(study, name, measured[parent], scores, found) if parent else None
    claims = _claims(study, name, measured)
    return Entry(
        version=name,
        title=version.title,
        parent=version.parent,
        model=study.model_words(name) if ran.version == version else ran.version.model,
        identity=ran.version.identity[:12],
        stale=ran.stale,
        trained=training_lines(study, name),
        generations=len(of_each_output.outputs),
        prompts=len(of_each_output.places),
        changes=_changes(study, version.parent, ran.version) if version.parent else [],
        values={column: scores[column] for column in shown},
        differences=found,
        aims=aims,
        pitfalls=_pitfalls(scores, measured[parent] if parent else None),
        pair=pair,
        example=example,
        claims=claims,
        unmeasured=[
            note.text
            for kind in NOTE_FIELDS
            for note in getattr(version, kind)
            if not note.shown_by
        ],
        **{kind: [note.text for note in getattr(version, kind)] for kind in NOTE_FIELDS},
    )


def _changes(study: Study, parent: str, version: Version) -> Sequence[Change]:
    """The settings that differ from the parent's, both as they ran."""
    return diff_versions(results_of(study, parent).version, version)


def _claims(study: Study, name: str, measured: dict[str, dict[str, Measured]]) -> list[Claim]:
    """Every sentence of a version that names a metric, and whether the stored runs show it."""
    version = study.versions[name]
    said = [(version.title, version.title_shown_by, None)]
    said += [
        (note.text, note.shown_by, note.against)
        for kind in NOTE_FIELDS
        for note in getattr(version, kind)
    ]
    return [
        _claim(study, name, text, metric, claimed, against or version.parent, measured)
        for text, shown_by, against in said
        for metric, claimed in shown_by.items()
    ]


def _claim(
    study: Study,
    name: str,
    text: str,
    metric: str,
    claimed: str,
    against: str | None,
    measured: dict[str, dict[str, Measured]],
) -> Claim:
    here = measured[name][metric]
    if claimed not in WAYS:
        words = f"{name_words(here.metric)} {value_words(here.metric, here.value)}"
        return Claim(text, metric, claimed, within(here.value, claimed), words)
    if against is None:
        return Claim(text, metric, claimed, False, "no version to compare with")
    if against not in measured or not comparable(measured[against], measured[name]):
        study.spec.version(against)
        return Claim(text, metric, claimed, False, f"{against} has no stored run")
    coupled = study.coupled(against, name)
    found = difference(measured[against][metric], here, against, name, coupled=coupled)
    holds = moved(found, claimed) == "met"
    words = f"{moved_words(found)} ({change_words(found)}) against {against}"
    return Claim(text, metric, claimed, holds, words)


def _pitfalls(scores: dict[str, Measured], before: dict[str, Measured] | None) -> list[Shown]:
    """Those that the version or its parent shows, most changed first."""
    found = []
    for pitfall, metric in zip(PITFALLS, PITFALL_METRICS, strict=True):
        here = scores[metric.name].counted
        there = before[metric.name].counted if before else None
        if here[0] or (there and there[0]):
            found.append(Shown(pitfall.title.lower(), pitfall.meaning, *here, there))
    return found


def marked(text: str, spans: Sequence[Span]) -> list[tuple[str, Span | None]]:
    """A text cut into pieces, each with the span around it; joined, they are the text.

    Where spans overlap, the one that begins first has the letters that they share.
    """
    pieces: list[tuple[str, Span | None]] = []
    position = 0
    for span in sorted(spans, key=lambda span: span.start):
        start = max(span.start, position)
        end = max(span.end, start)
        pieces += [(text[position:start], None), (text[start:end], span)]
        position = end
    pieces.append((text[position:], None))
    return [piece for piece in pieces if piece[0]]
