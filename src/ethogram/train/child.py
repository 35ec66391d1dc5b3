"""The child version that a training writes: its parent with the trained model."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.spec import Version
from ethogram.spec.source import SourceMap, read_yaml, validate
from ethogram.spec.study import deep_merge
from ethogram.spec.version import OWN_FIELDS
from ethogram.train.job import Job


def version_name(job: Job) -> str | None:
    """The name of the child version; None if the recipe writes none.

    Of several seeds, the first has the recipe's own name, and each other has its seed behind it.
    """
    name, seeds = job.recipe.version, job.recipe.seeds
    alone = job.folder.name == job.recipe.name
    if name is None or alone or job.seed in seeds[:1]:
        return name
    return f"{name}-seed{job.seed}"


def fields(job: Job) -> dict[str, Any]:
    """What the file of the child version states."""
    stated: dict[str, Any] = {"title": job.recipe.title or f"Trained by {job.path.name}"}
    if job.recipe.parent is not None:
        stated["parent"] = job.recipe.parent
    return {**stated, _place(job): f"models/{job.folder.name}", **job.recipe.changes}


def _place(job: Job) -> str:
    """The field that names what was trained: a model, or an adapter on the parent's model."""
    return "adapter" if writes_adapter(job) else "model"


def writes_adapter(job: Job) -> bool:
    """Whether a training yields an adapter alone, and not a whole model."""
    lora = getattr(job.recipe, "lora", None)
    return lora is not None and not lora.merge


def resolved(job: Job) -> Version:
    """The child version with what it inherits.

    Raises:
        SpecError: `changes` of the recipe has an unknown field or a bad value.
    """
    base: dict[str, Any] = {}
    if job.recipe.parent is not None:
        parent = job.study.spec.version(job.recipe.parent)
        base = parent.model_dump(mode="json", exclude={*OWN_FIELDS, "revision", "adapter"})
    changes = validate(Version, deep_merge(base, dict(job.recipe.changes)), job.path, SourceMap())
    return changes.model_copy(update={"model": f"models/{job.folder.name}"})


def check_free(job: Job) -> None:
    """Refuse a child version whose file is there and states something else.

    Raises:
        SpecError: it does.
    """
    name = version_name(job)
    path = job.study.folder / f"versions/{name}.yaml"
    if name is None or not path.exists():
        return
    there, _ = read_yaml(path)
    stated = there if isinstance(there, dict) else {}
    other = [key for key, value in fields(job).items() if stated.get(key) != value]
    if other:
        raise SpecError(
            f"version {name} is there and states another {other[0]}",
            where=str(path),
            hint=f"choose another `version:` in {job.path.name}, or delete the file",
        )


def write_child(job: Job) -> Path | None:
    """Write the file of the child version, if the recipe wants one and it is not there.

    Raises:
        SpecError: it is there and states something else.
        WriteError: it cannot be written.
    """
    from ruamel.yaml import YAML

    name = version_name(job)
    if name is None:
        return None
    check_free(job)
    path = job.study.folder / f"versions/{name}.yaml"
    if not path.exists():
        yaml = YAML()
        yaml.default_flow_style = False
        yaml.width = 100
        text = io.StringIO()
        yaml.dump(fields(job), text)
        write_whole(path, [text.getvalue()])
    return path
