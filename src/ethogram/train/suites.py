"""The prompts that a training watches, and is not allowed to learn."""

from __future__ import annotations

from ethogram.spec import Suite, load_suite
from ethogram.train.job import Job


def watched_suite(job: Job) -> Suite:
    """The first prompts of the recipe's suite, or of the study's.

    Raises:
        SpecError: the suite cannot be read.
    """
    wanted = job.recipe.evaluate
    suite = load_suite(job.study.folder / (wanted.suite or job.study.spec.settings.suite))
    return Suite(prompts=suite.prompts[: wanted.prompts])
