"""Displaced likelihood: DPO of a small GPT-2 at a fitting rate and at one that ruins it.

`python -m benchmarks.displacement [FOLDER]`: a study in which a model is pretrained and tuned on
questions of TruthfulQA, and then prefers the best answer over its own, twice; some minutes on one
core. Prints what the example in docs/train-preferences.md shows, for other questions.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

HELD_OUT, PREFERRED = 60, 250
RATES = ("2e-5", "3e-4")
LOOK = {
    "prompts": HELD_OUT,
    "max_new_tokens": 32,
    "every": 10_000,
    "decodings": {"greedy": {"temperature": 0}},
    "metrics": ["loop_rate", "distinct_2", "tokens"],
}
CHAT = {"prompt": {"chat": True}, "decoding": {"temperature": 0, "max_new_tokens": 32}}


def questions() -> list[tuple[str, str]]:
    """Questions of TruthfulQA with their best answers, shuffled."""
    from ethogram.replications.data import DataFolders

    (path,) = DataFolders(fetch=True).files("truthfulqa").values()
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = [(row["Question"], row["Best Answer"]) for row in csv.DictReader(file)]
    random.Random(0).shuffle(rows)
    return rows


def write(folder: Path) -> list[tuple[str, str]]:
    """Write the study; returns the questions that are preferred on."""
    for name in ("versions", "suites", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = questions()
    held, preferred = rows[:HELD_OUT], rows[HELD_OUT : HELD_OUT + PREFERRED]
    tuned = rows[HELD_OUT + PREFERRED :]
    (folder / "study.yaml").write_text("name: displacement\nseed: 1\nsuite: suites/q.jsonl\n")
    _lines(
        folder / "suites/q.jsonl", [{"id": f"q{at}", "text": q} for at, (q, _) in enumerate(held)]
    )
    _lines(folder / "data/text.jsonl", [{"text": f"{q}\n{a}"} for q, a in rows[HELD_OUT:]])
    _lines(folder / "data/chat.jsonl", [{"prompt": q, "completion": a} for q, a in tuned])
    recipes: dict[str, dict[str, Any]] = {
        "base": {
            "kind": "pretrain",
            "version": "v1.0.0",
            "data": {"train": "data/text.jsonl"},
            "architecture": {"layers": 3, "width": 128, "heads": 4, "context": 128},
            "tokenizer": {"vocab_size": 2000},
            "training": {"steps": 400, "batch_size": 8},
        },
        "chat": {
            "kind": "sft",
            "parent": "v1.0.0",
            "version": "v1.1.0",
            "data": {"train": "data/chat.jsonl"},
            "training": {"steps": 100, "batch_size": 32},
            "changes": CHAT,
        },
    }
    for at, rate in enumerate(RATES, start=2):
        recipes[f"dpo-{rate}"] = {
            "kind": "dpo",
            "parent": "v1.1.0",
            "version": f"v1.{at}.0",
            "data": {"train": "data/pairs.jsonl", "held_out": 0.2},
            "training": {"learning_rate": float(rate), "epochs": 2},
            "changes": CHAT,
        }
    for name, recipe in recipes.items():
        (folder / f"{name}.yaml").write_text(json.dumps({**recipe, "evaluate": LOOK}))
    return preferred


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_pairs(folder: Path, preferred: list[tuple[str, str]]) -> None:
    """Pairs of the best answer and the tuned model's own greedy reply."""
    from ethogram import models
    from ethogram.engine import Engine
    from ethogram.spec import Suite, make_requests
    from ethogram.spec.suite import SuitePrompt
    from ethogram.study import Study

    suite = Suite(
        prompts=tuple(SuitePrompt(id=f"d{i}", text=q) for i, (q, _) in enumerate(preferred))
    )
    with Study(folder) as study:
        version, model = study.spec.version("v1.1.0"), study.model_reference("v1.1.0")
    requests = make_requests(version, suite, samples=1, seed=1, model_identity="tuned")
    made = {each.prompt_id: each.text for each in Engine(models.load(model)).generate(requests)}
    rows = [
        {"prompt": question, "chosen": answer, "rejected": made[f"d{at}"]}
        for at, (question, answer) in enumerate(preferred)
    ]
    different = [row for row in rows if row["rejected"].strip() not in ("", row["chosen"].strip())]
    _lines(folder / "data/pairs.jsonl", different)
    print(f"{len(different)} pairs")


def show(folder: Path) -> None:
    """Print the values of held-out pairs and questions, and a reply of each version."""
    from ethogram.store import Trainings
    from ethogram.study import Study, run
    from ethogram.study.stored_outputs import outputs_of

    names = ["loss", "rewards/margins", "rewards/accuracies", "logps/chosen"]
    wanted = [f"held_out/{name}" for name in names]
    wanted += [f"greedy/{name}" for name in ("ends_by_itself", "tokens", "distinct_2", "loop_rate")]
    with Study(folder) as study:
        run(study)
        trainings = Trainings(study.store)
        for record in trainings.all():
            if record.kind != "dpo":
                continue
            for step in (0, json.loads(record.plan)["steps"]):
                points = {p.name: p.value for p in trainings.points(record.id) if p.step == step}
                values = ", ".join(f"{name} {points[name]:.3f}" for name in wanted)
                print(f"{record.name}, step {step}: {values}")
            print(
                "  warnings:",
                [each["code"] for each in json.loads(record.result or "{}")["findings"]],
            )
        for version in ("v1.1.0", "v1.2.0", "v1.3.0"):
            for output in outputs_of(study, version)[:5]:
                print(version, "|", output.prompt, "|", output.text)


def main() -> None:
    from ethogram.train import train

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        preferred = write(folder)
        for name in ("base", "chat"):
            train(folder, folder / f"{name}.yaml")
        write_pairs(folder, preferred)
        for rate in RATES:
            train(folder, folder / f"dpo-{rate}.yaml")
        show(folder)


if __name__ == "__main__":
    main()
