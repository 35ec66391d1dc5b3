"""Trace: one output of a version, token by token, with how each was chosen."""

from __future__ import annotations

import difflib
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from typing import TYPE_CHECKING, Any

from ethogram.errors import NotTracedError, RequestError, SpecError, StoreError
from ethogram.metrics.table import html_table
from ethogram.spec import Generation, Request, Suite, SuitePrompt, Trace
from ethogram.study.calling import takes_study
from ethogram.study.found_output import FoundOutput
from ethogram.study.pools import Backends, Pool
from ethogram.study.run import place_of, pool_of
from ethogram.study.token_loops import TokenLoop, token_loops
from ethogram.study.workspace import Part, Study

if TYPE_CHECKING:
    from ethogram.models import ModelReference
    from ethogram.models.token_text import TokenText

#: A single word as close to a prompt id as this is taken for a misspelt id.
_NEAR_ID = 0.6


@dataclass(frozen=True)
class Traced:
    """An output and how each of its tokens was chosen.

    Attributes:
        version: its version.
        title: the version's title.
        in_suite: whether the prompt is from the suite; otherwise it is a text of the user's own.
        generation: the output.
        trace: how each of its tokens was chosen.
        pieces: the text of each token; of tokens that make a character together, the first has it.
        alternatives: the texts of the alternatives of each token, most probable first.
        parts: of each token, which of the tokens that make a character together it is, from 1, and
            how many they are; both 0 for any other token.
    """

    version: str
    title: str
    in_suite: bool
    generation: Generation
    trace: Trace
    pieces: Sequence[str]
    alternatives: Sequence[Sequence[str]]
    parts: Sequence[tuple[int, int]] = ()

    def __repr__(self) -> str:
        made = self.generation
        where = (
            f"prompt {made.prompt_id}, sample {made.sample_index}" if self.in_suite else "own text"
        )
        return f"Traced {self.version}, {where}: {len(self.trace)} tokens, {made.text[:60]!r}"

    @property
    def loops(self) -> list[TokenLoop]:
        """Phrases that it repeats, and how probable each copy was."""
        made = self.generation
        return token_loops(made.token_ids, made.logprobs, self.trace.rank.tolist())

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
            "loops": [loop.to_json() for loop in self.loops],
            "tokens": [self._token(at) for at in range(len(self.trace))],
        }

    def _repr_html_(self) -> str:
        lines = [["", "token", "probability", "rank", "entropy"]]
        for at, text in enumerate(self.pieces):
            probability = f"{exp(self.generation.logprobs[at]):.3f}"
            rank, entropy = str(int(self.trace.rank[at])), f"{float(self.trace.entropy[at]):.3f}"
            lines.append([str(at), text, probability, rank, entropy])
        about = html.escape(f"{self.version} {self.title}, prompt {self.generation.prompt_id}")
        return f"<p>{about}</p>{html_table(lines)}"

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
            "part": list(self.parts[at]) if self.parts and self.parts[at][1] else None,
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


@takes_study
def trace(
    study: Study,
    version: str,
    prompt: str | None = None,
    *,
    text: str | None = None,
    sample: int = 0,
    on_load: Callable[[str], None] | None = None,
    backends: Backends | None = None,
) -> Traced:
    """Show how an output's tokens were chosen.

    For a prompt of the suite, the output and its trace are read from the store, or generated and
    stored. For any other text, the output is generated and not stored.

    Args:
        study: the opened study.
        version: its name.
        prompt: id of a prompt of the version's suite, or a text that is not close to an id.
        text: a text of your own, whatever the ids are; instead of `prompt`.
        sample: sample index.
        on_load: called with the model's name before it is loaded.
        backends: where models are loaded already.

    Raises:
        SpecError: no such version, prompt or sample; both or neither of `prompt` and `text`; the
            version's outputs are imported, or its backend cannot trace.
        RequestError: the model cannot serve the prompt.
        StoreError: regenerating the stored output gave different tokens.
    """
    if prompt is not None and text is not None:
        raise SpecError("--text cannot be combined with --prompt", where="--text")
    in_suite = text is None and _is_id(study, version, prompt)
    request = _request(study, version, text or prompt or "", sample, in_suite)
    found = _stored(study, request) if in_suite else None
    if found:
        return traced_output(study, version, found, in_suite=in_suite)
    backends, pool = backends or Backends(None, on_load), _pool(study, version)
    try:
        made = next(backends.get(pool).generate([request], trace=True))
    except RequestError as error:
        of_version = (error.where or "").startswith("decoding.")
        place = (
            place_of(study, version, error.where) if in_suite or of_version else "the prompt's text"
        )
        raise RequestError(
            error.what, where=f"{place} (version {version})", hint=error.hint
        ) from None
    if in_suite:
        _store(study, version, made)
    return traced_output(study, version, made, in_suite=in_suite)


