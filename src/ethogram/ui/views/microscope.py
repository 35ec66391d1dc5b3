"""Microscope: one output token by token, each step's distributions, and branches."""

from __future__ import annotations

from math import exp
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field, JsonValue

from ethogram.errors import NotTracedError, SpecError
from ethogram.store.branches import StoredBranch
from ethogram.study.branches import (
    branch_as_version,
    branch_words,
    branches,
    restore_branch,
    traced_branch,
    undo_branch,
    write_branch_pair,
)
from ethogram.study.branching import branch, branch_again
from ethogram.study.found_output import output_of_branch
from ethogram.study.token_choice import Microscope, TokenChoice
from ethogram.study.trace import Traced, stored_output, trace, traced_output
from ethogram.study.workspace import Study
from ethogram.ui.context import Context
from ethogram.ui.events import StudyChanged
from ethogram.ui.jobs import Job, JobInfo
from ethogram.ui.microscope_models import (
    Alternative,
    BranchInfo,
    MicroscopeVersion,
    OutputView,
    StepView,
    TokenInfo,
)
from ethogram.ui.models import Answer, Body, Clipped, Text

#: Where training pairs of branches go, in the study's folder.
PAIRS = "pairs/branches.jsonl"


class OutputPlace(Body):
    """An output of the suite."""

    version: str
    prompt: str
    sample: int = 0


class BranchBody(Body):
    """A branch to make, from an output or from another branch."""

    version: str = ""
    prompt: str = ""
    sample: int = 0
    branch: int | None = None
    at: int
    token: int | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    draw: int = 0


class VersionBody(Body):
    """The child version to write."""

    name: str
    title: str = ""


class PairBody(Body):
    """Which output is better."""

    prefer: Literal["branch", "original"] = "branch"


class Written(Answer):
    """A file that was written, and its rows or the version in it."""

    file: Text
    rows: int | None = None
    version: str | None = None


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes = APIRouter()
    scopes = _Scopes(context)

    @routes.get("/microscope")
    def microscope_versions() -> list[MicroscopeVersion]:
        """Versions whose outputs can be looked at."""
        with context.study() as study:
            return [
                MicroscopeVersion(
                    name=name,
                    title=version.title,
                    samples=study.spec.samples(name) if version.decoding.is_stochastic else 1,
                    prompts=[item.id for item in study.suite(name).prompts],
                )
                for name, version in study.versions.items()
                if not version.outputs and version.backend == "engine"
            ]

    @routes.get("/microscope/output")
    def microscope_output(
        version: str = "", prompt: str = "", sample: int = 0, branch: int | None = None
    ) -> OutputView | None:
        """A stored output or branch, token by token; null without a trace. Runs no model."""
        with context.study() as study:
            try:
                return _output(study, version, prompt, sample, branch)
            except NotTracedError:
                return None

    @routes.get("/microscope/step")
    def microscope_step(
        step: int, version: str = "", prompt: str = "", sample: int = 0, branch: int | None = None
    ) -> StepView:
        """What one token was chosen from; the model runs the stored tokens once."""
        choice = scopes.choice(version, prompt, sample, step, branch)
        return StepView.model_validate(choice.to_json())

    @routes.post("/microscope/trace")
    def microscope_trace(body: OutputPlace) -> JobInfo:
        """Make an output's trace, and the output if it is missing."""
        title = f"Trace {body.version}, {body.prompt}"
        return context.jobs.start("trace", title, lambda job: _trace(context, body, job))

    @routes.post("/microscope/branch")
    def microscope_branch(body: BranchBody) -> JobInfo:
        """Make a branch; the job's result has its id."""
        title = f"Branch from token {body.at + 1}"
        return context.jobs.start("branch", title, lambda job: _branch(context, body, job))

    _add_uses(routes, context)
    return routes


