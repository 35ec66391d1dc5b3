"""Play: one prompt on up to four versions or settings side by side, streamed by a job."""

from __future__ import annotations

import json
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from fastapi import APIRouter
from pydantic import Field, JsonValue
from pydantic.fields import FieldInfo

from ethogram.arena import Arena, store_played
from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.spec import Decoding, Generation, SuitePrompt
from ethogram.spec.setting import Effect, leaves, metadata, value_of
from ethogram.spec.source import SourceMap, validate
from ethogram.spec.steps import SAMPLING_STEPS
from ethogram.study.playing import MOST_LANES, Lane, PlayedOutput, play
from ethogram.study.versions import new_version, parse_setting
from ethogram.study.workspace import Study
from ethogram.ui.context import Context
from ethogram.ui.jobs import KEPT, Job, JobInfo
from ethogram.ui.models import Answer, Body, Text

#: Low end, high end and step of the sliders that are shown at first, within the settings' bounds:
#: the values that people use.
SLIDERS: dict[str, tuple[float, float, float]] = {
    "temperature": (0.0, 2.0, 0.05),
    "top_k": (0, 200, 1),
    "top_p": (0.05, 1.0, 0.05),
    "min_p": (0.0, 0.5, 0.01),
    "repetition_penalty": (1.0, 2.0, 0.05),
    "frequency_penalty": (-2.0, 2.0, 0.1),
    "presence_penalty": (-2.0, 2.0, 0.1),
    "dry.multiplier": (0.0, 2.0, 0.1),
    "no_repeat_ngram_size": (0, 10, 1),
    "max_new_tokens": (1, 512, 1),
}


class SettingInfo(Answer):
    """A setting of the decoding, for a slider or a field.

    Attributes:
        field: its dotted name in a version file.
        name: its name within the decoding.
        kind: what its values are.
        choices: all its values, where they have names.
        about: what it does, in plain words.
        lower: what a lower value does.
        higher: what a higher value does.
        default: its value where a version states none.
        needs_sampling: whether it has no effect under another strategy.
        slider: low end, high end and step; None for a plain field.
    """

    field: str
    name: str
    kind: Literal["number", "whole", "choice", "other"]
    choices: list[str]
    about: str
    lower: str
    higher: str
    default: JsonValue
    needs_sampling: bool
    slider: tuple[float, float, float] | None


class PlayVersion(Answer):
    """A version that a lane can begin from.

    Attributes:
        name: its name.
        title: what it tries.
        values: the values of all settings of its decoding, by dotted field.
        prompts: ids of its suite.
        streams: whether its text comes token by token.
    """

    name: str
    title: Text
    values: dict[str, JsonValue]
    prompts: list[Text]
    streams: bool


class PromptText(Answer):
    """What a prompt of a suite says."""

    text: Text


class PlayView(Answer):
    """What can be played with."""

    most_lanes: int
    settings: list[SettingInfo]
    versions: list[PlayVersion]


class LaneBody(Body):
    """A lane: a version and what differs from it.

    Attributes:
        version: its name.
        settings: dotted fields with values.
        lines: further settings, as lines FIELD=VALUE.
    """

    version: str
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    lines: str = ""

    def all_settings(self) -> dict[str, Any]:
        """The settings of both kinds.

        Raises:
            SpecError: a line is not FIELD=VALUE.
        """
        lines = [line for line in self.lines.splitlines() if line.strip()]
        return {**self.settings, **dict(map(parse_setting, lines))}


class PlayBody(Body):
    """What to generate.

    Attributes:
        lanes: up to four.
        prompt: id of a prompt of the first lane's suite.
        text: a text instead.
        draw: 0 for the random numbers of the study, else others.
    """

    lanes: tuple[LaneBody, ...]
    prompt: str | None = None
    text: str | None = None
    draw: int = 0


class ChildBody(LaneBody):
    """The child version that a lane becomes."""

    name: str
    title: str = ""


class PromptBody(Body):
    """A text to add to the suite of a version."""

    version: str
    id: str
    text: str


class SendBody(Body):
    """A finished job whose outputs go to the arena."""

    job: str


class Sent(Answer):
    """The names that outputs have in the arena; they do not tell which side is whose."""

    names: list[str]


