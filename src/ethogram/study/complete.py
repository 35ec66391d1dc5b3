"""Complete versions: those whose outputs were all read once, so that they need not be looked for.

The store empties its notes of complete versions whenever a generation is deleted or changed, so a
note is as good as looking for every output again; see `store.schema.complete_table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ethogram import spec
from ethogram.errors import StoreError
from ethogram.files import digest_of_code
from ethogram.spec.endpoint import is_remote
from ethogram.spec.identity import digest
from ethogram.study.requests import WHOLE, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ethogram.metrics import Output
    from ethogram.study.stale import Results
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
    return noted_identities(study, version) is not None


def _basis(study: Study, version: str) -> str | None:
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


class StoredOutputs(Sequence["Output"]):
    """The outputs of a complete version, read from the store when they are needed.

    Args:
        study: opened.
        version: its name.
        results: all of its outputs.

    Attributes:
        samples: of each prompt.
    """

    def __init__(self, study: Study, version: str, results: Results) -> None:
        self._study, self._version, self._results = study, version, results
        self.samples = len(results.identities) // len(results.suite)

    def __len__(self) -> int:
        return len(self._results.identities)

    @overload
    def __getitem__(self, place: int) -> Output: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Output]: ...
    def __getitem__(self, place: int | slice) -> Output | Sequence[Output]:
        return self.all[place]

    def __iter__(self) -> Iterator[Output]:
        return iter(self.all)

    @cached_property
    def all(self) -> Sequence[Output]:
        """Every output, in suite order."""
        return self._read(self._results.identities)

    @cached_property
    def places(self) -> dict[str, range]:
        """Prompt id to the places of its outputs."""
        return {
            item.id: range(place * self.samples, (place + 1) * self.samples)
            for place, item in enumerate(self._results.suite.prompts)
        }

    @cached_property
    def prompts(self) -> Sequence[Output]:
        """A prompt each, in suite order: outputs without a text."""
        from ethogram.metrics import Output

        return [
            Output(text="", prompt=item.as_text(), tags=item.tags, prompt_id=item.id)
            for item in self._results.suite.prompts
        ]

    def of(self, prompt: str) -> Sequence[Output]:
        """The outputs of one prompt; only these are read."""
        places = self.places[prompt]
        if "all" in self.__dict__:
            return self.all[places.start : places.stop]
        return self._read(self._results.identities[places.start : places.stop])

    def forget(self) -> None:
        """Drop what was read."""
        self.__dict__.pop("all", None)

    def _read(self, identities: Sequence[str]) -> Sequence[Output]:
        from ethogram.study.stored_outputs import outputs_of

        part = replace(self._results, identities=tuple(identities))
        return outputs_of(self._study, self._version, results=part)
