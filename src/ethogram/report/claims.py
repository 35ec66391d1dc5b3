"""Claims: the numbers and examples of PROGRESS.md, derived from the store and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ethogram.metrics import Output, Score, Span
from ethogram.metrics.pitfalls.registry import PITFALL_METRICS, PITFALLS
from ethogram.spec import Change, diff_versions
from ethogram.study.difference import Difference, differences
from ethogram.study.measure import Measured, measure, metric_names
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


@dataclass(frozen=True)
class Shown:
    """A pitfall that was found: in how many outputs of how many."""

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
    pitfalls: Sequence[Shown]
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
    pitfalls = [metric.name for metric in PITFALL_METRICS]
    needed = [*metric_names(study), *pitfalls, "loop_rate", "answer_first"]
    columns = tuple(dict.fromkeys(needed))
    measured = {name: measure(study, name, columns) for name in ready}
    return [_entry(study, name, measured) for name in ready]


def _entry(study: Study, name: str, measured: dict[str, dict[str, Measured]]) -> Entry:
    version = study.versions[name]
    scores = measured[name]
    parent = version.parent if version.parent in measured else None
    shown = metric_names(study)
    of_each_output = scores[PITFALL_METRICS[0].name]
    return Entry(
        version=name,
        title=version.title,
        parent=version.parent,
        model=version.model,
        identity=version.identity[:12],
        generations=len(of_each_output.outputs),
        prompts=len(of_each_output.parts_by_prompt()[0]),
        changes=diff_versions(study.versions[version.parent], version) if version.parent else [],
        values={column: scores[column] for column in shown},
        differences=differences(
            measured[parent], scores, shown, parent, name, coupled=study.coupled(parent, name)
        )
        if parent
        else {},
        pitfalls=_pitfalls(scores),
        example=_example(study, name, scores),
        learned=version.learned,
        takeaway=version.takeaway,
        limitation=version.limitation,
        notes=version.notes,
    )


def _pitfalls(scores: dict[str, Measured]) -> list[Shown]:
    found = []
    for pitfall, metric in zip(PITFALLS, PITFALL_METRICS, strict=True):
        values = [score.value for score in scores[metric.name].scores if score.value is not None]
        if any(values):
            name = pitfall.title.lower()
            found.append(Shown(name, pitfall.meaning, int(sum(values)), len(values)))
    return found


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
        why = f"the clearest loop; {score.spans[0].label}"
    elif answers and len(answers) * 2 >= len(asked):
        chosen, score = _of_median_length(answers)
        why = f"of median length among the {len(answers)} that answer first"
    else:
        chosen, score = _of_median_length(speaking or pairs)
        why = f"of median length among the {len(speaking)} that say something"
    spans = score.spans
    identities = study.identities(name)
    place = next(index for index, output in enumerate(outputs) if output is chosen)
    return Example(
        why=why,
        prompt_id=chosen.prompt_id,
        sample_index=chosen.sample_index,
        prompt=chosen.prompt,
        text=chosen.text,
        identity=identities[place][:12],
        spans=spans,
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
