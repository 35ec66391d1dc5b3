"""Jobs: from a recipe and a seed to the job of one training, and the key that identifies it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ethogram.spec.recipes import ModelRecipe
from ethogram.study.workspace import Study
from ethogram.train.arguments import world_size
from ethogram.train.job import Job
from ethogram.train.kinds import kind_of
from ethogram.train.output import library_versions


def job_of(
    study: Study, path: Path, recipe: ModelRecipe, seed: int, device: str | None = None
) -> Job:
    """The job of a recipe and seed; no weight is loaded.

    Raises:
        SpecError: there is no such parent version.
        DataError: a data file is missing.
        ModelError: the parent's model is not on this machine.
    """
    import torch

    alone = not recipe.seeds and seed == recipe.seed
    name = recipe.name if alone else f"{recipe.name}-seed{seed}"
    parent = None if recipe.parent is None else study.model_reference(recipe.parent)
    job = Job(
        study=study,
        path=path,
        recipe=recipe.model_copy(update={"seed": seed}),
        seed=seed,
        folder=study.folder / "models" / name,
        work=study.folder,
        parent=parent,
        device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
    )
    return replace(job, work=study.folder / ".ethogram" / "training" / f"{name}-{key_of(job)[:12]}")


def key_of(job: Job) -> str:
    """Digest of all that decides the weights of a training."""
    from ethogram.train.voted import data_fingerprint

    recipe = job.recipe.model_copy(update={"seeds": ()})
    inputs = getattr(kind_of(recipe.kind), "inputs", None)
    return recipe.identity_with(
        data=data_fingerprint(job),
        parent=None if job.parent is None else job.study.identity_of(job.parent),
        libraries=library_versions(),
        processes=world_size(),
        further=dict(inputs(job)) if inputs is not None else {},
    )
