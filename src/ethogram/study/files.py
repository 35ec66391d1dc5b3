"""Init: a new study's files. Generates nothing."""

from __future__ import annotations

import json
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.spec.study import STUDY_FILE

_STUDY = """\
name: {name}
title: {name}
seed: 1
samples: 4
suite: suites/prompts.jsonl
"""
_GREEDY = """\
title: First steps, greedy completion
model: smollm2-135m-instruct
decoding: {strategy: greedy, max_new_tokens: 80}
"""
_SAMPLED = """\
title: Sampling instead of greedy search
parent: v0.0.1
decoding: {strategy: sample, temperature: 0.8, top_p: 0.95, repetition_penalty: 1.1}
"""
_PROMPTS = (
    {
        "id": "lighthouse",
        "text": "The old lighthouse keeper opened the letter and",
        "tags": ["story"],
    },
    {
        "id": "boiling",
        "text": "At sea level, pure water boils at",
        "reference": "100",
        "tags": ["fact"],
    },
    {"id": "knot", "text": "To tie a shoelace so that it stays tied,", "tags": ["how-to"]},
    {
        "id": "queue",
        "text": "The fairest way to share one cake among three people is",
        "tags": ["opinion"],
    },
)


def init(folder: str | Path) -> Path:
    """Make a study folder with two versions and a small suite.

    Raises:
        SpecError: the folder holds a study already.
        WriteError: it cannot be written.
    """
    path = Path(folder)
    if (path / STUDY_FILE).exists():
        raise SpecError(
            "there is a study here already", where=str(path), hint="choose another folder"
        )
    files = {
        STUDY_FILE: _STUDY.format(name=json.dumps(path.resolve().name, ensure_ascii=False)),
        "versions/v0.0.1.yaml": _GREEDY,
        "versions/v0.1.0.yaml": _SAMPLED,
        "suites/prompts.jsonl": "".join(json.dumps(row) + "\n" for row in _PROMPTS),
        ".gitignore": ".ethogram/\n",
    }
    for name, text in files.items():
        if not (path / name).exists():
            write_whole(path / name, [text])
    return path
