"""Overlap: prompts of the suite in the training data, which would make every test on them easy."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ethogram.train.job import Finding, Job
from ethogram.train.preflight.showing import example

if TYPE_CHECKING:
    from ethogram.spec.suite import SuitePrompt

#: A prompt counts as seen if this share of its word 8-grams is in one message of the training data,
#: as in PaLM (Chowdhery et al. 2022, arXiv:2204.02311, section 8). Shorter prompts are one n-gram.
_SHARE, _N = 0.7, 8
#: Prompts of fewer words are part of many messages by chance; they must equal one.
_FEW = 4
_WORD = re.compile(r"\w+")


def suite_overlap(job: Job, talks: Sequence[Any]) -> Finding | None:
    """Prompts of the study's suites of which a message of the training data is a near-duplicate.

    Args:
        job: the training.
        talks: conversations: `messages`, `where`.
    """
    prompts = [
        (prompt, text)
        for suite in _suites(job)
        for prompt in suite.prompts
        if (text := last_words(prompt))
    ]
    messages = (
        (turn.content, talk.where)
        for talk in talks
        for turn in talk.messages
        if turn.role == "user"
    )
    seen = near_duplicates([text for _, text in prompts], messages)
    if not seen:
        return None
    at, (text, where) = next(iter(seen.items()))
    return Finding(
        "suite_overlap",
        f"{len(seen)} of {len(prompts)} prompts of the suite are in the training data; the first "
        f"is {prompts[at][0].id}, as {example(text)}",
        "remove these rows, or test on another suite",
        where=where,
    )


def last_words(prompt: SuitePrompt) -> str:
    """The text of a prompt; of a chat, its last message."""
    return prompt.text or (prompt.messages[-1].content if prompt.messages else "")


def near_duplicates(
    prompts: Sequence[str], messages: Iterable[tuple[str, str]]
) -> dict[int, tuple[str, str]]:
    """The first message that is a near-duplicate of each prompt that has one.

    Args:
        prompts: texts.
        messages: texts of the training data, and where each is.
    """
    grams = [_grams(prompt) for prompt in prompts]
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, own in enumerate(grams):
        for gram in own:
            index[gram].append(at)
    sizes = {len(gram) for gram in index}
    seen: dict[int, tuple[str, str]] = {}
    for text, where in messages:
        words = _words(text)
        found = {gram for size in sizes for gram in _windows(words, size)} & index.keys()
        hits = Counter(at for gram in found for at in index[gram])
        for at, count in hits.items():
            short = len(_words(prompts[at])) < _FEW
            near = words == _words(prompts[at]) if short else count >= _SHARE * len(grams[at])
            if near:
                seen.setdefault(at, (text, where))
    return dict(sorted(seen.items()))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _grams(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return set(_windows(words, min(_N, len(words)))) if words else set()


def _windows(words: Sequence[str], size: int) -> Iterable[tuple[str, ...]]:
    return (tuple(words[at : at + size]) for at in range(len(words) - size + 1))


def _suites(job: Job) -> list[Any]:
    from ethogram.spec import load_suite

    suites = [job.study.suite(job.recipe.parent)] if job.recipe.parent else []
    named = job.recipe.evaluate.suite
    if named:
        other = load_suite(job.study.folder / named)
        suites += [] if any(other == suite for suite in suites) else [other]
    return suites
