"""IFEval: a chat model's answers to the 541 prompts, and how many demands they follow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ethogram.cache import cache_folder
from ethogram.errors import WriteError
from ethogram.files import open_text
from ethogram.metrics import Output
from ethogram.metrics.base import Array
from ethogram.metrics.instruction import loose_verdicts, strict_verdicts
from ethogram.replications.data import DataFolders
from ethogram.replications.result import Replicated, Row
from ethogram.replications.running import DEFAULT_MODEL, bounded, part, share
from ethogram.spec import Decoding, Generation, Prompt, Version
from ethogram.spec.requests import make_requests
from ethogram.spec.suite import Constraint, Suite, SuitePrompt

#: IFEval of SmolLM2-135M-Instruct, the mean of prompt-strict and instruction-strict in percent.
PUBLISHED = 29.9
#: The names under which the model of that value can be run.
PUBLISHED_MODELS = frozenset({DEFAULT_MODEL, "HuggingFaceTB/SmolLM2-135M-Instruct"})
SOURCE = (
    "model card of HuggingFaceTB/SmolLM2-135M-Instruct, row 'IFEval (Average prompt/inst)'; "
    "metric: Zhou et al. 2023, arXiv:2311.07911"
)
#: As lm-eval 0.4.13 has it (tasks/ifeval: max_gen_toks).
MAX_NEW_TOKENS = 1280
_WHY = (
    "The card does not say with which template, system message and longest output its value was "
    "made, nor whether its reading is the strict one. Here the model's own chat template is used, "
    "decoding is greedy, and no stop string is set.",
    "The built-in model is the Q4_1 quantisation of the published weights, run in float32; run "
    "--model HuggingFaceTB/SmolLM2-135M-Instruct for the weights themselves.",
)
_NO_VALUE = "No published value for this model."


def replicate(
    data: DataFolders,
    *,
    model: str = DEFAULT_MODEL,
    limit: int | None = None,
    max_new_tokens: int = MAX_NEW_TOKENS,
    on_progress: Callable[[int], None] | None = None,
) -> Replicated:
    """IFEval of a chat model, in percent.

    Answers are kept in the cache, so that a run that was cut off goes on where it stopped.

    Args:
        data: where the prompts lie.
        model: built-in name, hub id, local folder or .gguf file; with a chat template.
        limit: the first so many prompts only; None for all.
        max_new_tokens: longest answer.
        on_progress: called with how many answers there are.

    Raises:
        ModelError: the model cannot be had.
        RequestError: it has no chat template, or a prompt does not fit its context.
        MissingExtraError: the extra [ifeval] or [engine] is not installed.
    """
    asked = read_prompts(data.files("ifeval")["prompts"])
    chosen = asked[:limit]
    for item in chosen:
        # What judges is missed now rather than after all has been generated.
        strict_verdicts(Output(text="words", constraints=item.constraints))
    answers = _answers(model, chosen, max_new_tokens, on_progress)
    outputs = [
        Output(text=answers[item.id].text, prompt=item.as_text(), constraints=item.constraints)
        for item in chosen
    ]
    cut = sum(answers[item.id].finish_reason == "length" for item in chosen)
    known = model in PUBLISHED_MODELS
    notes = [f"{cut} of {len(chosen)} answers were cut off at {max_new_tokens} tokens."]
    if max_new_tokens != MAX_NEW_TOKENS:
        notes.append(f"Evaluations elsewhere allow {MAX_NEW_TOKENS} tokens, as is the default.")
    return Replicated(
        name="ifeval",
        title=f"IFEval, {len(asked)} prompts (percent)",
        source=SOURCE,
        rows=_rows(model, outputs, PUBLISHED if known else None),
        why=_WHY if known else (_NO_VALUE, _WHY[0]),
        notes=(*part(len(chosen), len(asked), "prompts"), *notes),
    )


def _rows(model: str, outputs: list[Output], published: float | None) -> list[Row]:
    rows = []
    for reading, judge in (("strict", strict_verdicts), ("loose", loose_verdicts)):
        verdicts = [judge(output) for output in outputs]
        whole = [all(each) for each in verdicts]
        parts = np.array(
            [[float(all(each)), float(sum(each)), float(len(each))] for each in verdicts]
        )
        found = (
            ("mean of both", bounded(parts, _both)),
            ("prompt", share(sum(whole), len(whole))),
            ("instruction", bounded(parts, _by_instruction)),
        )
        for level, interval in found:
            known = published if (level, reading) == ("mean of both", "strict") else None
            rows.append(
                Row.of_interval(model, f"{level}, {reading}", interval, 1, known, scale=100)
            )
    return rows


def _by_instruction(means: Array) -> Array:
    result: Array = means[..., 1] / means[..., 2]
    return result


def _both(means: Array) -> Array:
    result: Array = (means[..., 0] + _by_instruction(means)) / 2
    return result


def read_prompts(path: Path) -> list[SuitePrompt]:
    """IFEval's prompts with their constraints."""
    with open_text(path) as file:
        rows = [json.loads(line) for line in file]
    return [
        SuitePrompt(
            id=str(row["id"]),
            text=row["prompt"],
            constraints=tuple(
                Constraint(type=name, kwargs=kwargs)
                for name, kwargs in zip(row["instruction_id_list"], row["kwargs"], strict=True)
            ),
        )
        for row in rows
    ]


def _answers(
    model: str,
    prompts: list[SuitePrompt],
    max_new_tokens: int,
    on_progress: Callable[[int], None] | None,
) -> dict[str, Generation]:
    """Prompt id to answer; what the cache does not hold is generated."""
    from ethogram.engine import Engine
    from ethogram.models import ModelReference, load
    from ethogram.models.catalogue import identity
    from ethogram.store import Store

    version = Version(
        model=model,
        decoding=Decoding(strategy="greedy", max_new_tokens=max_new_tokens),
        prompt=Prompt(chat=True),
    )
    reference = ModelReference(model)
    weights = identity(reference)
    requests = make_requests(
        version, Suite(prompts=tuple(prompts)), samples=1, seed=0, model_identity=weights
    )
    identities = [request.identity for request in requests]
    with Store.open(_store_path()) as store:
        missing = set(store.missing(identities))
        if missing:
            stored = len(requests) - len(missing)
            engine = Engine(load(reference))
            todo = [request for request in requests if request.identity in missing]
            for done, generation in enumerate(engine.generate(todo), start=stored + 1):
                store.add([generation], model=weights)
                if on_progress:
                    on_progress(done)
        found = store.get(identities)
    return {request.prompt_id: found[request.identity] for request in requests}


def _store_path() -> Path:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(folder, error) from None
    return folder / "replications.sqlite"
