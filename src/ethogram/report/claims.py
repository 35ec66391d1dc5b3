"""What PROGRESS.md says of each version, derived from the store and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ethogram.metrics import Output, Score, Span
from ethogram.metrics.pitfalls.registry import PITFALL_METRICS, PITFALLS
from ethogram.report.trained import training_lines
from ethogram.spec import Change, Version, diff_versions
from ethogram.spec.aims import WAYS, within
from ethogram.spec.guarded import Guarded
from ethogram.study.aims import Aims, aim_metrics, judge_aims, moved
from ethogram.study.difference import Difference, comparable, difference, differences
from ethogram.study.measure import Measured, measure, metric_names
from ethogram.study.notes import NOTE_FIELDS
from ethogram.study.stale import has_results, results_of
from ethogram.study.wording import change_words, moved_words, name_words, value_words
from ethogram.study.workspace import Study

EXAMPLE_CHARACTERS = 320


@dataclass(frozen=True)
class Example:
    """One output that shows a result, and why it was chosen."""

    why: str
    prompt_id: str
    sample_index: int
    prompt: str
    text: str
    identity: str
    spans: Sequence[Span] = ()
    guarded: Guarded | None = None


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
class Pair:
    """One prompt before and after.

    Attributes:
        why: the rule by which the prompt was chosen.
        before: the parent's output.
        after: the version's own.
    """

    why: str
    before: Example
    after: Example


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
        pair: one prompt before and after; None without a parent.
        example: one output, where there is no pair.
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
    pitfalls = [metric.name for metric in PITFALL_METRICS]
    named = [name for version in shown for name in aim_metrics(study, version)]
    needed = [*metric_names(study), *pitfalls, *named, "loop_rate", "answer_first"]
    columns = tuple(dict.fromkeys(needed))
    return {name: measure(study, name, columns, accept="earlier") for name in measured}


def entries(study: Study, *, measured: dict[str, dict[str, Measured]] | None = None) -> list[Entry]:
    """One entry per version that has all its generations, in the study's order."""
    scores = measured_versions(study) if measured is None else measured
    return [make_entry(study, name, scores) for name in scores]


def make_entry(study: Study, name: str, measured: dict[str, dict[str, Measured]]) -> Entry:
    """The entry of one version; `measured` has its scores and those of what it compares with."""
    version = study.versions[name]
    scores = measured[name]
    parent = version.parent if version.parent in measured else None
    if parent and not comparable(measured[parent], scores):
        parent = None
    ran = results_of(study, name)
    shown = metric_names(study)
    of_each_output = scores[PITFALL_METRICS[0].name]
    found: dict[str, Difference] = {}
    if parent:
        coupled = study.coupled(parent, name)
        found = differences(measured[parent], scores, shown, parent, name, coupled=coupled)
    aims = judge_aims(study, name, measured[parent], scores, found) if parent else None
    pair = make_pair(study, name, parent, measured) if parent else None
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
        example=None if pair else _example(study, name, scores),
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


def make_pair(
    study: Study, name: str, parent: str, measured: dict[str, dict[str, Measured]]
) -> Pair | None:
    """The prompt on which the first aim moved most, or on which loops did, before and after."""
    aim = next(iter(study.versions[name].aim), "loop_rate")
    before, after = measured[parent][aim], measured[name][aim]
    moves = prompt_moves(before, after)
    if not moves:
        return None
    turned = -1.0 if study.versions[name].aim.get(aim) == "lower" else 1.0
    most = max(moves, key=lambda prompt: (turned * moves[prompt], abs(moves[prompt])))
    if not any(moves.values()):
        why = f"the first prompt, because {name_words(after.metric)} changed on none"
        most = next(iter(moves))
    else:
        why = f"where {name_words(after.metric)} changed most"
    sides = [output_of(study, version, most, measured[version]) for version in (parent, name)]
    return Pair(why, *sides)


def prompt_moves(before: Measured, after: Measured) -> dict[str, float]:
    """After minus before for every prompt that both have, in the order of the suite."""
    one, two = before.by_prompt(), after.by_prompt()
    return {
        prompt: 0.0 if math.isnan(two[prompt] - one[prompt]) else two[prompt] - one[prompt]
        for prompt in one
        if prompt in two
    }


def output_of(study: Study, version: str, prompt: str, scores: dict[str, Measured]) -> Example:
    """A prompt's first sample, or the first that loops where most of them do."""
    mine = scores["loop_rate"].of_prompt(prompt)
    looping = [each for each in mine if each[2].value and each[2].spans]
    place, output, score = looping[0] if 2 * len(looping) > len(mine) else mine[0]
    return Example(
        why="",
        prompt_id=prompt,
        sample_index=output.sample_index,
        prompt=output.prompt,
        text=output.text,
        identity=results_of(study, version).identities[place][:12],
        spans=score.spans,
        guarded=output.guarded,
    )


def _example(study: Study, name: str, scores: dict[str, Measured]) -> Example | None:
    """The clearest loop where loops are common, else the median answer, else the median output."""
    outputs = scores["loop_rate"].outputs
    if not outputs:
        return None
    pairs = list(zip(outputs, scores["loop_rate"].scores, strict=True))
    speaking = [(output, score) for output, score in pairs if output.text.strip()]
    looping = [(output, score) for output, score in speaking if score.value and score.spans]
    asked = [
        (output, score)
        for output, score in zip(outputs, scores["answer_first"].scores, strict=True)
        if score.value is not None
    ]
    answers = [(output, score) for output, score in asked if score.value == 1]
    if looping and len(looping) * 4 >= len(speaking):
        chosen, score = max(looping, key=lambda pair: (_covered(*pair), pair[0].prompt_id))
        why = "the clearest loop"
    elif answers and len(answers) * 2 >= len(asked):
        chosen, score = _of_median_length(answers)
        why = f"of median length among the {len(answers)} that start with the answer"
    else:
        chosen, score = _of_median_length(speaking or pairs)
        why = f"of median length among the {len(speaking)} that are not empty"
    spans = score.spans
    identities = results_of(study, name).identities
    place = next(index for index, output in enumerate(outputs) if output is chosen)
    return Example(
        why=why,
        prompt_id=chosen.prompt_id,
        sample_index=chosen.sample_index,
        prompt=chosen.prompt,
        text=chosen.text,
        identity=identities[place][:12],
        spans=spans,
        guarded=chosen.guarded,
    )


def _of_median_length(pairs: Sequence[tuple[Output, Score]]) -> tuple[Output, Score]:
    by_length = sorted(
        pairs, key=lambda pair: (len(pair[0].text), pair[0].prompt_id, pair[0].sample_index)
    )
    return by_length[len(by_length) // 2]


def _covered(output: Output, score: Score) -> float:
    """The share of the text that the loop covers."""
    return sum(span.end - span.start for span in score.spans) / max(1, len(output.text))


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
