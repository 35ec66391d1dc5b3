"""Recipe: a DPO recipe that trains a version on the votes of an arena."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.arena.ranking import rank
from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.spec.recipes import load_recipe
from ethogram.spec.version import VERSION_NAME
from ethogram.study.importing import next_version

if TYPE_CHECKING:
    from ethogram.study.workspace import Study


def write_recipe(
    study: Study,
    versions: Sequence[str],
    path: str | Path,
    *,
    parent: str | None = None,
    version: str | None = None,
) -> Path:
    """Write a recipe whose training data are the votes between versions.

    Training is an adapter (LoRA) that is merged: votes are few, and a low-rank change forgets
    little (Biderman et al. 2024, arXiv:2405.09673).

    Args:
        study: the opened study.
        versions: whose votes are learned from.
        path: of the recipe, from the study's folder; it must not be there yet.
        parent: the version that is trained further; default the one with the best rating.
        version: name of the child version; default the next free minor one.

    Returns:
        The path.

    Raises:
        SpecError: the file is there, a name is not that of a version, or there are no votes.
        WriteError: the file cannot be written.
    """
    from ruamel.yaml import YAML

    target = study.folder / path
    if target.exists():
        raise SpecError("is there already", where=str(target), hint="choose another file")
    parent = parent or _best(study, versions)
    version = version or next_version(study)
    if not VERSION_NAME.match(version):
        raise SpecError(
            f"{version!r} is not a version name", where=str(target), hint="use one like v2.1.0"
        )
    recipe: dict[str, Any] = {
        "kind": "dpo",
        "title": f"Learned from votes between {' and '.join(versions)}",
        "parent": parent,
        "version": version,
        # Outputs may be empty or hold carriage returns; what is changed or left out is counted.
        "data": {
            "votes": list(versions),
            "held_out": 0.1,
            "fixes": ["unix-newlines", "strip-nul", "drop-bad-rows"],
        },
        "lora": {"rank": 16, "alpha": 32},
    }
    if not study.spec.version(parent).prompt.chat:  # Training reads the chat template.
        recipe["changes"] = {"prompt": {"chat": True}}
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(recipe, text)
    write_whole(target, [text.getvalue()])
    load_recipe(target)
    return target


def _best(study: Study, versions: Sequence[str]) -> str:
    best = rank(study, versions).ratings[0]
    if best.group is None:
        raise SpecError(
            "no votes on their outputs",
            where=", ".join(versions),
            hint=f"vote first: ethogram arena {' '.join(versions)}",
        )
    return best.version
