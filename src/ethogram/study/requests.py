"""Requests: from a version of an opened study to the requests that it implies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethogram.errors import SpecError
from ethogram.spec import Request, Suite, make_requests
from ethogram.spec.endpoint import is_remote

if TYPE_CHECKING:
    from ethogram.study.workspace import Study


@dataclass(frozen=True)
class Part:
    """Which of a version's requests are meant, where not all are.

    Attributes:
        prompt_ids: of the suite; None is all.
        samples: sample indices 0..samples-1; None is the study's number.
    """

    prompt_ids: frozenset[str] | None = None
    samples: int | None = None


#: Every request of a version.
WHOLE = Part()


def requests_of(
    study: Study, version: str, part: Part = WHOLE, *, suite: Suite | None = None
) -> list[Request]:
    """The requests of a version, in suite order; the only place that makes requests.

    Args:
        study: opened.
        version: its name.
        part: which of them.
        suite: other prompts than those of the version's suite.

    Raises:
        SpecError: the version's outputs are imported.
    """
    resolved = study.spec.version(version)
    if resolved.outputs:
        raise SpecError("its outputs are imported, so nothing can be generated", where=version)
    settings = study.spec.settings
    suite = suite or study.suite(version)
    if part.prompt_ids is not None:
        chosen = tuple(item for item in suite.prompts if item.id in part.prompt_ids)
        suite = Suite(prompts=chosen)
    amateur = study.amateur_reference(version)
    is_here = not is_remote(resolved.model)  # An endpoint reads the messages as they are.
    chat_model = study.model_reference(version) if resolved.prompt.chat and is_here else None
    return make_requests(
        resolved,
        suite,
        samples=part.samples or study.spec.samples(version),
        seed=settings.seed,
        model_identity=study.model_identity(version),
        amateur_identity=study.identity_of(amateur) if amateur else None,
        independent_noise=settings.coupling == "independent",
        finish=study.dated_chats.finish(chat_model) if chat_model else None,
    )


def stored_samples(study: Study, version: str) -> int:
    """Samples per prompt that a version has in the store, if more than the study's number.

    Sequential checks make samples beyond those of the study; whole rounds of them count.
    """
    resolved, samples = study.spec.version(version), study.spec.samples(version)
    if resolved.outputs or not resolved.decoding.is_stochastic:
        return samples
    while True:
        # Doubled at each look, so that few more requests are built than are stored.
        requests = study.requests(version, Part(samples=2 * samples))
        further = [each for each in requests if each.sample_index >= samples]
        missing = set(study.store.missing([each.identity for each in further]))
        if missing:
            return min(each.sample_index for each in further if each.identity in missing)
        samples *= 2
