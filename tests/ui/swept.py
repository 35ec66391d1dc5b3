"""A study of a tiny model with a finished sweep and an interrupted one, made once a session."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.ui.conftest import HOSTILE

from ethogram.spec.space import parse_axis
from ethogram.study import Study, sweep

BASE = "v0.1.0"
AXES = ("decoding.max_new_tokens=2,4,20", "decoding.temperature=0.5,1.5")


def make_study(folder: Path, model: Path) -> Path:
    """A study with enough prompts for a sweep; nothing is generated."""
    files = {
        "study.yaml": (
            "name: swept\ntitle: Swept\nseed: 5\nsamples: 2\nsuite: suites/prompts.jsonl\n"
        ),
        f"versions/{BASE}.yaml": (
            f"title: Sampled\nmodel: {model}\n"
            "decoding: {strategy: sample, temperature: 1.1, max_new_tokens: 8}\n"
        ),
        "suites/prompts.jsonl": "".join(
            json.dumps({"id": f"p{n}", "text": f"the sea wrote <b>{n}</b> letter"}) + "\n"
            for n in range(20)
        ),
    }
    for name, words in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(words, encoding="utf-8")
    return folder


def run_sweeps(folder: Path) -> None:
    """Sweep 1 finishes, sweep 2 is interrupted after its first round."""
    axes = [parse_axis(axis) for axis in AXES]
    goals = ["words:higher", "tokens:higher"]

    def stop(stage: str) -> None:
        if stage.startswith("look 2"):
            raise KeyboardInterrupt

    with Study(folder) as study:
        sweep(study, BASE, axes, objectives=goals, samples=2)
        with pytest.raises(KeyboardInterrupt):
            sweep(study, BASE, axes[:1], objectives=goals[:1], samples=2, on_stage=stop)


def write_hostile(folder: Path) -> None:
    """Make the stored outputs ones that must not do anything."""
    with Study(folder) as study, study.store.database.begin(writes=True) as connection:
        identities = connection.execute(text("select identity from generations")).scalars().all()
        for place, identity in enumerate(identities):
            connection.execute(
                text("update generations set text = :text where identity = :identity"),
                {"text": HOSTILE[place % len(HOSTILE)], "identity": identity},
            )


def copied(made: Path, target: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, target))


def make_swept(folder: Path, checkpoint: Callable[..., Path]) -> Path:
    """The study with its sweeps and hostile outputs."""
    make_study(folder, checkpoint("llama", chat=True))
    run_sweeps(folder)
    write_hostile(folder)
    return folder
