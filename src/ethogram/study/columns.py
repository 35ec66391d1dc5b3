"""Columns of a matrix: the outputs, pitfalls and paired tests of one version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from ethogram.metrics import Output, Score, Span
from ethogram.metrics.pitfalls.registry import PITFALL_METRICS, PITFALLS
from ethogram.study.aims import Aims, compare_aims
from ethogram.study.difference import Difference, are_tested, differences
from ethogram.study.kept_scores import ScoreColumn
from ethogram.study.measure import OF_TEXT, Measured
from ethogram.study.stored_outputs import StoredOutputs
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class Sample:
    """Equal texts of one prompt.

    Attributes:
        output: the first of them.
        indices: sample indices that have this text.
        place: of the first one among the version's outputs.
    """

    output: Output
    indices: Sequence[int]
    place: int


@dataclass(frozen=True)
class Against:
    """The paired tests of a version against another one, which are made once they are asked for.

    Attributes:
        study: the opened study.
        first: name of the version that it is compared with.
        version: its name.
        before: metric to the scores of the first version.
        after: of the other.
        metrics: that are tested.
    """

    study: Study
    first: str
    version: str
    before: Mapping[str, Measured]
    after: Mapping[str, Measured]
    metrics: Sequence[str]

    @property
    def is_tested(self) -> bool:
        """Whether there is nothing left to compute."""
        return are_tested(self.before, self.after, self.metrics, coupled=self._coupled)

    @cached_property
    def differences(self) -> Mapping[str, Difference]:
        """Metric to its paired difference."""
        return differences(
            self.before,
            self.after,
            self.metrics,
            self.first,
            self.version,
            coupled=self._coupled,
        )

    @property
    def aims(self) -> Aims | None:
        """What came of the version's aims, where the first one is its parent."""
        if self.study.versions[self.version].parent != self.first:
            return None
        return compare_aims(self.study, self.version, self.differences)

    def prepare(self) -> None:
        """Read what the tests compute from, so that they leave the study alone."""
        for name in self.metrics:
            for side in (self.before, self.after):
                side[name].parts_by_sample()

    @property
    def _coupled(self) -> bool:
        return self.study.coupled(self.first, self.version)


