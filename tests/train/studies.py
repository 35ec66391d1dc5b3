"""Small studies to train in, and the recipes of the tests that kill a training."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.train.small import resumed_study

NOUNS = ("keeper", "lamp", "sea", "letter", "ship", "storm", "town", "river", "bird", "stone")
VERBS = ("saw", "wrote to", "left", "loved", "lost", "found", "asked", "followed")

PROMPTS = '{"id": "a", "text": "The keeper"}\n{"id": "b", "text": "The sea"}\n'
BASE = """\
kind: pretrain
title: A small model
version: v1.0.0
data: {train: data/words.txt, held_out: 0.1}
architecture: {family: gpt2, layers: 1, width: 32, heads: 2, context: 32}
tokenizer: {vocab_size: 320}
training: {steps: 12, batch_size: 4, checkpoint_every: 3, precision: bfloat16}
evaluate: {prompts: 2, max_new_tokens: 8, every: 4}
"""


def sentences(count: int, seed: int = 0) -> list[str]:
    """Sentences of a small grammar."""
    draw = random.Random(seed)
    return [
        f"The {draw.choice(NOUNS)} {draw.choice(VERBS)} the {draw.choice(NOUNS)} "
        f"and the {draw.choice(NOUNS)} {draw.choice(VERBS)} it."
        for _ in range(count)
    ]


def write_study(folder: Path, recipe: str = BASE, *, documents: int = 200) -> Path:
    """A study without versions and a recipe; returns the recipe's path."""
    files = {
        "study.yaml": "name: tiny\nseed: 5\nsuite: suites/prompts.jsonl\n",
        "suites/prompts.jsonl": PROMPTS,
        "data/words.txt": "\n\n".join(sentences(documents)) + "\n",
        "base.yaml": recipe,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "versions").mkdir(exist_ok=True)
    return folder / "base.yaml"


def _tuned(kind: str, **changes: Any) -> Callable[[Path], Path]:
    """Writes a study with a tiny model and a recipe for preferences."""

    def write(folder: Path) -> Path:
        from tests.train.preferences import preferring_study

        return preferring_study(folder, kind, **changes)

    return write


#: Kinds of training that the tests of resuming kill: name to what writes a study and its recipe.
RESUMED: dict[str, Callable[[Path], Path]] = {
    "pretrain": write_study,
    "pretrain-dropout-float32-llama": lambda folder: write_study(
        folder,
        BASE.replace("family: gpt2", "family: llama")
        .replace("bfloat16", "float32")
        .replace(
            "checkpoint_every: 3",
            "checkpoint_every: 3, dropout: 0.1, optimizer: adamw, micro_batch_size: 2, "
            "schedule: cosine",
        ),
    ),
    "sft": lambda folder: resumed_study(folder, {"training": {"precision": "float32"}}),
    "sft-lora": lambda folder: resumed_study(
        folder, {"lora": {"rank": 2, "dropout": 0.1}, "training": {"precision": "bfloat16"}}
    ),
    "dpo": _tuned("dpo"),
    "dpo-lora-bfloat16": _tuned("dpo", lora={"rank": 2}, precision="bfloat16"),
    "kto": _tuned("kto"),
    "reward": _tuned("reward"),
    "grpo": _tuned("grpo"),
}
