"""Studies of imported outputs to vote on: no model, any number of versions and prompts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ethogram.arena import Arena, ShownPair
from ethogram.store import Choice

PROMPTS = 6


def write_study(
    folder: Path,
    versions: Mapping[str, Callable[[int, int], str]],
    *,
    prompts: int = PROMPTS,
    samples: int = 1,
) -> Path:
    """A study whose versions have outputs of functions of prompt and sample."""
    files = {
        "study.yaml": "name: votes\nseed: 3\nsuite: suites/s.jsonl\n",
        "suites/s.jsonl": "".join(
            json.dumps({"id": f"p{at}", "text": f"Question {at}?"}) + "\n" for at in range(prompts)
        ),
    }
    for name, text in versions.items():
        files[f"versions/{name}.yaml"] = json.dumps(
            {"title": name, "model": "elsewhere", "outputs": f"outputs/{name}.jsonl"}
        )
        files[f"outputs/{name}.jsonl"] = outputs(text, prompts, samples)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def outputs(text: Callable[[int, int], str], prompts: int = PROMPTS, samples: int = 1) -> str:
    """The lines of a file of outputs."""
    return "".join(
        json.dumps(
            {"prompt_id": f"p{at}", "prompt": f"Question {at}?", "sample": sample}
            | {"output": text(at, sample)}
        )
        + "\n"
        for at in range(prompts)
        for sample in range(samples)
    )


def named(word: str) -> Callable[[int, int], str]:
    """Outputs that tell the tests, but no voter, whose they are."""
    return lambda prompt, sample: f"{word} says {prompt}.{sample}"


def vote_all(
    arena: Arena, voter: str, decide: Callable[[ShownPair], Choice], most: int = 10_000
) -> int:
    """Vote as a function decides, until all is seen or enough; returns how many votes."""
    for number in range(most):
        shown = arena.next(voter)
        if shown is None:
            return number
        arena.vote(shown.ticket, voter, decide(shown))
    return most


def prefers(order: Sequence[str]) -> Callable[[ShownPair], Choice]:
    """A voter who prefers outputs that begin with the earlier word."""

    def decide(shown: ShownPair) -> Choice:
        left, right = (order.index(text.split()[0]) for text in (shown.left, shown.right))
        return "left" if left < right else "right"

    return decide
