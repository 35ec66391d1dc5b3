"""Pairs: a better and a worse output of one prompt, by a metric or by a judge, for DPO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ethogram.errors import SpecError
from ethogram.metrics import Output, get
from ethogram.spec.suite import SuitePrompt
from ethogram.study.measure import measure
from ethogram.study.workspace import Study

#: `--metrics judge:NAME` takes the stored verdicts of that judge.
JUDGE = "judge:"


def preference_pairs(
    study: Study, versions: Sequence[str], by: Sequence[str], tag: str | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of `prompt`, `chosen`, `rejected`, as TRL's DPOTrainer reads them.

    By a metric: of each prompt the best and the worst output of all the versions, on the metric's
    better side; prompts where they tie give none. By a judge (`judge:MODEL`): each pair of two
    versions that its stored verdicts decide in both orders.

    A version with `chat: true` gives conversations, any other the text that the model saw.

    Args:
        study: the opened study.
        versions: names; with a judge, two.
        by: one metric, or `judge:MODEL`.
        tag: only prompts with this tag.

    Raises:
        SpecError: not one metric, one without a better side, missing generations or verdicts.
    """
    if len(by) != 1:
        raise SpecError(
            "pairs need one metric to decide which output is better",
            where="--metrics",
            hint="name one, like answer_first, or judge:MODEL for stored verdicts",
        )
    prompts = {item.id: item for name in versions for item in study.suite(name).prompts}
    decided = (
        _judged(study, versions, by[0].removeprefix(JUDGE))
        if by[0].startswith(JUDGE)
        else (_measured(study, versions, by[0]))
    )
    for chosen, rejected in decided:
        item = prompts.get(chosen.prompt_id)
        if tag is None or (item is not None and tag in item.tags):
            yield _row(study, versions[0], item, chosen, rejected)


def _judged(study: Study, versions: Sequence[str], model: str) -> Iterator[tuple[Output, Output]]:
    from ethogram.study.judging.judge import judge
    from ethogram.study.judging.pairwise import PairwiseJudgement

    if len(versions) != 2:
        raise SpecError("verdicts need two versions", hint="name both")
    found = judge(study, versions[0], versions[1], model=model, offline=True)
    for pair in found.pairs if isinstance(found, PairwiseJudgement) else ():
        if pair.outcome == "before":
            yield pair.before, pair.after
        elif pair.outcome == "after":
            yield pair.after, pair.before


def _measured(study: Study, versions: Sequence[str], name: str) -> Iterator[tuple[Output, Output]]:
    metric = get(name)
    if metric.direction == "none" or metric.scope == "prompt":
        raise SpecError(
            "it cannot decide which of two outputs is better",
            where=f"--metrics {name}",
            hint="choose a metric of single outputs with a better direction",
        )
    sign = 1 if metric.direction == "higher" else -1
    by_prompt: dict[str, list[tuple[float, Output]]] = {}
    for version in versions:
        measured = measure(study, version, [name])[name]
        for output, score in zip(measured.outputs, measured.scores, strict=True):
            if score.value is not None:
                by_prompt.setdefault(output.prompt_id, []).append((sign * score.value, output))
    for rated in by_prompt.values():
        best = max(rated, key=lambda pair: pair[0])
        worst = min(rated, key=lambda pair: pair[0])
        if best[0] > worst[0]:
            yield best[1], worst[1]


def _row(
    study: Study, version: str, item: SuitePrompt | None, chosen: Output, rejected: Output
) -> dict[str, Any]:
    resolved = study.spec.version(version)
    prompt: Any = chosen.prompt
    if item is not None and not resolved.outputs:
        prompt = resolved.prompt.render(item)
    elif item is not None and item.messages is not None:
        prompt = item.messages
    sides: list[Any] = [chosen.text, rejected.text]
    if not isinstance(prompt, str):
        prompt = [{"role": turn.role, "content": turn.content} for turn in prompt]
        sides = [[{"role": "assistant", "content": text}] for text in sides]
    return {
        "prompt": prompt,
        "chosen": sides[0],
        "rejected": sides[1],
        "prompt_id": chosen.prompt_id,
    }
