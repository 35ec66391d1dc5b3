"""Rewards of GRPO: metrics, bounds of metrics, reward models and judges as functions of replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ethogram.errors import SpecError
from ethogram.metrics import Metric, Output, get
from ethogram.spec.aims import BOUND, within

if TYPE_CHECKING:
    from pathlib import Path

    from ethogram.spec.recipes import GrpoRecipe, Reward
    from ethogram.train.job import Job

#: Replies to one reward each; None where it does not apply.
RewardFunction = Callable[[Sequence[Output], Sequence[Sequence[Any]]], list[float | None]]


def check_rewards(job: Job, recipe: GrpoRecipe) -> None:
    """Refuse rewards that cannot be computed, before anything is loaded.

    Raises:
        SpecError: an unknown metric, one that needs a model or several outputs, one of which
            neither direction is better without a bound, a bound that is none, or a missing model.
    """
    for at, reward in enumerate(recipe.rewards):
        where = f"{job.path}: rewards.{at}"
        if reward.metric:
            _check_metric(reward, where)
        elif reward.model and not (folder_of(job, reward.model) / "training.json").is_file():
            raise SpecError(
                f"there is no reward model {reward.model!r}",
                where=f"{where}.model",
                hint="train it first, with a recipe of kind reward; it is named by its recipe",
            )


def _check_metric(reward: Reward, where: str) -> None:
    metric = get(cast("str", reward.metric))
    if not metric.reads_one_output:
        raise SpecError(
            f"{metric.name} needs a model or all samples of a prompt",
            where=f"{where}.metric",
            hint="name a metric of single outputs",
        )
    if reward.bound is not None and not BOUND.match(reward.bound):
        raise SpecError(
            f"invalid bound {reward.bound!r}; expected something like '< 0.02'",
            where=f"{where}.bound",
        )
    if reward.bound is None and metric.direction == "none":
        raise SpecError(
            f"neither more nor less of {metric.name} is better",
            where=f"{where}.metric",
            hint="give a bound, such as bound: '< 40'",
        )


def folder_of(job: Job, name: str) -> Path:
    """The folder of a reward model that a recipe names: `models/NAME`, or a path in the study."""
    folder = job.study.folder / "models" / name
    return folder if folder.is_dir() else job.study.folder / name


def reward_inputs(job: Job) -> Mapping[str, str]:
    """Digest of each reward model's weights, by its name."""
    from ethogram.models.checkpoint import file_digest

    found = {}
    for reward in cast("GrpoRecipe", job.recipe).rewards:
        if reward.model:
            files = sorted(folder_of(job, reward.model).glob("*.safetensors"))
            found[reward.model] = " ".join(file_digest(file) for file in files)
    return found


def reward_functions(job: Job) -> dict[str, RewardFunction]:
    """The rewards of a recipe by name, in its order.

    Raises:
        ModelError: a reward model cannot be loaded.
        MissingExtraError: a judge without the extra `judge`.
    """
    found: dict[str, RewardFunction] = {}
    for reward in cast("GrpoRecipe", job.recipe).rewards:
        name = _name(reward)
        found[name if name not in found else f"{name}_{len(found)}"] = _function(job, reward)
    return found


def _name(reward: Reward) -> str:
    if reward.metric:
        return f"{reward.metric} {reward.bound}" if reward.bound else reward.metric
    return f"model {reward.model}" if reward.model else f"judge {reward.judge}"


def _function(job: Job, reward: Reward) -> RewardFunction:
    if reward.metric:
        return _of_metric(get(reward.metric), reward.bound)
    if reward.model:
        return _of_model(folder_of(job, reward.model), job.device)
    return _of_judge(cast("str", reward.judge))


def _of_metric(metric: Metric, bound: str | None) -> RewardFunction:
    """The metric's value, negative where less is better; with a bound, 1 where it holds, else 0."""
    sign = -1.0 if metric.direction == "lower" else 1.0

    def rewards(outputs: Sequence[Output], _: Sequence[Sequence[Any]]) -> list[float | None]:
        values = [metric.measure(output).value for output in outputs]
        if bound is not None:
            return [None if value is None else float(within(value, bound)) for value in values]
        return [None if value is None else sign * value for value in values]

    return rewards


def _of_model(folder: Path, device: str) -> RewardFunction:
    from ethogram.train.reward_model import RewardModel

    model = RewardModel(folder, device)

    def rewards(outputs: Sequence[Output], prompts: Sequence[Sequence[Any]]) -> list[float | None]:
        from ethogram.corpus import Turn

        talks = [
            (*prompt, Turn("assistant", output.text))
            for prompt, output in zip(prompts, outputs, strict=True)
        ]
        return list(model.score(talks))

    return rewards


def _of_judge(model: str) -> RewardFunction:
    """The mean score of the general rubric, from 0 (worst) to 1; None if the reply is unreadable.

    The endpoint is that of the environment, as for `ethogram judge`.
    """
    from ethogram.backends import ChatClient, ChatRequest, Endpoint
    from ethogram.spec.rubric import GENERAL, HIGHEST, LOWEST
    from ethogram.study.judging.prompts import ask_scores, read_scores

    client = ChatClient(model, Endpoint())
    known: dict[str, float | None] = {}

    def rewards(outputs: Sequence[Output], _: Sequence[Sequence[Any]]) -> list[float | None]:
        asked = [ask_scores(GENERAL, each.prompt, each.text, each.reference) for each in outputs]
        new = [text for text in dict.fromkeys(asked) if text not in known]
        for reply in client.ask([ChatRequest(str(at), text) for at, text in enumerate(new)]):
            scores = read_scores(GENERAL, reply.text)
            value = None
            if scores is not None:
                mean = sum(scores.values()) / len(scores)
                value = (mean - LOWEST) / (HIGHEST - LOWEST)
            known[new[int(reply.identity)]] = value
        return [known.get(text) for text in asked]

    return rewards
