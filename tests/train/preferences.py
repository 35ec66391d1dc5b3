"""Pairs and votes on the tiny models of `studies.py`, and TRL's own trainers over the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tests.train.small import ANSWERS, QUESTIONS, make_job, make_study

FLOAT = {
    "learning_rate": 1e-3,
    "schedule": "constant",
    "warmup_steps": 0,
    "precision": "float32",
    "batch_size": 4,
}


def pairs(count: int = 16) -> list[dict[str, Any]]:
    """Preference pairs: a short answer over a long one."""
    return [
        {
            "prompt": f"{QUESTIONS[at % 6]} ({at})",
            "chosen": ANSWERS[at % 6],
            "rejected": f"Well, I am not sure, {ANSWERS[(at + 1) % 6]}",
        }
        for at in range(count)
    ]


def single_votes(count: int = 16) -> list[dict[str, Any]]:
    """Votes: the same replies, liked and disliked."""
    return [
        {"prompt": pair["prompt"], "completion": pair[side], "label": side == "chosen"}
        for at, pair in enumerate(pairs(count))
        for side in [("chosen", "rejected")[at % 2]]
    ]


def preference_study(
    folder: Path, recipe: dict[str, Any], *, rows: Any = None, kind: str = "gpt2"
) -> Path:
    """A study with a recipe for preferences; returns the recipe's path."""
    stated = {"kind": "dpo", "evaluate": {"prompts": 2, "max_new_tokens": 8}, **recipe}
    if stated["kind"] == "reward":
        stated["changes"] = {}
    return make_study(folder, stated, pairs() if rows is None else rows, kind=kind)


def preference_job(folder: Path, recipe: dict[str, Any], **options: Any) -> Any:
    """The job of such a recipe."""
    return make_job(preference_study(folder, recipe, **options))


def losses(trainer: Any) -> list[float]:
    """The loss of each step of a training."""
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def in_order(base: Any) -> Any:
    """A trainer of TRL that reads tokenized rows, in their order."""

    class InOrder(base):
        def _get_train_sampler(self, *_: Any) -> Any:
            return torch.utils.data.SequentialSampler(self.train_dataset)

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    return InOrder


def preferring_study(
    folder: Path, kind: str, *, lora: Any = None, precision: str = "float32"
) -> Path:
    """A study whose recipe, beside study.yaml, trains 10 steps with checkpoints every 3."""
    training = {**FLOAT, "steps": 10, "checkpoint_every": 3, "precision": precision}
    recipe: dict[str, Any] = {"kind": kind, "training": training}
    recipe["evaluate"] = {"prompts": 1, "max_new_tokens": 6, "every": 5}
    if lora:
        recipe["lora"] = lora
    if kind == "grpo":
        rewards = [{"metric": "words", "bound": "< 2"}]
        recipe |= {"generations": 4, "max_new_tokens": 24, "rewards": rewards}
    rows = single_votes() if kind == "kto" else pairs()
    written = preference_study(folder, recipe, rows=rows)
    return written.rename(folder / "tuned.yaml")
