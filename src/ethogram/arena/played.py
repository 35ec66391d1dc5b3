"""Played: outputs of the playground in the arena, each under a name of its own.

A name has no space and tells the output, its lane and the lane's version: `played:ID:2:v0.1.0`.
No version has such a name, so votes on these outputs count in no version's rating: who voted on
them may have seen them with their lanes before, and chose the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ethogram.errors import SpecError
from ethogram.spec import Generation
from ethogram.spec.identity import digest

if TYPE_CHECKING:
    from ethogram.study.playing import PlayedOutput
    from ethogram.study.workspace import Study

_PREFIX = "played"


def store_played(study: Study, outputs: Sequence[PlayedOutput]) -> list[str]:
    """Store outputs of the playground; returns the names under which the arena has them.

    Args:
        study: the opened study.
        outputs: of lanes that ran on one prompt, two or more.

    Raises:
        SpecError: there are fewer than two.
        StoreError: disk full, read-only, …
    """
    if len(outputs) < 2:
        raise SpecError("an arena needs the outputs of two lanes", hint="add a lane")
    names = []
    for each in outputs:
        # Not the identity of a run's output: `run` shall not take it for one.
        identity = digest([_PREFIX, each.identity])[:16]
        made = replace(each.generation, identity=identity, prompt_text=each.prompt)
        study.store.add([made], model=each.model)
        names.append(f"{_PREFIX}:{identity}:{each.lane + 1}:{each.version}")
    return names


def is_played(name: str) -> bool:
    """Whether a name is that of an output of the playground."""
    return name.startswith(f"{_PREFIX}:")


def played_output(study: Study, name: str) -> Generation:
    """The output behind a name; its `prompt_text` is the prompt as the suite or the user words it.

    Raises:
        SpecError: no such output is stored.
    """
    identity = name.split(":")[1]
    found = study.store.get([identity]).get(identity)
    if found is None:
        raise SpecError(
            "this output of the playground is not stored any more",
            where=name,
            hint="generate it again in Play and send it to the arena",
        )
    return found
