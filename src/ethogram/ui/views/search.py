"""Search: what the palette finds by a part of its name or text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Literal

from fastapi import APIRouter

from ethogram.store import Sweeps, Trainings
from ethogram.study.workspace import Study
from ethogram.ui.context import Context
from ethogram.ui.models import Answer, Text
from ethogram.ui.sweeps import sweep_line

#: Hits of each kind, and characters of a prompt that are shown.
_MOST, _CHARACTERS = 12, 80


class Hit(Answer):
    """Something that the palette can open.

    Attributes:
        kind: what it is.
        id: what its address names it by.
        name: for people.
        words: about it.
    """

    kind: Literal["version", "prompt", "sweep", "training"]
    id: Text
    name: Text
    words: Text


def router(context: Context) -> APIRouter:
    """The routes of the palette."""
    routes = APIRouter()

    @routes.get("/search")
    def search(q: str = "") -> list[Hit]:
        """What has these words in its name or text; of each kind, names first."""
        with context.study() as study:
            kinds = (_versions(study), _prompts(study), _sweeps(study), _trainings(study))
            return [hit for hits in kinds for hit in islice(_ranked(q, hits), _MOST)]

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
        yield Hit(kind="version", id=name, name=name, words=version.title)


def _prompts(study: Study) -> Iterator[Hit]:
    seen = set()
    for name in study.versions:
        suite = study.suite(name)
        if id(suite) not in seen:
            seen.add(id(suite))
            for prompt in suite.prompts:
                words = prompt.as_text()[:_CHARACTERS]
                yield Hit(kind="prompt", id=prompt.id, name=prompt.id, words=words)


def _sweeps(study: Study) -> Iterator[Hit]:
    for record in reversed(Sweeps(study.store).all()):
        line = sweep_line(record, None)
        yield Hit(kind="sweep", id=str(record.id), name=line.title, words=line.sentence)


def _trainings(study: Study) -> Iterator[Hit]:
    for record in reversed(Trainings(study.store).all()):
        words = f"{record.kind}, seed {record.seed}, {record.started_at}"
        yield Hit(kind="training", id=str(record.id), name=record.name, words=words)
