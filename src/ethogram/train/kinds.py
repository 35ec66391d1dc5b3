"""Kinds: which module trains which kind of recipe. A module is imported when it is needed."""

from __future__ import annotations

import importlib
from typing import cast

from ethogram.extras import require
from ethogram.train.job import Kind

#: Kind of recipe to its module, which has the functions of `Kind`.
MODULES = {
    "pretrain": "ethogram.train.pretrain",
    "sft": "ethogram.train.sft",
    "reward": "ethogram.train.reward",
    "dpo": "ethogram.train.dpo",
    "kto": "ethogram.train.kto",
    "grpo": "ethogram.train.grpo",
}


def kind_of(name: str) -> Kind:
    """The module of a kind of recipe.

    Raises:
        MissingExtraError: the optional part [train] is not installed.
    """
    for module in ("torch", "transformers", "datasets", "trl", "peft"):
        require(module, extra="train", needed_for="training")
    return cast(Kind, importlib.import_module(MODULES[name]))
