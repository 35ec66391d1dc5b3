"""Claims: the numbers and examples of PROGRESS.md, derived from the store and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ethogram.metrics import Output, Score
from ethogram.spec import Change, diff_versions
from ethogram.study.compare import Difference, difference
from ethogram.study.measure import Measured, measure, metric_names
from ethogram.study.workspace import Study

#: Metrics that make an example of a failure, and from which value on it is one.
PITFALLS: dict[str, tuple[str, str]] = {
    "loop_rate": ("loops", "ends in a phrase repeated at least three times"),
    "prompt_echo": ("echoes", "repeats the prompt"),
}
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


@dataclass(frozen=True)
class Pitfall:
    """A failure that was found: how many outputs of how many."""

    name: str
    meaning: str
    found: int
    total: int


@dataclass(frozen=True)
class Entry:
    """All that the log says about one version."""

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
    pitfalls: Sequence[Pitfall]
    example: Example | None
    learned: Sequence[str]
    takeaway: Sequence[str]
    limitation: Sequence[str]
    notes: Sequence[str]


def entries(study: Study, versions: Sequence[str] | None = None) -> list[Entry]:
    """One entry per version that has all its generations, in the study's order."""
    ready = [
        name
        for name in (versions or study.versions)
        if not study.store.missing(study.identities(name))
    ]
    columns = tuple(dict.fromkeys([*metric_names(study), *PITFALLS]))
    measured = {name: measure(study, name, columns) for name in ready}
    return [_entry(study, name, measured) for name in ready]


def _entry(study: Study, name: str, measured: dict[str, dict[str, Measured]]) -> Entry:
    version = study.versions[name]
    scores = measured[name]
    parent = version.parent if version.parent in measured else None
    shown = metric_names(study)
    any_scores = next(iter(scores.values()))
    return Entry(
        version=name,
        title=version.title,
        parent=version.parent,
        model=version.model,
        identity=version.identity[:12],
        generations=len(any_scores.outputs),
        prompts=len(any_scores.parts_by_prompt()[0]),
        changes=diff_versions(study.versions[version.parent], version) if version.parent else [],
        values={column: scores[column] for column in shown},
        differences={
            column: difference(measured[parent][column], scores[column], parent, name)
            for column in shown
        }
        if parent
        else {},
        pitfalls=_pitfalls(scores),
        example=_example(study, name, scores),
        learned=version.learned,
        takeaway=version.takeaway,
        limitation=version.limitation,
        notes=version.notes,
    )


def _pitfalls(scores: dict[str, Measured]) -> list[Pitfall]:
    found = []
    for metric, (name, meaning) in PITFALLS.items():
        values = [score.value for score in scores[metric].scores if score.value is not None]
        count = sum(value >= 0.5 for value in values)
        if count:
            found.append(Pitfall(name, meaning, count, len(values)))
    return found


def _example(study: Study, name: str, scores: dict[str, Measured]) -> Example | None:
    """The clearest loop where loops are common, else the output of median length."""
    loops = scores["loop_rate"]
    outputs = loops.outputs
    if not outputs:
        return None
    looping = [
        (output, score)
        for output, score in zip(outputs, loops.scores, strict=True)
        if score.value and score.spans
    ]
    if len(looping) * 4 >= len(outputs):
        chosen = max(looping, key=lambda pair: (_covered(*pair), pair[0].prompt_id))[0]
        why = "the clearest loop"
    else:
        by_length = sorted(
            outputs, key=lambda output: (len(output.text), output.prompt_id, output.sample_index)
        )
        chosen = by_length[len(by_length) // 2]
        why = "the output of median length"
    identities = study.identities(name)
    return Example(
        why=why,
        prompt_id=chosen.prompt_id,
        sample_index=chosen.sample_index,
        prompt=chosen.prompt,
        text=chosen.text,
        identity=identities[list(outputs).index(chosen)][:12],
    )


def _covered(output: Output, score: Score) -> float:
    """The share of the text that the loop covers."""
    return sum(span.end - span.start for span in score.spans) / max(1, len(output.text))


def number(value: float) -> str:
    """A value as the log prints it: enough digits to be checked, none to drown in."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"


def signed(value: float) -> str:
    """A difference as the log prints it."""
    return "–" if math.isnan(value) else f"{value:+.3f}" if abs(value) < 10 else f"{value:+.2f}"


def printable(text: str) -> str:
    """Text without control characters, so that no output can drive the terminal."""
    return "".join(
        character if character == "\n" or character.isprintable() else "�" for character in text
    ).strip()
