"""Finds one output of a study with its trace: of the suite, or a branch of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ethogram.errors import SpecError
from ethogram.spec import Generation, Request
from ethogram.spec.identity import digest, noise_key
from ethogram.spec.space import Setting, apply
from ethogram.study.workspace import Part, Study

if TYPE_CHECKING:
    from ethogram.store.branches import StoredBranch


@dataclass(frozen=True)
class FoundOutput:
    """An output and the request that it answers.

    Attributes:
        study: the study, or a view of it with the settings of a branch.
        version: the name of its version there.
        request: the request.
        generation: the output, with its trace.
        branch: the branch, if it is one.
    """

    study: Study
    version: str
    request: Request
    generation: Generation
    branch: StoredBranch | None = None

    @property
    def origin(self) -> str:
        """Identity of the generation, or of the one that the branch began from."""
        return self.branch.origin if self.branch else self.generation.identity

    @property
    def named(self) -> str:
        """Name of the version in the study."""
        return self.branch.version if self.branch else self.version

    @property
    def settings(self) -> dict[str, Any]:
        """Settings in which it differs from its version."""
        return self.branch.settings if self.branch else {}

    @property
    def draw(self) -> int:
        """Which random numbers it has; 0 for those of the version's own output."""
        return self.branch.draw if self.branch else 0


def found_branch(study: Study, number: int) -> StoredBranch:
    """The stored branch of an id.

    Raises:
        SpecError: there is none.
    """
    from ethogram.store.branches import Branches

    found = Branches(study.store).get(number)
    if found is None:
        raise SpecError(
            f"no branch {number}",
            where=str(study.folder),
            hint="list them with `ethogram branch list`",
        )
    return found


def output_of_branch(study: Study, number: int) -> FoundOutput:
    """The output of a branch and its request.

    Raises:
        SpecError: there is no such branch, its version is gone, or was edited since.
    """
    branch = found_branch(study, number)
    made = branch.generation
    study.spec.version(branch.version)
    own = _requests(study, branch.version, made.prompt_id, made.sample_index)
    if not own or own[-1].identity != branch.origin:
        raise SpecError(
            f"{branch.version} or its suite was edited since branch {number} was made",
            where=f"branch {number}",
            hint="undo the edit to work on with this branch; it stays stored",
        )
    view, name, request = changed_request(
        study, branch.version, made.prompt_id, made.sample_index, branch.settings, branch.draw
    )
    return FoundOutput(view, name, request, made, branch)


def changed_request(
    study: Study,
    version: str,
    prompt_id: str,
    sample: int,
    settings: dict[str, Any],
    draw: int,
) -> tuple[Study, str, Request]:
    """A view of the study in which a version has other settings, its name there, and the request.

    Args:
        study: opened.
        version: its name.
        prompt_id: of its suite.
        sample: sample index; a decoding that becomes deterministic has only one.
        settings: dotted fields of its decoding, with values.
        draw: 0 for the version's own random numbers, else which others.

    Raises:
        SpecError: a field is not one of the decoding, or a value is out of bounds.
    """
    for field in settings:
        if not field.startswith("decoding."):
            raise SpecError(
                "a branch continues the same prompt on the same model, so only settings of the "
                "decoding can change",
                where=f"--set {field}",
                hint="name a field such as decoding.temperature",
            )
    view, name = changed_version(study, version, settings)
    request = _requests(view, name, prompt_id, sample)[-1]
    return view, name, with_draw(request, draw)


def changed_version(study: Study, version: str, settings: Mapping[str, Any]) -> tuple[Study, str]:
    """A view of the study in which a version has other settings, and its name there.

    Args:
        study: opened.
        version: its name.
        settings: dotted fields, such as `decoding.temperature`, with values.

    Raises:
        SpecError: no such version or field, or a value is out of bounds.
    """
    parent = study.spec.version(version)
    if not settings:
        return study, version
    changed = apply(parent, Setting(tuple(sorted(settings.items()))), parent=version)
    name = f"{version} with {digest(dict(settings))[:12]}"
    return study.with_versions({name: changed}), name


def with_draw(request: Request, draw: int) -> Request:
    """The request with other random numbers; 0 keeps its own."""
    if not draw or request.noise_key is None:
        return request
    key = noise_key(request.noise_key, "draw", draw)
    return replace(request, noise_key=key, identity=digest([request.identity, "draw", draw]))


def _requests(study: Study, version: str, prompt_id: str, sample: int) -> list[Request]:
    """The requests of a prompt up to a sample index."""
    return study.requests(version, Part(frozenset([prompt_id]), sample + 1))