@dataclass(frozen=True)
class Column:
    """One version of a matrix.

    Attributes:
        version: its name.
        measured: metric to scores.
        against: how it is tested against the first column; None there, and where they share no
            prompt.
    """

    version: str
    measured: Mapping[str, Measured]
    against: Against | None = None

    @property
    def is_tested(self) -> bool:
        """Whether `differences` are known; of a large study it takes seconds to test them."""
        return self.against is None or self.against.is_tested

    @property
    def differences(self) -> Mapping[str, Difference]:
        """Paired differences from the first column by metric."""
        return self.against.differences if self.against else {}

    @property
    def aims(self) -> Aims | None:
        """What came of its aims, where the first column is its parent."""
        return self.against.aims if self.against else None

    @property
    def count(self) -> int:
        """How many outputs it has."""
        return len(self.measured["loop_rate"].outputs)

    @property
    def prompts(self) -> Mapping[str, Output]:
        """Prompt to an output of it, in suite order; the text may be left out."""
        found: dict[str, Output] = {}
        for output in self.measured["loop_rate"].prompts:
            found.setdefault(output.prompt_id, output)
        return found

    @cached_property
    def rows(self) -> Mapping[str, Sequence[int]]:
        """Prompt to the places of its outputs."""
        return self.measured["loop_rate"].places

    @cached_property
    def failing(self) -> Mapping[str, frozenset[str]]:
        """Pitfall to the prompts of which an output shows it."""
        return {
            pitfall.name: self.measured[metric.name].showing
            for pitfall, metric in zip(PITFALLS, PITFALL_METRICS, strict=True)
        }

    def read(self, prompts: Sequence[str]) -> None:
        """Read the outputs of some prompts at once; of others they are read one by one."""
        wanted = [each for each in prompts if each in self.rows and each not in self._read]
        if not wanted:
            return
        stored = self.measured["loop_rate"].outputs
        if isinstance(stored, StoredOutputs):
            self._read.update(stored.of_each(wanted))
        else:
            self._read.update((each, [stored[at] for at in self.rows[each]]) for each in wanted)

    def of(self, prompt: str) -> Sequence[Output]:
        """The outputs of a prompt by sample."""
        self.read([prompt])
        return self._read.get(prompt, ())

    @cached_property
    def _read(self) -> dict[str, Sequence[Output]]:
        return {}

    def texts(self, prompt: str) -> list[str]:
        """The texts of a prompt by sample; unless its outputs were read, every text is now."""
        if prompt in self._read:
            return [output.text for output in self._read[prompt]]
        places = self.rows.get(prompt, ())
        if not self._texts.keys() >= set(places):
            self._read_texts([place for each in self.rows.values() for place in each])
        return [self._texts[place] for place in places]

    def differing(self, other: Column, prompts: Iterable[str]) -> set[str]:
        """Those of the prompts whose texts by sample are not the other column's.

        Texts of different scores differ. Of the other prompts the first sample of most differs
        already, so few texts are read: one of a prompt, then two, then four more of those that are
        equal so far.
        """
        sides = {each: (self.rows.get(each, ()), other.rows.get(each, ())) for each in prompts}
        found = {each for each, (mine, theirs) in sides.items() if len(mine) != len(theirs)}
        found |= {each for each in self._scored_apart(other) if each in sides}
        undecided = {each: side for each, side in sides.items() if each not in found and side[0]}
        start, stop = 0, 1
        while undecided:
            for side, column in enumerate((self, other)):
                column._read_texts(
                    [at for rows in undecided.values() for at in rows[side][start:stop]]
                )
            for prompt, (mine, theirs) in list(undecided.items()):
                pairs = zip(mine[start:stop], theirs[start:stop], strict=True)
                if any(self._texts[at] != other._texts[place] for at, place in pairs):
                    found.add(prompt)
                if prompt in found or stop >= len(mine):
                    del undecided[prompt]
            start, stop = stop, 2 * stop + 1
        return found

    def _scored_apart(self, other: Column) -> set[str]:
        """Prompts of which a text has another score than the other column's of the same sample."""
        found: set[str] = set()
        for name in OF_TEXT:
            if name not in self.measured or name not in other.measured:
                continue
            (mine, here), (theirs, there) = (
                column.measured[name].parts_by_sample() for column in (self, other)
            )
            if mine != theirs or here.shape != there.shape:
                continue
            as_many = (np.isnan(here) == np.isnan(there)).all(axis=(1, 2))
            apart = ((here != there) & ~np.isnan(here)).any(axis=(1, 2))
            found.update(compress(mine, (as_many & apart).tolist()))
        return found

    def _read_texts(self, places: Iterable[int]) -> None:
        """Read the texts at some places that are not read yet, and nothing else of the outputs."""
        wanted = [place for place in places if place not in self._texts]
        if not wanted:
            return
        stored = self.measured["loop_rate"].outputs
        if isinstance(stored, StoredOutputs):
            texts = stored.texts(wanted)
        else:
            texts = [stored[place].text for place in wanted]
        self._texts.update(zip(wanted, texts, strict=True))

    @cached_property
    def _texts(self) -> dict[int, str]:
        """Place of an output to its text, of those that were read."""
        return {}

    def samples(self, prompt: str) -> list[Sample]:
        """The outputs of a prompt, equal texts folded, in the order of their first sample."""
        found: dict[str, list[tuple[int, Output]]] = {}
        for place, output in zip(self.rows.get(prompt, ()), self.of(prompt), strict=True):
            found.setdefault(output.text, []).append((place, output))
        return [
            Sample(equal[0][1], [output.sample_index for _, output in equal], equal[0][0])
            for equal in found.values()
        ]

    def pitfalls(self, prompt: str) -> dict[str, int]:
        """Pitfall to how many outputs of a prompt show it."""
        found = {}
        for pitfall, metric in zip(PITFALLS, PITFALL_METRICS, strict=True):
            if prompt in self.failing[pitfall.name]:
                scores = self.measured[metric.name].scores
                found[pitfall.name] = sum(bool(_value(scores, at)) for at in self.rows[prompt])
        return found

    def evidence(self, place: int) -> Iterator[tuple[str, Sequence[Span]]]:
        """Pitfall to its evidence in one output; of a loop, each repetition."""
        for pitfall, metric in zip(PITFALLS, PITFALL_METRICS, strict=True):
            name = "loop_rate" if pitfall.name == "loop" else metric.name
            scores = self.measured[name].scores
            if _value(scores, place) and (spans := scores[place].spans):
                yield pitfall.name, spans


def _value(scores: Sequence[Score], place: int) -> float | None:
    """The value of a score; of kept ones without its spans, which take longer to read."""
    return scores.value(place) if isinstance(scores, ScoreColumn) else scores[place].value
