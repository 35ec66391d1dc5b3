"""Log: the versions as a tree in time, and what came of each."""

from __future__ import annotations

from fastapi import APIRouter

from ethogram.study.workspace import Study
from ethogram.ui.context import Context
from ethogram.ui.differences import DifferenceInfo
from ethogram.ui.models import Answer, Text


class LogVersion(Answer):
    """A version in the tree.

    Attributes:
        name: its name.
        title: what it tries.
        parent: the version it differs from.
        depth: how many ancestors it has.
        differences: against its parent.
    """

    name: str
    title: Text
    parent: str | None
    depth: int
    differences: list[DifferenceInfo]


class LogView(Answer):
    """The tree of a study."""

    title: Text
    about: Text
    versions: list[LogVersion]


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes = APIRouter()

    @routes.get("/log")
    def log() -> LogView:
        """The tree of versions."""
        with context.study() as study:
            return _view(study)

    return routes


def _view(study: Study) -> LogView:
    settings = study.spec.settings
    depths: dict[str, int] = {}
    for name, version in study.versions.items():
        depths[name] = depths[version.parent] + 1 if version.parent else 0
    return LogView(
        title=settings.title or settings.name,
        about=settings.about,
        versions=[
            LogVersion(
                name=name,
                title=version.title,
                parent=version.parent,
                depth=depths[name],
                differences=[],
            )
            for name, version in study.versions.items()
        ],
    )
