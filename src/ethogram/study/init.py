"""Init: the files of a new study, or a copy of the study of the tutorial. Generates nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ethogram.errors import SpecError, WriteError
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
title: Greedy completion
model: smollm2-135m-instruct
decoding: {strategy: greedy, max_new_tokens: 64}
"""
_SAMPLED = """\
title: Sampling instead of greedy decoding
parent: v0.0.1
decoding: {strategy: sample, temperature: 0.8}
"""
_CHAT = """\
title: The chat template of the model
parent: v0.1.0
prompt: {chat: true}
"""
#: Prompts per tag, so that `compare --by tag` has something to compare: (id, text, reference).
_PROMPTS: dict[str, tuple[tuple[str, str, str | None], ...]] = {
    "story": (
        ("story-lighthouse", "The old lighthouse keeper opened the letter and", None),
        ("story-platform", "The train left without her, and on the empty platform", None),
        ("story-map", "Behind the wallpaper they found a map on which", None),
        ("story-baker", "At four in the morning the baker heard a knock. It was", None),
        ("story-island", "Nobody had lived on the island for thirty years, so when", None),
        ("story-robot", "The robot watered the garden every evening, until one day", None),
    ),
    "completion": (
        ("complete-boiling", "At sea level, pure water boils at", "100"),
        ("complete-week", "The day that comes after Tuesday is", "Wednesday"),
        ("complete-spider", "The number of legs of a spider is", "eight"),
        ("complete-italy", "The capital city of Italy is", "Rome"),
        ("complete-snow", "The colour of fresh snow is", "white"),
        ("complete-opposite", "The opposite of hot is", "cold"),
    ),
    "question": (
        ("question-year", "How many months does a year have?", "12"),
        ("question-egypt", "On which continent is Egypt?", "Africa"),
        ("question-bees", "What do bees make that people eat?", "honey"),
        ("question-triangle", "How many corners does a triangle have?", "three"),
        ("question-ice", "What does ice turn into when it melts?", "water"),
        ("question-star", "Which star is closest to the Earth?", "Sun"),
    ),
    "advice": (
        ("advice-laces", "How do I tie my shoelaces so that they stay tied?", None),
        ("advice-cake", "What is the fairest way to share one cake among three people?", None),
        ("advice-sleep", "What can I do in the evening to sleep better?", None),
        ("advice-stain", "How do I get a coffee stain out of a shirt?", None),
        ("advice-plants", "Should I water my plants in the morning or in the evening?", None),
        ("advice-gift", "What is a good gift for a neighbour who likes birds?", None),
    ),
}
#: What an example holds for its author, and a copy does not need.
_NOT_COPIED = shutil.ignore_patterns(".ethogram", "PROGRESS.md", "report.html")


def init(folder: str | Path, *, example: bool = False) -> Path:
    """Make a study folder: three versions and a suite of 24 prompts.

    Existing files in the folder are kept.

    Args:
        folder: path of the new study.
        example: copy the study of the tutorial instead (first-light).

    Raises:
        SpecError: the folder already contains a study.
        WriteError: it cannot be written.
    """
    path = Path(folder)
    if (path / STUDY_FILE).exists():
        raise SpecError(
            "a study already exists here", where=str(path), hint="choose another folder"
        )
    if example:
        return _copy_example(path)
    files = {
        STUDY_FILE: _STUDY.format(name=json.dumps(path.resolve().name, ensure_ascii=False)),
        "versions/v0.0.1.yaml": _GREEDY,
        "versions/v0.1.0.yaml": _SAMPLED,
        "versions/v0.2.0.yaml": _CHAT,
        "suites/prompts.jsonl": "".join(json.dumps(row) + "\n" for row in _suite_rows()),
        ".gitignore": ".ethogram/\n",
    }
    for name, text in files.items():
        if not (path / name).exists():
            write_whole(path / name, [text])
    return path


def _suite_rows() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for tag, prompts in _PROMPTS.items():
        for prompt_id, text, reference in prompts:
            known = {"reference": reference} if reference else {}
            rows.append({"id": prompt_id, "text": text, **known, "tags": [tag]})
    return rows


def _copy_example(path: Path) -> Path:
    package = Path(__file__).parents[1]
    # The example is part of a wheel; in a checkout it is beside the sources.
    places = (package / "examples", package.parents[1] / "examples")
    source = next((place / "first-light" for place in places if place.is_dir()), None)
    if source is None:
        raise SpecError(
            "this installation does not include the example",
            where="--example",
            hint="copy it from a checkout",
        )
    try:
        shutil.copytree(source, path, ignore=_NOT_COPIED, dirs_exist_ok=True)
    except OSError as error:
        raise WriteError(path, error) from None
    return path
