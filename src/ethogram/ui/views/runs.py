"""Runs: generate what versions lack, as a job that any tab can follow and stop."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ethogram.study.record import Progress
from ethogram.study.run import run
from ethogram.ui.context import Context
from ethogram.ui.events import StudyChanged
from ethogram.ui.jobs import Job, JobInfo
from ethogram.ui.models import Body


class RunBody(Body):
    """Which versions to run; all if none is named."""

    versions: tuple[str, ...] = ()


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes = APIRouter()

    @routes.post("/runs")
    def start_run(body: RunBody) -> JobInfo:
        """Generate the missing outputs of versions."""
        with context.study() as study:
            for name in body.versions:
                study.spec.version(name)
        title = f"Run {', '.join(body.versions) or 'all versions'}"
        return context.jobs.start("run", title, lambda job: _run(context, body, job))

    return routes


def _run(context: Context, body: RunBody, job: Job) -> Any:
    def progressed(now: Progress) -> None:
        job.progress(now.done, now.total, f"{now.tokens} tokens in {now.seconds:.0f} s")

    with context.own_study() as study:
        result = run(
            study,
            body.versions or None,
            on_progress=progressed,
            on_wait=lambda: job.say("waiting for another run of this study"),
            on_load=lambda model: job.say(f"loading {model}"),
        )
    context.events.publish(StudyChanged())
    return {"versions": [row.version for row in result.rows]}
