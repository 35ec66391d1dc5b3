"""Matrix: prompts by versions, filtered and sorted by what differs between them.

A matrix is made once for some versions; choosing rows then reads no store. Samples of one prompt
are one cell, in which equal texts are folded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import Any, Literal

import numpy as np

from ethogram.errors import SpecError
from ethogram.metrics import Metric, Output
from ethogram.metrics.pitfalls.registry import PITFALL_METRICS, PITFALLS
from ethogram.spec.patterns import Pattern
from ethogram.spec.source import suggest
from ethogram.study.aims import aim_metrics
from ethogram.study.columns import Against, Column
from ethogram.study.difference import comparable
from ethogram.study.measure import Measured, measure, metric_names
from ethogram.study.workspace import Study

Mode = Literal["different", "worse", "better", "failures", "all"]
Sort = Literal["difference", "suite", "value"]
#: Seconds that a regular expression may take over all texts: patterns exist that take for ever.
PATTERN_SECONDS = 1.0
#: Standard errors beyond which rows are sorted by a metric rather than by the table's first.
_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Filters:
    """Which rows to show, and in which order.

    Attributes:
        mode: different: a text differs from the first version's; worse, better: the metric moved;
            failures: an output shows a pitfall.
        metric: by which rows are sorted and moves are judged; empty: see `Matrix.main_metric`.
        sort: difference: the largest paired difference first; suite: as in the suite; value: the
            last version's highest value first.
        tags: only prompts with one of them.
        pitfall: only prompts where an output shows it.
        low: only prompts on which the metric of the last version is at least this.
        high: at most this.
        text: only prompts that have it in the prompt, its id or an output.
        pattern: `text` is a regular expression.
        prompts: only these ids.
    """

    mode: Mode = "all"
    metric: str = ""
    sort: Sort = "difference"
    tags: Sequence[str] = ()
    pitfall: str = ""
    low: float | None = None
    high: float | None = None
    text: str = ""
    pattern: bool = False
    prompts: Sequence[str] = ()


class Matrix:
    """Prompts by versions; the first version is the one that the others are compared with.

    Args:
        study: the opened study.
        versions: their names.

    Raises:
        SpecError: outputs are missing, or a version is unknown.
    """

    def __init__(self, study: Study, versions: Sequence[str]) -> None:
        self.study, self.versions = study, tuple(versions)
        table = metric_names(study)
        aims = [name for version in versions for name in aim_metrics(study, version)]
        pitfalls = [metric.name for metric in PITFALL_METRICS]
        names = tuple(dict.fromkeys([*table, *aims, *pitfalls, "loop_rate"]))
        #: Metrics of the table and of aims, which rows can be sorted by.
        self.metrics: Sequence[str] = tuple(dict.fromkeys([*table, *aims]))
        measured = {name: measure(study, name, names, accept="earlier") for name in versions}
        first = self.versions[0]
        self._table = table
        self.columns = [
            Column(name, measured[name], _against(study, first, name, measured, table))
            for name in self.versions
        ]
        self._aims = [name for version in versions[1:] for name in study.versions[version].aim]

    def metric(self, name: str) -> Metric:
        """A metric of the matrix.

        Raises:
            SpecError: it has no such metric.
        """
        found = self.columns[0].measured.get(name)
        if found is None:
            hint = suggest(name, list(self.metrics))
            raise SpecError(f"no metric {name!r} in this comparison", hint=hint)
        return found.metric

    @cached_property
    def main_metric(self) -> str:
        """The first aim, else the metric that changed most, else the table's first."""
        named = [*self._aims, *self._changed, *self.metrics]
        return named[0]

    @property
    def _changed(self) -> list[str]:
        """Metrics that changed by more than chance, by their standardised mean difference.

        No test, which would take seconds: rows need an order, and a verdict is not drawn from it.
        """
        found = []
        for column in self.columns:
            for name in self._table if column.against else ():
                moves = np.array(self._moves_of(column, name))
                size = _in_standard_errors(moves[~np.isnan(moves)])
                if size > _STANDARD_ERRORS:
                    found.append((self.metric(name).direction == "none", -size, name))
        return [name for _, _, name in sorted(found)]

    @cached_property
    def prompts(self) -> Mapping[str, Output]:
        """Every prompt with one output of it, in the order of the versions' suites."""
        found: dict[str, Output] = {}
        for column in self.columns:
            for prompt, output in column.prompts.items():
                found.setdefault(prompt, output)
        return found

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Prompt to its place in the order of the suite."""
        return {prompt: place for place, prompt in enumerate(self.prompts)}

    def is_different(self, prompt: str) -> bool:
        """Whether a version's texts of a prompt differ from the first version's."""
        first = self.columns[0].texts(prompt)
        return any(column.texts(prompt) != first for column in self.columns[1:])

    @cached_property
    def _different(self) -> frozenset[str]:
        """All prompts that `is_different` holds for, without the outputs of any being read."""
        found: set[str] = set()
        for column in self.columns[1:]:
            rest = [prompt for prompt in self.prompts if prompt not in found]
            found |= column.differing(self.columns[0], rest)
        return frozenset(found)

    @cached_property
    def tags(self) -> Mapping[str, int]:
        """Tag to how many prompts have it."""
        found: dict[str, int] = {}
        for output in self.prompts.values():
            for tag in output.tags:
                found[tag] = found.get(tag, 0) + 1
        return found

    def value(self, column: Column, metric: str, prompt: str) -> float:
        """A metric's value on a prompt; NaN where it has none."""
        return column.measured[metric].by_prompt().get(prompt, math.nan)

    def move(self, metric: str, prompt: str) -> float:
        """The largest paired difference from the first version; NaN where there is none."""
        first = self.value(self.columns[0], metric, prompt)
        moves = [self.value(column, metric, prompt) - first for column in self.columns[1:]]
        return max((move for move in moves if not math.isnan(move)), key=abs, default=math.nan)

    def verdict(self, metric: str, move: float) -> str:
        """`better`, `worse`, `changed` or nothing, for one prompt."""
        if math.isnan(move) or move == 0:
            return ""
        direction = self.metric(metric).direction
        if direction == "none":
            return "changed"
        return "better" if (move > 0) == (direction == "higher") else "worse"

    def rows(self, filters: Filters) -> list[str]:
        """Ids of the prompts to show, in order.

        Raises:
            SpecError: a metric or pitfall is unknown, or the regular expression is wrong or takes
                too long.
        """
        metric = filters.metric or self.main_metric
        self.metric(metric)
        tests = [*self._by_mode(filters, metric), *self._by_values(filters, metric)]
        if filters.text:
            tests.append(self._by_text(filters))
        chosen = [prompt for prompt in self.prompts if all(test(prompt) for test in tests)]
        return self._sorted(chosen, filters.sort, metric)

    def _by_mode(self, filters: Filters, metric: str) -> Iterator[Callable[[str], bool]]:
        if filters.mode == "different":
            yield lambda prompt: prompt in self._different
        elif filters.mode in ("better", "worse"):
            yield lambda prompt: any(
                self.verdict(metric, move) == filters.mode
                for column in self.columns[1:]
                if (move := self._move_of(column, metric, prompt))
            )
        elif filters.mode == "failures":
            failing = frozenset().union(
                *(prompts for column in self.columns for prompts in column.failing.values())
            )
            yield lambda prompt: prompt in failing

    def _move_of(self, column: Column, metric: str, prompt: str) -> float:
        first = self.value(self.columns[0], metric, prompt)
        return self.value(column, metric, prompt) - first

    def _moves_of(self, column: Column, metric: str) -> list[float]:
        """`_move_of` every prompt."""
        before, after = (side.measured[metric].by_prompt() for side in (self.columns[0], column))
        return [after.get(each, math.nan) - before.get(each, math.nan) for each in self.prompts]

    def _by_values(self, filters: Filters, metric: str) -> Iterator[Callable[[str], bool]]:
        if filters.prompts:
            wanted = frozenset(filters.prompts)
            yield lambda prompt: prompt in wanted
        if filters.tags:
            tags = frozenset(filters.tags)
            yield lambda prompt: not tags.isdisjoint(self.prompts[prompt].tags)
        if filters.pitfall:
            known = [pitfall.name for pitfall in PITFALLS]
            if filters.pitfall not in known:
                hint = suggest(filters.pitfall, known)
                raise SpecError(f"no pitfall {filters.pitfall!r}", hint=hint)
            failing = [column.failing[filters.pitfall] for column in self.columns]
            yield lambda prompt: any(prompt in prompts for prompts in failing)
        last = self.columns[-1]
        if filters.low is not None:
            low = filters.low
            yield lambda prompt: self.value(last, metric, prompt) >= low
        if filters.high is not None:
            high = filters.high
            yield lambda prompt: self.value(last, metric, prompt) <= high

    def _by_text(self, filters: Filters) -> Callable[[str], bool]:
        contains = _searcher(filters.text, pattern=filters.pattern)
        return lambda prompt: (
            contains(prompt)
            or contains(self.prompts[prompt].prompt)
            or any(contains(text) for column in self.columns for text in column.texts(prompt))
        )

    def _sorted(self, prompts: list[str], sort: Sort, metric: str) -> list[str]:
        if sort == "suite":
            return prompts
        if sort == "value" or len(self.columns) == 1:
            keys = {prompt: self.value(self.columns[-1], metric, prompt) for prompt in prompts}
        else:
            keys = {prompt: abs(self.move(metric, prompt)) for prompt in prompts}
        return sorted(prompts, key=lambda each: (math.isnan(keys[each]), -keys[each]))


def _in_standard_errors(moves: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """The size of a mean difference over the prompts, in its standard errors."""
    if len(moves) < 2:
        return 0.0
    mean, error = abs(moves.mean()), moves.std(ddof=1) / math.sqrt(len(moves))
    return float(mean / error) if error > 0 else math.inf if mean > 0 else 0.0


def _against(
    study: Study,
    first: str,
    version: str,
    measured: Mapping[str, Mapping[str, Measured]],
    table: Sequence[str],
) -> Against | None:
    if version == first or not comparable(measured[first], measured[version]):
        return None
    return Against(study, first, version, measured[first], measured[version], table)


def _searcher(text: str, *, pattern: bool) -> Callable[[str], bool]:
    """Whether a text contains something; all searches together within `PATTERN_SECONDS`.

    Raises:
        SpecError: not a regular expression.
    """
    if not pattern:
        wanted = text.casefold()
        return lambda each: wanted in each.casefold()
    sought = Pattern(text, where=text, ignore_case=True)
    until = monotonic() + PATTERN_SECONDS

    def search(each: str) -> bool:
        found = sought.search(each, seconds=until - monotonic(), limit=PATTERN_SECONDS)
        return found is not None

    return search