def stored_output(study: Study, version: str, prompt: str, sample: int) -> FoundOutput:
    """A stored output of the suite with its trace, and the request that it answers.

    Raises:
        NotTracedError: it is not stored with a trace.
        SpecError: no such version, prompt or sample.
    """
    study.spec.version(version)
    if not _is_id(study, version, prompt):
        raise SpecError(f"no prompt {prompt!r} in the suite of {version}", where="--prompt")
    request = _request(study, version, prompt, sample, in_suite=True)
    found = _stored(study, request)
    if found is None:
        raise NotTracedError(
            "this output is not stored with a trace",
            where=f"{version}, prompt {prompt}, sample {sample}",
            hint=f"make it with: ethogram trace {version} --prompt {prompt} --sample {sample}",
        )
    return FoundOutput(study, version, request, found)


def _pool(study: Study, version: str) -> Pool:
    pool = pool_of(study, version)
    if pool.backend != "engine":
        raise SpecError(
            f"backend {pool.backend} cannot trace how a token was chosen",
            where=f"version {version}, backend",
            hint="trace a child version with backend: engine",
        )
    return pool


def _is_id(study: Study, version: str, prompt: str | None) -> bool:
    """Whether a prompt is one of the suite's; false for a text of the user's own.

    Raises:
        SpecError: no prompt, or a single word that looks like a misspelt id.
    """
    if prompt is None:
        raise SpecError("no prompt", where="--prompt", hint="name a prompt id, or use --text TEXT")
    ids = [item.id for item in study.suite(version).prompts]
    if prompt in ids:
        return True
    if len(prompt.split()) == 1:
        near = difflib.get_close_matches(prompt, ids, n=1, cutoff=_NEAR_ID)
        if near:
            raise SpecError(
                f"no prompt {prompt!r} in the suite of {version}",
                where="--prompt",
                hint=f"did you mean {near[0]!r}? For a text of your own use --text",
            )
    return False


def _request(study: Study, version: str, prompt: str, sample: int, in_suite: bool) -> Request:
    if in_suite:
        requests = study.requests(version, Part(prompt_ids=frozenset([prompt])))
    elif not prompt.strip():
        raise SpecError("the prompt is empty", where="--prompt", hint="write at least one word")
    else:
        own = Suite(prompts=(SuitePrompt(id=prompt, text=prompt),))
        requests = study.requests(version, Part(samples=sample + 1), suite=own)
    if sample >= len(requests):
        last = len(requests) - 1
        raise SpecError(
            f"no sample {sample} of this prompt",
            where=version,
            hint=f"use 0 to {last}" if last else "use 0, the only one",
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
            "regenerating this output gave different tokens than the stored ones, so it cannot be "
            "traced",
            where=f"{version}, prompt {made.prompt_id}, sample {made.sample_index}",
            hint="trace it on the machine that generated it, or give its prompt with --text",
        )


def token_texts(study: Study, version: str) -> TokenText:
    """The texts of a version's tokens; its tokenizer is loaded once in a process."""
    return _token_texts(study.model_reference(version), study.model_identity(version))


@lru_cache(maxsize=4)
def _token_texts(reference: ModelReference, identity: str) -> TokenText:
    """As `token_texts`; the identity of the weights tells a model from an earlier one there."""
    from ethogram.models import load_tokenizer
    from ethogram.models.token_text import TokenText

    return TokenText(load_tokenizer(reference))


def traced_output(
    study: Study,
    version: str,
    made: Generation,
    *,
    in_suite: bool = True,
    texts: TokenText | None = None,
) -> Traced:
    """An output that has a trace, with the text of each token and of its alternatives.

    Args:
        study: the opened study.
        version: name of its version.
        made: the output.
        in_suite: whether its prompt is from the suite.
        texts: of its tokens, where they are not those of the version.
    """
    assert made.trace is not None
    texts = texts or token_texts(study, version)
    pieces = texts.pieces(made.token_ids)
    return Traced(
        version=version,
        title=study.versions[version].title,
        in_suite=in_suite,
        generation=made,
        trace=made.trace,
        pieces=[piece.text for piece in pieces],
        alternatives=[
            [texts.single(token) for token in row] for row in made.trace.alternatives.tolist()
        ],
        parts=[(piece.part, piece.of) for piece in pieces],
    )
