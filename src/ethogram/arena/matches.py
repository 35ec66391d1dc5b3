"""Matches: every two outputs that can be voted on, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from ethogram.arena.played import is_played, played_output
from ethogram.errors import SpecError
from ethogram.study.shared_prompts import shared_prompts
from ethogram.study.stale import stored_results
from ethogram.study.stored_outputs import generations_of, outputs_of

if TYPE_CHECKING:
    from ethogram.metrics import Output
    from ethogram.spec import Generation
    from ethogram.study.workspace import Study


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


class Matches:
    """The outputs of versions that can meet.

    Outputs with the same sample index meet, and a greedy version's only output meets all of the
    other version. Two outputs with the same text are left out: a vote would say nothing.

    Args:
        study: the opened study.
        versions: two or more names, which have been run on a prompt they share; or the names of
            outputs of the playground (`played.py`).

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
        self.versions = tuple(versions)
        self.prompts: dict[str, str] = {}
        #: Identity to text and, of each version, identity to prompt id.
        self.texts: dict[str, str] = {}
        self.outputs: dict[str, dict[str, str]] = {}
        self._by_prompt: dict[str, dict[str, dict[int, str]]] = {}
        read = {name: self._read(study, name) for name in versions}
        self.identical = 0
        self.pairs: Mapping[tuple[str, str], Sequence[Match]] = {
            pair: list(self._matches(pair, read)) for pair in combinations(self.versions, 2)
        }

    def _read(self, study: Study, version: str) -> list[Output]:
        if is_played(version):
            generations = [played_output(study, version)]
            outputs = [_as_output(each) for each in generations]
        else:
            results = stored_results(study, version)
            generations = generations_of(study, version, results=results)
            outputs = outputs_of(study, version, results=results)
        for generation, output in zip(generations, outputs, strict=True):
            identity = generation.identity
            self.texts[identity] = output.text
            self.prompts.setdefault(output.prompt_id, output.prompt)
            self.outputs.setdefault(version, {})[identity] = output.prompt_id
            by_sample = self._by_prompt.setdefault(version, {}).setdefault(output.prompt_id, {})
            by_sample[output.sample_index] = identity
        return outputs

    def _matches(
        self, pair: tuple[str, str], read: Mapping[str, Sequence[Output]]
    ) -> Iterator[Match]:
        one, other = pair
        for prompt in shared_prompts(read[one], read[other], one, other, wordings_known=True):
            left, right = (self._by_prompt[name][prompt] for name in pair)
            for a, b in _meeting(left, right):
                if self.texts[a] == self.texts[b]:
                    self.identical += 1
                elif a < b:
                    yield Match(prompt, a, b, one, other)
                else:
                    yield Match(prompt, b, a, other, one)

    def holds(self, first: str, first_version: str, second: str, second_version: str) -> bool:
        """Whether two outputs are what the two versions answer now."""
        return first in self.outputs.get(first_version, ()) and second in self.outputs.get(
            second_version, ()
        )


def _as_output(made: Generation) -> Output:
    """An output of the playground, with what the arena needs of it."""
    from ethogram.metrics import Output

    return Output(made.text, prompt=made.prompt_text, prompt_id=made.prompt_id)


def _meeting(left: dict[int, str], right: dict[int, str]) -> Iterator[tuple[str, str]]:
    if len(left) == 1 or len(right) == 1:
        yield from ((a, b) for a in left.values() for b in right.values())
    else:
        yield from ((left[index], right[index]) for index in left if index in right)
