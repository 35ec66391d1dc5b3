"""Train: each recipe of a chain with each of its seeds; finished trainings are not repeated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ethogram.cluster import Placement
from ethogram.errors import SpecError
from ethogram.spec.recipes import ModelRecipe, load_chain
from ethogram.study.calling import takes_study
from ethogram.study.workspace import Study
from ethogram.train.arguments import world_size
from ethogram.train.jobs import job_of
from ethogram.train.one import OneTraining, OnEvent, Options, Trained


@takes_study
def train(
    study: Study,
    path: str | Path,
    *,
    dry_run: bool = False,
    on_event: OnEvent | None = None,
    seeds: Sequence[int] | None = None,
    device: str | None = None,
    processes: int | None = None,
    report_to: str | None = None,
    on: str | Placement | None = None,
) -> list[Trained]:
    """Train what a recipe file asks for; finished trainings are not repeated.

    A training that was killed continues from its last checkpoint: on a CPU the weights are those of
    an undisturbed one, bit for bit, with the same libraries and number of processes.

    Args:
        study: opened; the paths of a recipe count from its folder.
        path: of the recipe; an `rlhf` recipe trains its steps in order.
        dry_run: stop after the plan, for which the data are read and a step is timed. Of a chain,
            steps whose parent is still to be trained are left out.
        on_event: called with what happens, on one process of those that train together.
        seeds: in place of the recipe's.
        device: name of a torch device; default: the first CUDA device, else the CPU.
        processes: how many a launcher was asked to start; refused if there are fewer.
        report_to: a tracker that transformers knows, such as `trackio` or `wandb`.
        on: `ray`, or the address of a Ray cluster: one of its machines trains, in the study's
            folder, which it has to reach. Default: this process.

    Returns:
        One result a recipe and seed, in order.

    Raises:
        SpecError: a recipe is wrong, the checks before the first step refuse it, its version is
            taken, or fewer processes were started than asked for.
        DataError: a data file is missing, or a row of it is bad.
        ModelError: the parent's model cannot be loaded.
        MissingExtraError: the optional part [train] is not installed.
    """
    placement = Placement.of(on)
    if placement is not None:
        from ethogram.train.remote import train_on

        given = {"dry_run": dry_run, "seeds": seeds, "device": device, "report_to": report_to}
        return train_on(study, Path(path), placement, given, on_event, train)
    _check_processes(processes)
    done: list[Trained] = []
    for recipe_path, recipe in load_chain(Path(path)):
        for seed in _seeds(recipe, seeds):
            options = Options(dry_run, on_event, report_to)
            opened = Study(study.folder)  # A step of a chain starts from the version just written.
            try:
                if dry_run and done and recipe.parent not in opened.versions:
                    continue
                job = job_of(opened, recipe_path, recipe, seed, device)
                done.append(OneTraining(job, options).run())
            finally:
                opened.close()
    return done


def _seeds(recipe: ModelRecipe, given: Sequence[int] | None) -> Sequence[int]:
    return given or recipe.seeds or (recipe.seed,)


def _check_processes(asked: int | None) -> None:
    from ethogram.train.launcher import asked_processes

    wanted, started = asked or asked_processes(), world_size()
    if wanted is not None and started < wanted:
        raise SpecError(
            f"{wanted} processes were asked for and {started} started",
            where="launcher",
            hint=f"start them with: torchrun --nproc-per-node {wanted} --no-python "
            "ethogram train RECIPE",
        )
