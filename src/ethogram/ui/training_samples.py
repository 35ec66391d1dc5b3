"""Samples over steps for the page: what a model wrote while it was trained, with its pitfalls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from ethogram.errors import EthogramError
from ethogram.metrics import PITFALLS, Output
from ethogram.spec import Suite, load_suite
from ethogram.store import TrainingOutput, Trainings
from ethogram.study.workspace import Study
from ethogram.train.recorded import TrainingNow
from ethogram.ui.models import Answer, Text
from ethogram.ui.texts import MarkedText, loop_as_one, marked_text

#: Characters of a prompt that a list shows.
_PROMPT = 200


class TrainingSample(Answer):
    """One output of a step.

    Attributes:
        step: optimiser steps done.
        decoding: name of it.
        prompt: id.
        sample: index, from 0.
        output: with its pitfalls marked.
        ended: how it ended.
        faults: titles of its pitfalls.
    """

    step: int
    decoding: Text
    prompt: Text
    sample: int
    output: MarkedText
    ended: str
    faults: list[str]


def watched_prompts(
    study: Study, now: TrainingNow, outputs: Iterable[TrainingOutput]
) -> dict[str, Text]:
    """The beginning of each prompt that was watched, by id; the id where the suite has changed."""
    stated = (now.recipe.get("evaluate") or {}).get("suite")
    suite: Suite | None = None
    with suppress(EthogramError):  # Without it, the outputs are there all the same.
        suite = load_suite(study.folder / str(stated or study.spec.settings.suite))
    texts = {each.id: each.text or "" for each in suite.prompts} if suite else {}
    ids = dict.fromkeys(each.prompt_id for each in outputs)
    return {name: texts.get(name, "")[:_PROMPT] or name for name in ids}


def training_samples(
    study: Study, number: int, prompt: str, decoding: str, *, most: int | None = None
) -> list[TrainingSample]:
    """What a training wrote to a prompt, by step; `most` characters of each output."""
    outputs = Trainings(study.store).outputs(number)
    wanted = [
        each for each in outputs if each.prompt_id == prompt and decoding in ("", each.decoding)
    ]
    return shown(wanted, most=most)


def shown(outputs: Iterable[TrainingOutput], *, most: int | None = None) -> list[TrainingSample]:
    """Outputs with their pitfalls marked."""
    return [_sample(each, most) for each in outputs]


def _sample(each: TrainingOutput, most: int | None) -> TrainingSample:
    read = Output(text=each.text, prompt="", finish_reason=each.finish_reason)
    found = [(pitfall, pitfall.find(read)) for pitfall in PITFALLS]
    spans = [
        (pitfall.name, loop_as_one(result.spans) if pitfall.name == "loop" else result.spans)
        for pitfall, result in found
        if result.found
    ]
    titles: Sequence[str] = [pitfall.title for pitfall, result in found if result.found]
    return TrainingSample(
        step=each.step,
        decoding=each.decoding,
        prompt=each.prompt_id,
        sample=each.sample_index,
        output=marked_text(each.text, spans, most=most),
        ended=each.finish_reason,
        faults=list(titles),
    )