class Saved(Answer):
    """A file that was written."""

    file: Text


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes = APIRouter()
    made: dict[str, list[PlayedOutput]] = {}

    @routes.get("/play")
    def play_view() -> PlayView:
        """Versions, and the settings with what each does."""
        with context.study() as study:
            return _view(study)

    @routes.get("/play/prompt")
    def prompt_text(version: str, prompt: str) -> PromptText:
        """What a prompt of a version's suite says."""
        with context.study() as study:
            for item in study.suite(version).prompts:
                if item.id == prompt:
                    return PromptText(text=item.as_text())
            raise SpecError(f"no prompt {prompt!r} in the suite of {version}", where="play")

    @routes.post("/play")
    def start_play(body: PlayBody) -> JobInfo:
        """Generate; lane i of the job has the text of lane i, and a row tells how it ended."""
        words = body.text or body.prompt or ""
        lanes = [Lane(lane.version, lane.all_settings()) for lane in body.lanes]
        return context.jobs.start(
            "play", f"Play {words[:60]!r}", lambda job: _play(context, body, lanes, job, made)
        )

    @routes.post("/play/arena")
    def send_to_arena(body: SendBody) -> Sent:
        """Store the outputs of a job, to be voted on."""
        outputs = made.get(body.job)
        if outputs is None:
            raise SpecError("the server has these outputs no more", hint="generate them again")
        with context.study() as study:
            names = store_played(study, outputs)
            Arena(study, names)  # Refuses equal texts.
            return Sent(names=names)

    @routes.post("/play/version")
    def save_version(body: ChildBody) -> Saved:
        """Write a lane's settings as a child version."""
        with context.study() as study:
            path = new_version(
                study, body.name, body.version, body.all_settings(), title=body.title
            )
            return Saved(file=str(path.relative_to(study.folder)))

    @routes.post("/play/prompt")
    def add_prompt(body: PromptBody) -> Saved:
        """Add a text to a version's suite."""
        with context.study() as study:
            return _add_prompt(study, body)

    return routes


def _view(study: Study) -> PlayView:
    return PlayView(
        most_lanes=MOST_LANES,
        settings=[_setting(name, field) for name, field in leaves(Decoding)],
        versions=[
            PlayVersion(
                name=name,
                title=version.title,
                values={
                    f"decoding.{field}": _plain(value_of(version.decoding, field))
                    for field, _ in leaves(Decoding)
                },
                prompts=[item.id for item in study.suite(name).prompts],
                streams=version.wrapper.is_plain and version.backend == "engine",
            )
            for name, version in study.versions.items()
            if not version.outputs
        ],
    )


def _setting(name: str, field: FieldInfo) -> SettingInfo:
    effect = metadata(field, Effect) or Effect()
    choices = _choices(field.annotation)
    kinds: dict[Any, Literal["number", "whole"]] = {float: "number", int: "whole"}
    return SettingInfo(
        field=f"decoding.{name}",
        name=name,
        kind="choice" if choices else kinds.get(field.annotation, "other"),
        choices=choices,
        about=field.description or "",
        lower=effect.lower,
        higher=effect.higher,
        default=_plain(field.get_default(call_default_factory=True)),
        needs_sampling=name.split(".")[0] in SAMPLING_STEPS,
        slider=SLIDERS.get(name),
    )


def _choices(annotation: Any) -> list[str]:
    """The values of `Literal[...]`, also where None is one more."""
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    inner = [one for one in get_args(annotation) if one is not NoneType]
    return _choices(inner[0]) if len(inner) == 1 else []


def _plain(value: Any) -> Any:
    """A value of a setting as JSON has it."""
    return json.loads(json.dumps(value))


def _play(
    context: Context,
    body: PlayBody,
    lanes: list[Lane],
    job: Job,
    kept: dict[str, list[PlayedOutput]],
) -> Any:
    def ended(lane: int, made: Generation) -> None:
        job.add(
            {
                "lane": lane,
                "text": made.text,
                "finish_reason": made.finish_reason,
                "tokens": len(made.token_ids),
                "seconds": made.seconds,
            }
        )

    job.say("waiting for the model")
    with (
        context.models.use(lambda model: job.say(f"loading {model}")) as backends,
        context.own_study() as study,
    ):
        job.say("generating")
        kept[job.id] = play(
            study,
            lanes,
            prompt=body.prompt,
            text=body.text,
            draw=body.draw,
            on_text=lambda lane, text: job.write(str(lane), text),
            on_output=ended,
            check=job.check,
            backends=backends,
        )
    job.say(f"{len(lanes)} output{'s' if len(lanes) > 1 else ''}")
    for old in list(kept)[:-KEPT]:
        kept.pop(old, None)
    return {"lanes": len(lanes)}


def _add_prompt(study: Study, body: PromptBody) -> Saved:
    path = study.spec.suite_path(body.version)
    if path.suffix != ".jsonl":
        raise SpecError("only a suite in JSON lines can be added to here", where=str(path))
    row = {"id": body.id.strip(), "text": body.text}
    validate(SuitePrompt, row, path, SourceMap())
    if row["id"] in {item.id for item in study.suite(body.version).prompts}:
        raise SpecError(f"the suite already has a prompt {row['id']!r}", where=str(path))
    before = path.read_text(encoding="utf-8")
    separator = "" if before.endswith("\n") else "\n"
    write_whole(path, [before, separator, json.dumps(row, ensure_ascii=False), "\n"])
    return Saved(file=path.name)
