"""Log: the versions as a tree in time, what came of each, and their notes, which can be edited."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from ethogram.study.notes import ChangedOnDiskError, edit_notes, read_notes
from ethogram.ui.context import Context
from ethogram.ui.entries import LogEntry, LogView, NotesInfo, entry_of, log_view, notes_info
from ethogram.ui.findings import FindingsInfo
from ethogram.ui.findings_kept import FindingsRead, KeptFindings
from ethogram.ui.models import Body

EVENTS = (FindingsRead,)


class NotesBody(Body):
    """New sentences of one field, made from the file with this digest."""

    field: str
    sentences: tuple[str, ...]
    digest: str


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes, kept = APIRouter(), KeptFindings(context)

    @routes.get("/log")
    def log() -> LogView:
        """The tree of versions."""
        with context.study() as study:
            return log_view(study)

    @routes.get("/findings")
    def findings() -> FindingsInfo:
        """What all versions together show; while they are read, how far that is."""
        return kept.answer()

    @routes.get("/log/{version}")
    def log_entry(version: str) -> LogEntry:
        """What came of one version."""
        with context.study() as study:
            return entry_of(study, version)

    @routes.post("/log/{version}/notes", responses={409: {"model": NotesInfo}})
    def save_notes(version: str, body: NotesBody) -> NotesInfo:
        """Write notes into the version's file; status 409 if it changed on disk meanwhile."""
        with context.study() as study:
            try:
                return notes_info(
                    edit_notes(study, version, body.field, body.sentences, digest=body.digest)
                )
            except ChangedOnDiskError as error:
                raise HTTPException(409, str(error)) from None

    @routes.get("/log/{version}/notes")
    def notes(version: str) -> NotesInfo:
        """The notes as they are on disk now."""
        with context.study() as study:
            return notes_info(read_notes(study, version))

    return routes
