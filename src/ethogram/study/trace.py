"""Trace: one output of a version, token by token, with how each was chosen."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from ethogram.errors import RequestError, SpecError, StoreError
from ethogram.spec import Generation, Request, Suite, SuitePrompt, Trace, make_requests
from ethogram.study.run import Backends, Pool, pool_of, refused_at
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class Traced:
    """An output under the microscope.

    Attributes:
        version: its version.
        title: the version's title.
        in_suite: whether the prompt is one of the version's suite; else it is a text of one's own.
        generation: the output.
        trace: how each of its tokens was chosen.
        pieces: the text of each token.
        alternatives: the texts of the alternatives of each token, most probable first.
    """

    version: str
    title: str
    in_suite: bool
    generation: Generation
    trace: Trace
    pieces: Sequence[str]
    alternatives: Sequence[Sequence[str]]

    def to_json(self) -> dict[str, Any]:
        """Plain data; entropy and log-probabilities in nats."""
        made = self.generation
        return {
            "version": self.version,
            "prompt_id": made.prompt_id if self.in_suite else None,
            "prompt": made.prompt_text,
            "sample_index": made.sample_index,
            "identity": made.identity,
            "text": made.text,
            "finish_reason": made.finish_reason,
            "steps": list(self.trace.steps),
            "tokens": [self._token(at) for at in range(len(self.trace))],
        }

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{at}</td><td><code>{html.escape(text)}</code></td>"
            f"<td>{exp(self.generation.logprobs[at]):.3f}</td><td>{int(self.trace.rank[at])}</td>"
            f"<td>{float(self.trace.entropy[at]):.3f}</td></tr>"
            for at, text in enumerate(self.pieces)
        )
        head = "<tr><th></th><th>token</th><th>probability</th><th>rank</th><th>entropy</th></tr>"
        about = html.escape(f"{self.version} {self.title}, prompt {self.generation.prompt_id}")
        return f"<p>{about}</p><table>{head}{rows}</table>"

    def _token(self, at: int) -> dict[str, Any]:
        trace, logprob = self.trace, self.generation.logprobs[at]
        named = zip(
            trace.alternatives[at].tolist(),
            self.alternatives[at],
            trace.alternative_logprobs[at].tolist(),
            strict=True,
        )
        return {
            "id": self.generation.token_ids[at],
            "text": self.pieces[at],
            "logprob": logprob,
            "probability": exp(logprob),
            "rank": int(trace.rank[at]),
            "entropy": float(trace.entropy[at]),
            "final_probability": float(trace.probability[at]),
            "kept": dict(zip(trace.steps, trace.kept[at].tolist(), strict=True)),
            "alternatives": [
                {"id": token, "text": text, "logprob": value} for token, text, value in named
            ],
        }


def trace(
    study: Study,
    version: str,
    prompt: str,
    *,
    sample: int = 0,
    on_load: Callable[[str], None] | None = None,
) -> Traced:
    """Show how an output's tokens were chosen.

    An output of the suite is read from the store if its trace is there; otherwise it is made, with
    its trace, and stored. Any other text is a prompt of its own: its output is made and not stored.

    Args:
        study: the opened study.
        version: its name.
        prompt: id of a prompt of the version's suite, or a text.
        sample: sample index.
        on_load: called with the model's name before it is loaded.

    Raises:
        SpecError: no such version or sample, its outputs were made elsewhere, or its backend shows
            no traces.
        RequestError: the model cannot serve the prompt.
        StoreError: the stored output came out differently this time, so it cannot be traced.
    """
    in_suite = any(item.id == prompt for item in study.suite(version).prompts)
    request = _request(study, version, prompt, sample, in_suite)
    found = _stored(study, request) if in_suite else None
    if found:
        from ethogram.models import load_tokenizer

        return _traced(
            study, version, found, in_suite, load_tokenizer(study.model_reference(version))
        )
    engine = Backends(None, on_load).engine(_pool(study, version))
    try:
        made = next(engine.generate([request], trace=True))
    except RequestError as error:
        of_version = (error.where or "").startswith("decoding.")
        place = (
            refused_at(study, version, error.where)
            if in_suite or of_version
            else "the text of --prompt"
        )
        raise RequestError(
            error.what, where=f"{place} (version {version})", hint=error.hint
        ) from None
    if in_suite:
        _store(study, version, made)
    return _traced(study, version, made, in_suite, engine.loaded.tokenizer)


def _pool(study: Study, version: str) -> Pool:
    pool = pool_of(study, version)
    if pool.backend != "engine":
        raise SpecError(
            f"{pool.backend} does not show how a token was chosen",
            where=f"version {version}, backend",
            hint="trace a child of it with backend: engine",
        )
    return pool


def _request(study: Study, version: str, prompt: str, sample: int, in_suite: bool) -> Request:
    resolved, settings = study.spec.version(version), study.spec.settings
    if in_suite:
        requests = [one for one in study.requests(version) if one.prompt_id == prompt]
    elif resolved.outputs:
        requests = study.requests(version)  # Says that nothing can be generated.
    elif not prompt.strip():
        raise SpecError("the prompt is empty", where="--prompt", hint="write at least a word")
    else:
        requests = make_requests(
            resolved,
            Suite(prompts=(SuitePrompt(id=prompt, text=prompt),)),
            samples=sample + 1,
            seed=settings.seed,
            model_identity=study.model_identity(version),
            independent_noise=settings.coupling == "independent",
        )
    if sample >= len(requests):
        last = len(requests) - 1
        raise SpecError(
            f"no sample {sample} of this prompt",
            where=version,
            hint=f"use 0 to {last}" if last else "it has sample 0 only",
        )
    return requests[sample]


def _stored(study: Study, request: Request) -> Generation | None:
    """The stored output with its trace, if both are there."""
    from dataclasses import replace

    known = study.store.get([request.identity]).get(request.identity)
    trace = study.store.traces([request.identity]).get(request.identity)
    return replace(known, trace=trace) if known and trace else None


def _store(study: Study, version: str, made: Generation) -> None:
    """Keep a new output and its trace, or the trace of one that is stored already."""
    known = study.store.get([made.identity]).get(made.identity)
    if known is None:
        run = study.store.start_run(version, study.versions[version].identity)
        study.store.add([made], model=study.model_identity(version))
        study.store.finish_run(run, made=1, tokens=len(made.token_ids))
    elif known.token_ids == made.token_ids and made.trace:
        study.store.add_traces({made.identity: made.trace})
    else:
        raise StoreError(
            "made again, the output has other tokens than are stored, so it cannot be traced",
            where=f"{version}, prompt {made.prompt_id}, sample {made.sample_index}",
            hint="trace it on the machine that made it, or give its prompt as a text",
        )


def _traced(study: Study, version: str, made: Generation, in_suite: bool, tokenizer: Any) -> Traced:
    assert made.trace is not None
    return Traced(
        version=version,
        title=study.versions[version].title,
        in_suite=in_suite,
        generation=made,
        trace=made.trace,
        pieces=[_text(tokenizer, token) for token in made.token_ids],
        alternatives=[
            [_text(tokenizer, token) for token in row] for row in made.trace.alternatives.tolist()
        ],
    )


def _text(tokenizer: Any, token: int) -> str:
    """A token's own text, � for part of a character; one without text is named as it is kept."""
    text = str(tokenizer.decode([token], clean_up_tokenization_spaces=False))
    return text or str(tokenizer.convert_ids_to_tokens(token))
