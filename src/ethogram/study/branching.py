"""Branches: an output continued from one of its tokens with another token or other settings.

A branch uses the random numbers of its original, position by position, unless others are asked
for. So a branch without changes is the original, bit for bit, and a difference is the change's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ethogram.errors import RequestError, SpecError
from ethogram.spec import Generation
from ethogram.spec.identity import digest
from ethogram.study.branches import branch_json, branch_words
from ethogram.study.calling import takes_study
from ethogram.study.found_output import (
    FoundOutput,
    changed_request,
    output_of_branch,
)
from ethogram.study.pools import Backends
from ethogram.study.run import place_of, pool_of
from ethogram.study.trace import Traced, stored_output, token_texts, traced_output
from ethogram.study.workspace import Study

if TYPE_CHECKING:
    from ethogram.models.token_text import TokenText
    from ethogram.store.branches import StoredBranch


@dataclass(frozen=True)
class Branched:
    """A branch beside the output that it began from.

    Attributes:
        branch: what it is.
        original: the output that it began from, which may be a branch too.
        made: the branch's own output.
    """

    branch: StoredBranch
    original: Traced
    made: Traced

    @property
    def parted_at(self) -> int | None:
        """Index of the first token that differs; None if all are equal."""
        before, after = self.original.generation.token_ids, self.made.generation.token_ids
        for at in range(max(len(before), len(after))):
            if before[at : at + 1] != after[at : at + 1]:
                return at
        return None

    @property
    def words(self) -> str:
        """What was changed, and where."""
        return branch_words(self.branch, self.made.pieces)

    def to_json(self) -> dict[str, Any]:
        """Plain data: what the branch is, and both outputs."""
        return {
            **branch_json(self.branch),
            "words": self.words,
            "parted_at": self.parted_at,
            "original": self.original.to_json(),
            "made": self.made.to_json(),
        }


@takes_study
def branch(
    study: Study,
    version: str,
    prompt: str,
    *,
    at: int,
    sample: int = 0,
    token: int | str | None = None,
    settings: Mapping[str, Any] | None = None,
    draw: int = 0,
    on_load: Callable[[str], None] | None = None,
    backends: Backends | None = None,
) -> Branched:
    """Continue a stored output from one of its tokens, and store the branch with its trace.

    The tokens before `at` are those of the output. From there on the version's decoding with the
    given settings chooses, with the random numbers that each position has in the original.

    Args:
        study: the opened study.
        version: name of a version.
        prompt: id of a prompt of its suite.
        at: index of the first token that may differ, from 0.
        sample: sample index.
        token: id or text of the token to put there; None lets the decoding choose.
        settings: dotted fields of the decoding, with values.
        draw: 0 for the random numbers of the original, or a number for others.
        on_load: called with the model's name before it is loaded.
        backends: where models are loaded already.

    Raises:
        SpecError: the output has no token there or no trace, the text is not one token, a field is
            not one of the decoding, or the version's backend cannot continue outputs.
        RequestError: the decoding cannot continue given tokens.
    """
    return _branch(
        stored_output(study, version, prompt, sample),
        at=at,
        token=token,
        settings=settings or {},
        draw=draw,
        backends=backends or Backends(None, on_load),
    )


@takes_study
def branch_again(
    study: Study,
    number: int,
    *,
    at: int,
    token: int | str | None = None,
    settings: Mapping[str, Any] | None = None,
    draw: int | None = None,
    on_load: Callable[[str], None] | None = None,
    backends: Backends | None = None,
) -> Branched:
    """Continue a branch from one of its tokens; as `branch`, over the settings of that branch.

    Args:
        study: the opened study.
        number: id of the branch.
        at: as for `branch`.
        token: as for `branch`.
        settings: as for `branch`.
        draw: as for `branch`; None keeps that of the branch.
        on_load: as for `branch`.
        backends: as for `branch`.

    Raises:
        SpecError: as for `branch`, or the version was edited since the branch was made.
        RequestError: as for `branch`.
    """
    found = output_of_branch(study, number)
    return _branch(
        found,
        at=at,
        token=token,
        settings=settings or {},
        draw=found.draw if draw is None else draw,
        backends=backends or Backends(None, on_load),
        study=study,
    )


def _branch(
    found: FoundOutput,
    *,
    at: int,
    token: int | str | None,
    settings: Mapping[str, Any],
    draw: int,
    backends: Backends,
    study: Study | None = None,
) -> Branched:
    from ethogram.store.branches import Branches, StoredBranch

    study, before = study or found.study, found.generation
    _check_place(before, at, token)
    together = {**found.settings, **settings}
    view, name, request = changed_request(
        study, found.named, before.prompt_id, before.sample_index, together, draw
    )
    pool = pool_of(view, name)
    if pool.backend != "engine":
        raise SpecError(
            f"backend {pool.backend} cannot continue given tokens",
            where=f"version {found.named}, backend",
            hint="branch a child version with backend: engine",
        )
    put = _token_id(token_texts(study, found.named), token, before, at)
    prefix = (*before.token_ids[:at], *(() if put is None else (put,)))
    request = replace(
        request, prefix=prefix, identity=digest([request.identity, "branch", list(prefix), at])
    )
    stored = Branches(study.store).by_identity(request.identity)
    if stored is None:
        made = _made(study, found.named, request, backends.get(pool))
        stored = StoredBranch(
            origin=found.origin,
            parent=found.branch.id if found.branch else None,
            version=found.named,
            at=at,
            token=put,
            settings=together,
            draw=draw,
            generation=made,
        )
    stored = Branches(study.store).add(stored, model=study.model_identity(found.named))
    original = traced_output(study, found.named, before)
    return Branched(stored, original, traced_output(study, found.named, stored.generation))


def _made(study: Study, version: str, request: Any, backend: Any) -> Generation:
    try:
        return next(iter(backend.generate([request], trace=True)))  # type: ignore[no-any-return]
    except RequestError as error:
        where = f"{place_of(study, version, error.where)} (version {version})"
        raise RequestError(error.what, where=where, hint=error.hint) from None


def _check_place(before: Generation, at: int, token: int | str | None) -> None:
    last = len(before.token_ids) - (token is None)
    if not 0 <= at <= last or (at == len(before.token_ids) and before.finish_reason != "length"):
        raise SpecError(
            f"the output has only {len(before.token_ids)} tokens",
            where=f"prompt {before.prompt_id}, sample {before.sample_index}",
        )


def _token_id(texts: TokenText, token: int | str | None, before: Generation, at: int) -> int | None:
    """The id of a token given by id or text: one recorded beside the original, or any other.

    Raises:
        SpecError: the text is not one token.
    """
    if token is None or isinstance(token, int):
        return token
    trace = before.trace
    beside = trace.alternatives[at].tolist() if trace and at < len(trace) else []
    for known in beside:
        if texts.single(known) == token:
            return int(known)
    ids = texts.ids(token)
    if len(ids) != 1:
        shown = ", ".join(repr(texts.single(one)) for one in beside)
        raise SpecError(
            f"{token!r} is {len(ids)} tokens, and a branch puts one",
            where="--choose",
            hint=f"name one of those beside it: {shown}",
        )
    return ids[0]
