"""Examples: the outputs that the log shows of a version, and by which rule each was chosen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ethogram.metrics import Output, Score, Span
from ethogram.spec.guarded import Guarded
from ethogram.study.difference import comparable
from ethogram.study.measure import Measured
from ethogram.study.stale import results_of
from ethogram.study.stored_outputs import read_together
from ethogram.study.wording import name_words
from ethogram.study.workspace import Study

#: Version to metric to scores.
Scores = Mapping[str, Mapping[str, Measured]]


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


def parent_of(study: Study, version: str, measured: Scores) -> str | None:
    """The parent that a version is compared with; None without one that shares a prompt with it."""
    parent = study.versions[version].parent
    if parent and parent in measured and comparable(measured[parent], measured[version]):
        return parent
    return None


def make_pairs(study: Study, versions: Iterable[str], measured: Scores) -> dict[str, Pair]:
    """Of each version with a parent: one prompt before and after. All outputs are read at once."""
    chosen = {
        name: (parent, *choice)
        for name in versions
        if (parent := parent_of(study, name, measured))
        and (choice := _telling_prompt(study, name, parent, measured))
    }
    wanted = [
        (version, prompt)
        for name, (parent, prompt, _) in chosen.items()
        for version in (parent, name)
    ]
    shown = examples_of(study, wanted, measured)
    return {
        name: Pair(why, shown[parent, prompt], shown[name, prompt])
        for name, (parent, prompt, why) in chosen.items()
    }


def _telling_prompt(
    study: Study, name: str, parent: str, measured: Scores
) -> tuple[str, str] | None:
    """The prompt on which the first aim moved most, or on which loops did, and why it is shown."""
    aim = next(iter(study.versions[name].aim), "loop_rate")
    before, after = measured[parent][aim], measured[name][aim]
    moves = prompt_moves(before, after)
    if not moves:
        return None
    words = name_words(after.metric)
    if not any(moves.values()):
        return next(iter(moves)), f"the first prompt, because {words} changed on none"
    turned = -1.0 if study.versions[name].aim.get(aim) == "lower" else 1.0
    most = max(moves, key=lambda prompt: (turned * moves[prompt], abs(moves[prompt])))
    return most, f"where {words} changed most"


def prompt_moves(before: Measured, after: Measured) -> dict[str, float]:
    """After minus before for every prompt that both have, in the order of the suite."""
    one, two = before.by_prompt(), after.by_prompt()
    return {
        prompt: 0.0 if math.isnan(two[prompt] - one[prompt]) else two[prompt] - one[prompt]
        for prompt in one
        if prompt in two
    }


def examples_of(
    study: Study, wanted: Sequence[tuple[str, str]], measured: Scores
) -> dict[tuple[str, str], Example]:
    """An output of each version and prompt of `wanted`; those of all versions are read at once."""
    loops = {version: measured[version]["loop_rate"] for version, _ in wanted}
    stored = [(loops[version].outputs, prompt) for version, prompt in wanted]
    read_together(study, stored)
    identities = {version: results_of(study, version).identities for version in loops}
    return {
        (version, prompt): _example_of(prompt, loops[version], identities[version])
        for version, prompt in wanted
    }


def _example_of(prompt: str, loops: Measured, identities: Sequence[str]) -> Example:
    """A prompt's first sample, or the first that loops where most of them do."""
    mine = loops.of_prompt(prompt)
    looping = [each for each in mine if each[2].value and each[2].spans]
    place, output, score = looping[0] if 2 * len(looping) > len(mine) else mine[0]
    return Example(
        why="",
        prompt_id=prompt,
        sample_index=output.sample_index,
        prompt=output.prompt,
        text=output.text,
        identity=identities[place][:12],
        spans=score.spans,
        guarded=output.guarded,
    )


def single_example(study: Study, name: str, scores: Mapping[str, Measured]) -> Example | None:
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
