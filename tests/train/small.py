"""Small studies with a tiny checkpoint and a recipe, and the job of that recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.architectures import tiny_config
from tests.train.byte_words import tokenizer

ROLES = ("<pad>", "<|user|>", "<|assistant|>")
QUESTIONS = (
    "What is the capital of France?",
    "Who wrote the letter to the sea?",
    "How many legs has a spider?",
    "Where does the river go?",
    "Why is the sky blue at noon and red at night, do you know?",
    "Name a colour.",
)
ANSWERS = ("Paris.", "The old keeper of the lighthouse.", "Eight.", "To the sea.", "Light.", "Red.")


def talks(count: int = 12) -> list[dict[str, Any]]:
    """Rows of `messages`: questions and answers, every third one with a second turn."""
    rows = []
    for at in range(count):
        question, answer = QUESTIONS[at % 6], ANSWERS[at % 6]
        turns = [(f"{question} ({at})", answer)]
        if at % 3 == 0:
            turns.append(("Are you sure?", f"Yes, {at}."))
        messages = [
            {"role": role, "content": text}
            for pair in turns
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]
        rows.append({"messages": messages})
    return rows


def checkpoint(folder: Path, kind: str = "gpt2", words: Any = None, *, seed: int = 3) -> Any:
    """Save a tiny random model with its tokenizer; returns the tokenizer."""
    import torch
    import transformers

    words = words or tokenizer(ROLES, eos="<eos>", pad="<pad>")
    config = tiny_config(kind, len(words))
    config.eos_token_id = words.eos_token_id
    config.pad_token_id = words.pad_token_id
    config.bos_token_id = words.bos_token_id
    if kind == "t5":
        config.decoder_start_token_id = words.pad_token_id
    config.tie_word_embeddings = kind in ("gpt2", "llama", "t5")
    torch.manual_seed(seed)
    make = transformers.AutoModelForSeq2SeqLM if kind == "t5" else transformers.AutoModelForCausalLM
    model = make.from_config(config)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return words


def make_study(
    folder: Path,
    recipe: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    *,
    kind: str = "gpt2",
    words: Any = None,
    prompt: dict[str, Any] | None = None,
    suite: Sequence[str] = ("Who are you?", "Tell me of the moon."),
    base_model: str = "models/base",
) -> Path:
    """Write a study with a version v0.0.1 of a tiny model, data, and a recipe; returns its path."""
    for name in ("versions", "suites", "data", "recipes"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    checkpoint(folder / base_model, kind, words)
    (folder / "study.yaml").write_text("name: small\nsuite: suites/s.jsonl\nsamples: 1\n")
    lines = [json.dumps({"id": f"p{at}", "text": text}) for at, text in enumerate(suite)]
    (folder / "suites/s.jsonl").write_text("\n".join(lines) + "\n")
    version = {
        "title": "Base",
        "model": base_model,
        "decoding": {"max_new_tokens": 8, "temperature": 0},
    }
    if prompt:
        version["prompt"] = prompt
    (folder / "versions/v0.0.1.yaml").write_text(json.dumps(version))
    (folder / "data/train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    base: dict[str, Any] = {
        "kind": "sft",
        "parent": "v0.0.1",
        "data": {"train": "data/train.jsonl", "held_out": 0.25},
        "training": {"steps": 2, "batch_size": 4, "precision": "float32"},
        "changes": {"prompt": {"chat": True}},
    }
    path = folder / "recipes/tuned.yaml"
    path.write_text(json.dumps({**base, **recipe}))
    return path


def make_job(path: Path, **changes: Any) -> Any:
    """The job of a recipe in a study that `make_study` wrote."""
    from ethogram.spec.recipes import load_recipe
    from ethogram.study import Study
    from ethogram.train.job import Job

    study = Study(path.parent.parent)
    recipe = load_recipe(path)
    parent = study.model_reference(recipe.parent) if recipe.parent else None  # type: ignore[union-attr]
    job = Job(
        study=study,
        path=path,
        recipe=recipe,  # type: ignore[arg-type]
        seed=1,
        folder=study.folder / "models" / recipe.name,
        work=study.folder / ".train",
        parent=parent,
    )
    return replace(job, **changes)


def arguments(job: Any, **changes: Any) -> dict[str, Any]:
    """Plain TrainingArguments for two steps on the CPU."""
    return {
        "output_dir": str(job.work),
        "max_steps": 2,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "use_cpu": True,
        "seed": 1,
        "disable_tqdm": True,
        **changes,
    }


def resumed_study(folder: Path, recipe: dict[str, Any]) -> Path:
    """A study for the tests of resuming, with its recipe beside study.yaml."""
    training = {"steps": 12, "batch_size": 4, "checkpoint_every": 3, "dropout": 0.1}
    settings = {
        "version": "v2.0.0",
        "evaluate": {"prompts": 2, "max_new_tokens": 8, "every": 4},
        **recipe,
        "training": {**training, **recipe.get("training", {})},
    }
    path = make_study(folder, settings, talks(24), base_model="parent")
    return path.rename(folder / "tuned.yaml")
