"""Play: one prompt on several versions or settings at once, as their tokens come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ethogram.errors import RequestError, SpecError
from ethogram.spec import Generation, Request, Suite, SuitePrompt
from ethogram.study.found_output import changed_version, with_draw
from ethogram.study.pools import Backends, Pool
from ethogram.study.run import place_of, pool_of
from ethogram.study.workspace import Part, Study

if TYPE_CHECKING:
    from ethogram.engine import Engine
    from ethogram.engine.live import LiveBatch
    from ethogram.engine.text_stream import TextStream

#: Lanes side by side at most.
MOST_LANES = 4


@dataclass(frozen=True)
class Lane:
    """What one lane generates with.

    Attributes:
        version: name of a version.
        settings: dotted fields of it that differ here, with values.
    """

    version: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Prepared:
    """A lane that is ready to run.

    Attributes:
        lane: its number.
        study: a view of the study with its settings.
        version: its version there.
        request: what it generates.
    """

    lane: int
    study: Study
    version: str
    request: Request


@dataclass(frozen=True)
class PlayedOutput:
    """What a lane made, and with what.

    Attributes:
        lane: its number, from 0.
        version: that the lane began from.
        prompt: as the suite or the user words it.
        model: identity of the model.
        identity: of the request; equal for equal settings, prompt and random numbers.
        generation: the output.
    """

    lane: int
    version: str
    prompt: str
    model: str
    identity: str
    generation: Generation


#: Called with a lane's number and new text.
ShowText = Callable[[int, str], None]
#: Called with a lane's number and its whole output.
ShowOutput = Callable[[int, Generation], None]


def play(
    study: Study,
    lanes: Sequence[Lane],
    *,
    prompt: str | None = None,
    text: str | None = None,
    draw: int = 0,
    on_text: ShowText,
    on_output: ShowOutput,
    check: Callable[[], None] = lambda: None,
    backends: Backends | None = None,
) -> list[PlayedOutput]:
    """Generate one output a lane; nothing is stored.

    Lanes on one model run in one batch, token by token. A lane whose decoding or wrapper needs
    whole outputs, or whose version has another backend, gets its text when it is finished.

    Args:
        study: the opened study.
        lanes: one to four.
        prompt: id of a prompt of the first lane's suite.
        text: a text instead.
        draw: 0 for the random numbers of the study, else others. All lanes share them.
        on_text: called with each lane's text as it becomes certain.
        on_output: called with each lane's output when it ends.
        check: called between steps; what it raises ends the lanes.
        backends: where models are loaded already.

    Returns:
        The outputs, in the order of the lanes.

    Raises:
        SpecError: no lane or too many, no such version, prompt or field, a value out of bounds.
        RequestError: a model cannot serve the prompt.
    """
    if not 1 <= len(lanes) <= MOST_LANES:
        raise SpecError(f"{len(lanes)} lanes", where="play", hint=f"use 1 to {MOST_LANES}")
    suite = _suite(study, lanes[0].version, prompt, text)
    backends = backends or Backends(None, None)
    pools: dict[Pool, list[_Prepared]] = {}
    made: dict[int, Generation] = {}

    def ended(lane: int, output: Generation) -> None:
        made[lane] = output
        on_output(lane, output)

    for number, lane in enumerate(lanes):
        view, name = changed_version(study, lane.version, lane.settings)
        request = with_draw(view.requests(name, Part(samples=1), suite=suite)[0], draw)
        request = replace(request, identity=f"lane {number}: {request.identity}")
        pools.setdefault(pool_of(view, name), []).append(_Prepared(number, view, name, request))
    for pool, members in pools.items():
        check()
        live = [each for each in members if _is_live(pool, each.request)]
        if live:
            _stream(backends.engine(pool), live, on_text, ended, check)
        for each in members:
            if each not in live:
                _whole(backends, pool, each, on_text, ended, check)
    prepared = {each.lane: each for members in pools.values() for each in members}
    [item] = suite.prompts
    return [
        PlayedOutput(
            lane=number,
            version=lane.version,
            prompt=item.as_text(),
            model=prepared[number].study.model_identity(prepared[number].version),
            identity=prepared[number].request.identity.partition(": ")[2],
            generation=made[number],
        )
        for number, lane in enumerate(lanes)
    ]


def _suite(study: Study, version: str, prompt: str | None, text: str | None) -> Suite:
    """The one prompt, as a suite. Its id keys the random numbers."""
    if (prompt is None) == (text is None) or (text is not None and not text.strip()):
        raise SpecError("the prompt is empty", where="play", hint="choose a prompt or write one")
    if text is not None:
        return Suite(prompts=(SuitePrompt(id=text, text=text),))
    chosen = tuple(item for item in study.suite(version).prompts if item.id == prompt)
    if not chosen:
        raise SpecError(f"no prompt {prompt!r} in the suite of {version}", where="play")
    return Suite(prompts=chosen)


def _is_live(pool: Pool, request: Request) -> bool:
    """Whether an output can be shown token by token."""
    decoding = request.decoding
    return (
        pool.backend == "engine"
        and request.wrapper is None
        and decoding.resolved_strategy in ("greedy", "sample")
        and decoding.candidates == 1
        and decoding.guidance_branch is None
    )


def _whole(
    backends: Backends,
    pool: Pool,
    each: _Prepared,
    on_text: ShowText,
    on_output: ShowOutput,
    check: Callable[[], None],
) -> None:
    def between(_: int) -> None:
        check()

    try:
        [made] = backends.get(pool).generate([each.request], on_tokens=between)
    except RequestError as error:
        raise _placed(each, error) from None
    on_text(each.lane, made.text)
    on_output(each.lane, made)


def _stream(
    engine: Engine,
    members: Sequence[_Prepared],
    on_text: ShowText,
    on_output: ShowOutput,
    check: Callable[[], None],
) -> None:
    from ethogram.engine.live import LiveBatch

    if engine.loaded.is_encoder_decoder:  # These run in static batches.
        made = {one.identity: one for one in engine.generate([each.request for each in members])}
        for each in members:
            on_text(each.lane, made[each.request.identity].text)
            on_output(each.lane, made[each.request.identity])
        return
    live = LiveBatch(engine, max_rows=len(members), max_tokens=engine.loaded.context_length)
    streams = {each.request.identity: (each.lane, _joined(live, each)) for each in members}
    while len(live):
        check()
        for chosen in live.step():
            lane, stream = streams[chosen.identity]
            new = stream.push(chosen.token_ids)
            if chosen.generation is not None:
                new += stream.finish(chosen.generation.text)
            if new:
                on_text(lane, new)
            if chosen.generation is not None:
                on_output(lane, chosen.generation)


def _joined(live: LiveBatch, each: _Prepared) -> TextStream:
    """Let a lane join; returns its text to come."""
    from ethogram.engine.text_stream import TextStream

    try:
        job = live.prepare(each.request)
    except RequestError as error:
        raise _placed(each, error) from None
    live.add(job)
    return TextStream(live.engine.loaded.tokenizer, job.rules.stop_strings, job.rules.ending_ids)


def _placed(each: _Prepared, error: RequestError) -> RequestError:
    where = error.where or ""
    if where.startswith("decoding."):
        where = place_of(each.study, each.version, where)
    return RequestError(error.what, where=f"lane {each.lane + 1}, {where}", hint=error.hint)
