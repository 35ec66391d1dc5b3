"""Overlap: prompts of the suite in the training data, which would make every test on them easy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ethogram.corpus import overlap
from ethogram.corpus.similar import normalised
from ethogram.train.job import Finding, Job
from ethogram.train.preflight.showing import example

if TYPE_CHECKING:
    from ethogram.corpus import Row
    from ethogram.spec import Suite
    from ethogram.spec.suite import SuitePrompt

#: A prompt counts as seen if a row has this share of its word 8-grams, as in PaLM (Chowdhery et al.
#: 2022, arXiv:2204.02311, section 8). Shorter prompts are phrases that any text may hold, so they
#: must be a whole message.
_SHARE, _LONG = 0.7, 8


def suite_overlap(job: Job, rows: Sequence[Row]) -> Finding | None:
    """Prompts of the study's suites of which a row of the training data has most.

    Args:
        job: the training.
        rows: of its data.
    """
    prompts = [prompt for suite in _suites(job) for prompt in suite.prompts]
    texts = [last_words(prompt) for prompt in prompts]
    found = [
        each
        for each in overlap(rows, texts, share=_SHARE)
        if len(normalised(texts[each.prompt])) >= _LONG or _asks(each.row, texts[each.prompt])
    ]
    if not found:
        return None
    first = found[0]
    # Votes are about the suite's outputs, so that they always overlap with it.
    voted = bool(job.recipe.data.votes)
    return Finding(
        "suite_overlap",
        f"{len({each.prompt for each in found})} of {len(prompts)} prompts of the suite are in the "
        f"training data; the first row has {prompts[first.prompt].id}, "
        f"{example(texts[first.prompt])}",
        "results on these prompts show what was learned by heart; test on another suite, too"
        if voted
        else "remove these rows, or test on another suite",
        refuses=not voted,
        where=first.row.where,
    )


def _asks(row: Row, prompt: str) -> bool:
    words = normalised(prompt)
    return any(turn.role == "user" and normalised(turn.content) == words for turn in row.messages)


def last_words(prompt: SuitePrompt) -> str:
    """The text of a prompt; of a chat, its last message."""
    return prompt.text or (prompt.messages[-1].content if prompt.messages else "")


def _suites(job: Job) -> list[Suite]:
    from ethogram.spec import load_suite

    suites = [job.study.suite(job.recipe.parent)] if job.recipe.parent else []
    named = job.recipe.evaluate.suite
    if named:
        other = load_suite(job.study.folder / named)
        suites += [] if any(other == suite for suite in suites) else [other]
    return suites
