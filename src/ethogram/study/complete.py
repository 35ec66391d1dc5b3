"""Complete versions: those whose outputs were all read once, so that they need not be looked for.

The store empties its notes of complete versions whenever a generation is deleted or changed, so a
note is as good as looking for every output again; see `store.schema.complete_table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram import spec
from ethogram.errors import StoreError
from ethogram.files import digest_of_code
from ethogram.spec.endpoint import is_remote
from ethogram.spec.identity import digest
from ethogram.study.requests import WHOLE, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ethogram.metrics import Output
    from ethogram.study.workspace import Study


def noted_identities(study: Study, version: str) -> tuple[str, ...] | None:
    """The identities of a version that is noted as complete; None if it is not, or cannot be."""
    from ethogram.store.complete import complete_identities

    basis = _basis(study, version)
    return complete_identities(study.store, basis) if basis else None


def note_complete(study: Study, version: str, outputs: Sequence[Output]) -> bool:
    """Note that all outputs of a version were read; returns whether they are all as expected.

    Args:
        study: opened.
        version: its name.
        outputs: in suite order, as read just now.
    """
    from ethogram.store.complete import add_complete

    basis, identities = _basis(study, version), study.identities(version)
    if basis is None or len(set(identities)) != len(identities):
        return False
    # Two prompts of one text have one output under greedy decoding, which names the first of them.
    places = [(prompt.id, index) for prompt, index in _requested(study, version, len(outputs))]
    if [(each.prompt_id, each.sample_index) for each in outputs] != places:
        return False
    with suppress(StoreError):  # A store that cannot be written does not stop a reader.
        if add_complete(study.store, basis, identities):
            study.known_complete.add(tuple(identities))
            return True
    return False


def _requested(study: Study, version: str, outputs: int) -> Iterator[tuple[spec.SuitePrompt, int]]:
    """Prompts and sample indices in suite order."""
    prompts = study.suite(version).prompts
    for prompt in prompts:
        for index in range(outputs // len(prompts)):
            yield prompt, index


def is_complete(study: Study, version: str, part: Part = WHOLE) -> bool:
    """Whether the store notes now that a version has every output."""
    if part != WHOLE:
        return False
    from ethogram.store.complete import is_noted

    basis = _basis(study, version)
    return basis is not None and is_noted(study.store, basis)


def _basis(study: Study, version: str) -> str | None:
    """The basis of a version, found once: an opened study has read its files."""
    if version not in study.known_bases:
        study.known_bases[version] = _find_basis(study, version)
    return study.known_bases[version]


def _find_basis(study: Study, version: str) -> str | None:
    """Digest of all that the identities of a version follow from; None where it is not known.

    As `requests_of` and `make_requests` do it: whatever these read is in here.
    """
    if version not in study.spec.stated or version in study.beside:
        return None
    resolved, settings = study.spec.version(version), study.spec.settings
    if resolved.outputs:
        return None
    is_chat = resolved.prompt.chat and not is_remote(resolved.model)
    if is_chat and study.dated_chats.finish(study.model_reference(version)) is not None:
        return None  # Tomorrow its requests are others.
    amateur = study.amateur_reference(version)
    return digest(
        [
            resolved.identity,
            resolved.effective_decoding().canonical(),
            resolved.prompt.model_dump(mode="json"),
            resolved.wrapper.canonical(),
            resolved.backend,
            study.suite(version).identity,
            study.spec.samples(version),
            settings.seed,
            settings.coupling,
            study.model_identity(version),
            study.identity_of(amateur) if amateur else None,
            _code(),
        ]
    )


@cache
def _code() -> str:
    """Digest of the code that makes requests: a new release may make others."""
    return digest_of_code(Path(spec.__file__).parent)
