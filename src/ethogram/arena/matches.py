"""Matches: every two outputs that can be voted on, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.arena.played import is_played, played_output
from ethogram.errors import SpecError
from ethogram.study.kept_scores import ScoreColumn
from ethogram.study.measure import OF_TEXT, Measured, measure
from ethogram.study.shared_prompts import shared_prompts
from ethogram.study.stale import stored_results
from ethogram.study.stored_outputs import StoredOutputs

if TYPE_CHECKING:
    from ethogram.metrics import Output
    from ethogram.spec import Generation
    from ethogram.study.workspace import Study

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Match:
    """Two outputs of a prompt; `first` has the lower identity.

    Attributes:
        prompt_id: of the suite.
        first: identity of a generation.
        second: identity of the other.
        first_version: whose output `first` is.
        second_version: whose output `second` is.
    """

    prompt_id: str
    first: str
    second: str
    first_version: str
    second_version: str


@dataclass(frozen=True)
class _Side:
    """The outputs of a version.

    Attributes:
        identities: of the outputs.
        prompts: an output of each prompt at least; the texts may be left out.
        places: prompt id to sample index to the place of the output.
        scores: what tells most texts apart, [outputs, parts]; None where nothing is known.
    """

    identities: Sequence[str]
    prompts: Sequence[Output]
    places: Mapping[str, Mapping[int, int]]
    scores: Array | None


class Matches:
    """The outputs of versions that can meet.

    Outputs with the same sample index meet, and a greedy version's only output meets all of the
    other version. Two outputs with the same text are left out: a vote would say nothing. Of most
    outputs of a large study no text is read.

    Args:
        study: the opened study.
        versions: two or more names, which have been run on a prompt they share; or the names of
            outputs of the playground (`played.py`).

    Attributes:
        prompts: prompt id to its text.
        outputs: version to identity to prompt id.
        pairs: two versions to what can be voted on.
        identical: pairs of outputs that are left out.

    Raises:
        SpecError: fewer than two versions, one twice, missing generations, or no shared prompt.
    """

    def __init__(self, study: Study, versions: Sequence[str]) -> None:
        if len(versions) < 2 or len(set(versions)) < len(versions):
            raise SpecError(
                "an arena needs two different versions",
                where=", ".join(versions) or "arena",
                hint="name both, like `ethogram arena v0.1.0 v1.0.0`",
            )
        self._study = study
        self.versions = tuple(versions)
        self.prompts: dict[str, str] = {}
        self.outputs: dict[str, dict[str, str]] = {}
        self._texts: dict[str, str] = {}
        sides = {name: self._read(name) for name in versions}
        self.identical = 0
        self.pairs: Mapping[tuple[str, str], Sequence[Match]] = {
            pair: list(self._matches(pair, sides)) for pair in combinations(self.versions, 2)
        }

    def texts(self, identities: Iterable[str]) -> Mapping[str, str]:
        """The texts of some outputs at least; those that are not known yet are read at once."""
        missing = [each for each in dict.fromkeys(identities) if each not in self._texts]
        if missing:
            self._texts.update(self._study.store.texts(missing))
        return self._texts

    def holds(self, first: str, first_version: str, second: str, second_version: str) -> bool:
        """Whether two outputs are what the two versions answer now."""
        return first in self.outputs.get(first_version, ()) and second in self.outputs.get(
            second_version, ()
        )

    def _read(self, version: str) -> _Side:
        side = self._played(version) if is_played(version) else self._stored(version)
        for each in side.prompts:
            self.prompts.setdefault(each.prompt_id, each.prompt)
        self.outputs[version] = {
            side.identities[place]: prompt
            for prompt, places in side.places.items()
            for place in places.values()
        }
        return side

    def _played(self, name: str) -> _Side:
        made = played_output(self._study, name)
        self._texts[made.identity] = made.text
        places = {made.prompt_id: {made.sample_index: 0}}
        return _Side([made.identity], [_as_output(made)], places, None)

    def _stored(self, version: str) -> _Side:
        measured = measure(self._study, version, OF_TEXT, accept="earlier")
        scores = np.concatenate([_parts(each) for each in measured.values()], axis=1)
        one = measured[OF_TEXT[0]]
        identities = stored_results(self._study, version).identities
        if isinstance(one.outputs, StoredOutputs):
            places = {prompt: dict(enumerate(rows)) for prompt, rows in one.places.items()}
            return _Side(identities, one.prompts, places, scores)
        found: dict[str, dict[int, int]] = {}
        for place, output in enumerate(one.outputs):
            self._texts[identities[place]] = output.text
            found.setdefault(output.prompt_id, {})[output.sample_index] = place
        return _Side(identities, one.prompts, found, scores)

    def _matches(self, pair: tuple[str, str], sides: Mapping[str, _Side]) -> Iterator[Match]:
        one, other = pair
        left, right = sides[one], sides[other]
        met = [
            (prompt, a, b)
            for prompt in shared_prompts(
                left.prompts, right.prompts, one, other, wordings_known=True
            )
            for a, b in _meeting(left.places[prompt], right.places[prompt])
        ]
        apart = _apart(left, right, met)
        unsure = [each for each, known in zip(met, apart, strict=True) if not known]
        texts = self.texts(
            identity for _, a, b in unsure for identity in (left.identities[a], right.identities[b])
        )
        for (prompt, at, place), known in zip(met, apart, strict=True):
            a, b = left.identities[at], right.identities[place]
            if not known and texts[a] == texts[b]:
                self.identical += 1
            elif a < b:
                yield Match(prompt, a, b, one, other)
            else:
                yield Match(prompt, b, a, other, one)


def _parts(measured: Measured) -> Array:
    """The parts of every score: [outputs, parts]."""
    if isinstance(measured.scores, ScoreColumn):
        return measured.scores.parts
    return np.array([score.parts for score in measured.scores], dtype=float)


def _apart(left: _Side, right: _Side, met: Sequence[tuple[str, int, int]]) -> list[bool]:
    """Which outputs that meet surely have different texts, from their scores."""
    if left.scores is None or right.scores is None or not met:
        return [False] * len(met)
    _, a, b = zip(*met, strict=True)
    apart: list[bool] = (left.scores[list(a)] != right.scores[list(b)]).any(axis=1).tolist()
    return apart


def _as_output(made: Generation) -> Output:
    """An output of the playground, with what the arena needs of it."""
    from ethogram.metrics import Output

    return Output(made.text, prompt=made.prompt_text, prompt_id=made.prompt_id)


def _meeting(left: Mapping[int, int], right: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    if len(left) == 1 or len(right) == 1:
        yield from ((a, b) for a in left.values() for b in right.values())
    else:
        yield from ((left[index], right[index]) for index in left if index in right)
