"""Search: what the palette finds, versions and prompts by a part of their name or text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Literal

from fastapi import APIRouter

from ethogram.study.workspace import Study
from ethogram.ui.context import Context
from ethogram.ui.models import Answer, Text

#: Hits of each kind, and characters of a prompt that are shown.
_MOST, _CHARACTERS = 12, 80


class Hit(Answer):
    """Something that the palette can open."""

    kind: Literal["version", "prompt"]
    name: Text
    words: Text


def router(context: Context) -> APIRouter:
    """The routes of the palette."""
    routes = APIRouter()

    @routes.get("/search")
    def search(q: str = "") -> list[Hit]:
        """Versions and prompts whose name or text has these words, names first."""
        with context.study() as study:
            return [
                *islice(_ranked(q, _versions(study)), _MOST),
                *islice(_ranked(q, _prompts(study)), _MOST),
            ]

    return routes


def _ranked(words: str, hits: Iterator[Hit]) -> Iterator[Hit]:
    """Those with the words in their name, then those with them elsewhere."""
    wanted, later = words.casefold(), []
    for hit in hits:
        if wanted in hit.name.casefold():
            yield hit
        elif wanted in hit.words.casefold():
            later.append(hit)
    yield from later


def _versions(study: Study) -> Iterator[Hit]:
    for name, version in study.versions.items():
        yield Hit(kind="version", name=name, words=version.title)


def _prompts(study: Study) -> Iterator[Hit]:
    seen = set()
    for name in study.versions:
        suite = study.suite(name)
        if id(suite) not in seen:
            seen.add(id(suite))
            for prompt in suite.prompts:
                words = prompt.as_text()[:_CHARACTERS]
                yield Hit(kind="prompt", name=prompt.id, words=words)
