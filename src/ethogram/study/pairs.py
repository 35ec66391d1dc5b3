"""Pairs: a better and a worse output of one prompt, by a metric, a judge or votes, for DPO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ethogram.errors import SpecError
from ethogram.metrics import Output, get
from ethogram.spec import Version
from ethogram.spec.suite import SuitePrompt
from ethogram.study.measure import measure
from ethogram.study.stale import stored_results
from ethogram.study.stored_outputs import generations_of, outputs_of
from ethogram.study.workspace import Study

#: `--metrics judge:NAME` takes the stored verdicts of that judge.
JUDGE = "judge:"
#: `--metrics votes` takes the votes of people; `votes:NAME` those of one voter.
VOTES = "votes"


def preference_pairs(
    study: Study,
    versions: Sequence[str],
    by: Sequence[str],
    tag: str | None = None,
    *,
    worded_by: Version | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of `prompt`, `chosen`, `rejected`, as TRL's DPOTrainer reads them.

    By a metric: of each prompt the best and the worst output of all the versions, on the metric's
    better side; prompts where they tie give none. By a judge (`judge:MODEL`): each pair of two
    versions that its stored verdicts decide in both orders. By votes (`votes`, `votes:NAME`): two
    outputs of which more votes prefer one; ties, skipped pairs and evenly split votes give none.

    A version with `chat: true` gives conversations, any other the text that the model saw.

    Args:
        study: the opened study.
        versions: names; with a judge, two.
        by: one metric, `judge:MODEL`, `votes` or `votes:NAME`.
        tag: only prompts with this tag.
        worded_by: a version whose prompt the rows have; default the first of `versions`.

    Raises:
        SpecError: not one metric, one without a better side, missing generations or verdicts.
    """
    if len(by) != 1:
        raise SpecError(
            "pairs need one metric to decide which output is better",
            where="--metrics",
            hint="name one, like answer_first; or judge:MODEL for verdicts, or votes",
        )
    prompts = {item.id: item for name in versions for item in study.suite(name).prompts}
    name, _, voter = by[0].partition(":")
    if name == VOTES:
        decided = _voted(study, versions, voter)
    elif by[0].startswith(JUDGE):
        decided = _judged(study, versions, by[0].removeprefix(JUDGE))
    else:
        decided = _measured(study, versions, by[0])
    for chosen, rejected in decided:
        item = prompts.get(chosen.prompt_id)
        if tag is None or (item is not None and tag in item.tags):
            yield _row(worded_by or study.spec.version(versions[0]), item, chosen, rejected)


def _voted(study: Study, versions: Sequence[str], voter: str) -> Iterator[tuple[Output, Output]]:
    """Winner and loser of each two outputs of the versions, by the majority of votes."""
    from ethogram.store import Votes

    stored = {version: stored_results(study, version) for version in versions}
    known = {version: frozenset(results.identities) for version, results in stored.items()}
    # Votes for the first minus votes for the second.
    balance: dict[tuple[tuple[str, str], tuple[str, str]], float] = {}
    for vote in Votes(study.store).all(kind="human", voters=(voter,) if voter else ()):
        pair = vote.pair
        sides = ((pair.first_version, pair.first), (pair.second_version, pair.second))
        if vote.won is not None and all(
            version in known and identity in known[version] for version, identity in sides
        ):
            balance[sides] = balance.get(sides, 0.0) + 2 * vote.won - 1
    if not balance:
        raise SpecError(
            "no votes on their outputs",
            where=", ".join(versions),
            hint=f"vote first: ethogram arena {' '.join(versions)}",
        )
    voted = {side for sides in balance for side in sides}
    outputs = {
        (version, generation.identity): output
        for version, results in stored.items()
        for mine in [tuple(each for each in results.identities if (version, each) in voted)]
        for part in [replace(results, identities=mine)]
        for generation, output in zip(
            generations_of(study, version, results=part),
            outputs_of(study, version, results=part),
            strict=True,
        )
    }
    for (first, second), lead in sorted(balance.items()):
        if lead:
            better, worse = (first, second) if lead > 0 else (second, first)
            yield outputs[better], outputs[worse]


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
    version: Version, item: SuitePrompt | None, chosen: Output, rejected: Output
) -> dict[str, Any]:
    prompt: Any = chosen.prompt
    if item is not None and not version.outputs:
        prompt = version.prompt.render(item)
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
