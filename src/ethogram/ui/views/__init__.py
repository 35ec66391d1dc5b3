"""The views: each module has the routes and models of one, and the events that it publishes."""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from operator import or_
from typing import Annotated, Any

from pydantic import Field, RootModel

from ethogram.ui.events import Reset, StudyChanged
from ethogram.ui.jobs import JobChanged, JobRow, JobText

#: Modules of this package. Each has `router(context)`, and may have `EVENTS`, its kinds of events.
VIEWS = (
    "arena",
    "log",
    "compare",
    "microscope",
    "play",
    "runs",
    "search",
    "sweep",
    "train",
)
_FRAME_EVENTS = (Reset, StudyChanged, JobChanged, JobText, JobRow)


def any_event() -> Any:
    """One model for all kinds of events, told apart by `type`."""
    own = [
        event
        for name in VIEWS
        for event in getattr(import_module(f"{__name__}.{name}"), "EVENTS", ())
    ]
    kinds: Any = reduce(or_, (*_FRAME_EVENTS, *own))

    class AnyEvent(RootModel[Annotated[kinds, Field(discriminator="type")]]):
        """An event of the stream."""

    return AnyEvent
