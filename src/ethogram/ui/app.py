"""The application: routes of the frame and of every view behind the guard, and the built page."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHTTPException

from ethogram import __version__
from ethogram.errors import EthogramError
from ethogram.ui import STATIC
from ethogram.ui.context import Context
from ethogram.ui.guard import Guard, cookie_name, same_token
from ethogram.ui.jobs import JobDetail, JobInfo
from ethogram.ui.models import Answer, Body, Problem, clean
from ethogram.ui.views import VIEWS, any_event

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_log = logging.getLogger(__name__)


class SessionBody(Body):
    """The token of the address that `ethogram ui` printed."""

    token: str


class About(Answer):
    """What the page is about.

    Attributes:
        version: of Ethogram.
        position: id of the last event, so that a tab follows from the state that it loads next.
    """

    version: str
    position: str


def make_app(context: Context, *, token: str, hosts: Sequence[str]) -> ASGIApp:
    """The guarded application.

    Args:
        context: what it shows.
        token: of this start.
        hosts: values of the Host header that name this server.
    """
    return Guard(make_api(context, token=token), token=token, hosts=hosts)


def make_api(context: Context, *, token: str = "") -> FastAPI:
    """The application without its guard, from which the OpenAPI document is made."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        context.close()

    problem: dict[int | str, dict[str, Any]] = {400: {"model": Problem}}
    api = FastAPI(
        title="Ethogram",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=problem,
        separate_input_output_schemas=False,
        generate_unique_id_function=lambda route: route.name,
    )
    api.add_exception_handler(EthogramError, _refused)
    api.add_exception_handler(AnyHTTPException, _http)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(Exception, _unexpected)
    _add_session(api, token)
    _add_events(api, context)
    _add_jobs(api, context)
    for name in VIEWS:
        view = import_module(f"ethogram.ui.views.{name}")
        api.include_router(view.router(context), prefix="/api", tags=[name])
    _add_page(api)
    return api


def _add_session(api: FastAPI, token: str) -> None:
    @api.post("/api/session", status_code=204)
    def session(body: SessionBody, request: Request) -> Response:
        """Exchange the token for a cookie."""
        if not same_token(body.token, token):
            raise HTTPException(401, "the token is not that of this start of `ethogram ui`")
        response = Response(status_code=204)
        name = cookie_name(request.headers.get("host", ""))
        response.set_cookie(name, token, httponly=True, samesite="strict", path="/")
        return response


def _add_events(api: FastAPI, context: Context) -> None:
    @api.get("/api/about")
    def about() -> About:
        """The release, and where the events are."""
        return About(version=__version__, position=context.events.position)

    @api.get(
        "/api/events", response_class=StreamingResponse, responses={200: {"model": any_event()}}
    )
    async def events(
        after: str | None = None, last_event_id: Annotated[str | None, Header()] = None
    ) -> StreamingResponse:
        """The one stream of a tab, in the format of server-sent events."""
        stream = context.events.stream(last_event_id or after)
        return StreamingResponse(stream, media_type="text/event-stream")


def _add_jobs(api: FastAPI, context: Context) -> None:
    @api.get("/api/jobs")
    def jobs() -> list[JobInfo]:
        """All jobs, newest first."""
        return context.jobs.all()

    @api.get("/api/jobs/{job_id}")
    def job(job_id: str) -> JobDetail:
        """A job with all that it made so far."""
        found = context.jobs.get(job_id)
        if found is None:
            raise HTTPException(404, "no such job")
        return found.detail

    @api.post("/api/jobs/{job_id}/stop")
    def stop_job(job_id: str) -> JobInfo:
        """Ask a job to end."""
        found = context.jobs.get(job_id)
        if found is None:
            raise HTTPException(404, "no such job")
        found.stop()
        return found.info


def _add_page(api: FastAPI) -> None:
    @api.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    api.mount("/static", StaticFiles(directory=STATIC, check_dir=False), name="static")


def _refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": clean(str(error))}, status_code=400)


def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)
    return JSONResponse({"error": str(error.detail)}, status_code=error.status_code)


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"error": clean(f"{where}: {first['msg']}")}, status_code=400)


def _unexpected(_: Request, error: Exception) -> Response:
    _log.error("a request failed: %s", type(error).__name__)
    return JSONResponse({"error": "the server failed; see its terminal"}, status_code=500)