def _add_uses(routes: APIRouter, context: Context) -> None:
    @routes.post("/microscope/branches/{number}/undo")
    def undo(number: int) -> BranchInfo:
        """Hide a branch."""
        with context.study() as study:
            return _branch_info(study, undo_branch(study, number))

    @routes.post("/microscope/branches/{number}/restore")
    def restore(number: int) -> BranchInfo:
        """Show a branch again."""
        with context.study() as study:
            return _branch_info(study, restore_branch(study, number))

    @routes.post("/microscope/branches/{number}/version")
    def write_branch_version(number: int, body: VersionBody) -> Written:
        """Write a branch's settings as a child version."""
        with context.study() as study:
            path = branch_as_version(study, number, body.name, title=body.title)
            return Written(file=str(path.relative_to(study.folder)), version=body.name)

    @routes.post("/microscope/branches/{number}/pair")
    def write_pair(number: int, body: PairBody) -> Written:
        """Add a branch and its original to the study's training pairs."""
        with context.study() as study:
            path = study.folder / PAIRS
            path.parent.mkdir(exist_ok=True)
            rows = write_branch_pair(study, number, path, prefer=body.prefer)
            return Written(file=PAIRS, rows=rows)


class _Scopes:
    """The microscope of a server; it keeps the scores of the last outputs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kept: Microscope | None = None

    def choice(
        self, version: str, prompt: str, sample: int, step: int, branch: int | None
    ) -> TokenChoice:
        with self._context.models.use() as backends, self._context.own_study() as study:
            self._kept = self._kept or Microscope(study, backends=backends)
            self._kept.study = study
            return self._kept.choice(version, prompt, sample=sample, step=step, branch=branch)


def _output(study: Study, version: str, prompt: str, sample: int, number: int | None) -> OutputView:
    if number is not None:
        found = traced_branch(study, number)
        stored = output_of_branch(study, number).branch
    else:
        output = stored_output(study, version, prompt, sample)
        found, stored = traced_output(study, version, output.generation), None
    made = found.generation
    origin = stored.origin if stored else made.identity
    siblings = branches(study, undone=True)
    data: dict[str, Any] = {"loops": [loop.to_json() for loop in found.loops]}
    return OutputView(
        version=found.version,
        title=found.title,
        prompt_id=made.prompt_id,
        sample=made.sample_index,
        branch=number,
        words=branch_words(stored, found.pieces) if stored else "",
        at=stored.at if stored else None,
        prompt=made.prompt_text,
        text=made.text,
        finish_reason=made.finish_reason,
        tokens=_tokens(found),
        branches=[_branch_info(study, one) for one in siblings if one.origin == origin],
        **data,
    )


def _tokens(found: Traced) -> list[TokenInfo]:
    tokens = []
    for token in found.to_json()["tokens"]:
        kept = list(token["kept"].values())
        tokens.append(
            TokenInfo(
                id=token["id"],
                text=token["text"],
                part=tuple(token["part"]) if token["part"] else None,
                probability=token["probability"],
                rank=token["rank"],
                entropy=token["entropy"],
                final=token["final_probability"],
                kept=kept[-1] if kept else None,
                alternatives=[
                    Alternative(id=one["id"], text=one["text"], probability=exp(one["logprob"]))
                    for one in token["alternatives"]
                ],
            )
        )
    return tokens


def _branch_info(study: Study, found: StoredBranch) -> BranchInfo:
    pieces = traced_output(study, found.version, found.generation).pieces
    return BranchInfo(
        id=found.id,
        parent=found.parent,
        at=found.at,
        words=branch_words(found, pieces),
        settings=found.settings,
        undone=found.undone,
        text=Clipped.of(found.generation.text),
    )


def _trace(context: Context, body: OutputPlace, job: Job) -> Any:
    job.say("waiting for the model")
    with (
        context.models.use(lambda model: job.say(f"loading {model}")) as backends,
        context.own_study() as study,
    ):
        trace(study, body.version, body.prompt, sample=body.sample, backends=backends)
        job.say("stored")
    context.events.publish(StudyChanged())
    return {}


def _branch(context: Context, body: BranchBody, job: Job) -> Any:
    if body.branch is None and not body.version:
        raise SpecError("name an output or a branch", where="branch")
    job.say("waiting for the model")
    with (
        context.models.use(lambda model: job.say(f"loading {model}")) as backends,
        context.own_study() as study,
    ):
        job.say("generating")
        if body.branch is None:
            made = branch(
                study,
                body.version,
                body.prompt,
                sample=body.sample,
                at=body.at,
                token=body.token,
                settings=body.settings,
                draw=body.draw,
                backends=backends,
            )
        else:
            made = branch_again(
                study,
                body.branch,
                at=body.at,
                token=body.token,
                settings=body.settings,
                draw=body.draw or None,
                backends=backends,
            )
        job.say(f"branch {made.branch.id}")
    return {"branch": made.branch.id, "parted_at": made.parted_at}
