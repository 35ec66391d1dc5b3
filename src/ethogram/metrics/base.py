"""Base: what a metric is and what it gives. Knows outputs; knows no file, no store.

A metric turns one output, or all outputs of one prompt, into a score with additive parts; the value
of a group comes from the sum of its parts. So resampling prompts is a matrix product, and a stream
of outputs is scored in constant memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np

from ethogram.metrics.text import bare, sentence_spans, word_spans
from ethogram.spec.results import Score as Score
from ethogram.spec.results import Span as Span
from ethogram.spec.suite import Constraint

if TYPE_CHECKING:
    from ethogram.metrics.models import ModelKind, Models

Array = np.ndarray[Any, np.dtype[np.float64]]
Direction = Literal["lower", "higher", "none"]
FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class Output:
    """One output as the metrics read it, wherever it was made.

    Attributes:
        text: the output, without the prompt and without special tokens.
        prompt: what was asked.
        token_ids: the new tokens, the one that ended the output included; None if unknown.
        logprobs: log-probability of each new token at temperature 1, in nats; None if unknown.
        finish_reason: stop, eos or length; None or unknown if nobody said.
        reference: a right answer.
        tags: groups of the prompt.
        prompt_id: outputs with one id answer the same prompt.
        sample_index: 0..K-1.
        constraints: checkable demands of the prompt.
    """

    text: str
    prompt: str = ""
    token_ids: tuple[int, ...] | None = None
    logprobs: tuple[float, ...] | None = None
    finish_reason: str | None = None
    reference: str | None = None
    tags: tuple[str, ...] = ()
    prompt_id: str = ""
    sample_index: int = 0
    constraints: tuple[Constraint, ...] = ()

    @cached_property
    def words(self) -> list[str]:
        """The text, split at white space."""
        return self.text.split()

    @cached_property
    def bare_words(self) -> list[str]:
        """The words without case and without punctuation at their edges."""
        return [bare(word) for word in self.words]

    @cached_property
    def word_spans(self) -> list[tuple[int, int]]:
        """Character offsets [start, end) of the words."""
        return word_spans(self.text)

    @cached_property
    def sentence_spans(self) -> list[tuple[int, int]]:
        """Character offsets [start, end) of the sentences."""
        return sentence_spans(self.text)

    @cached_property
    def _found(self) -> dict[Callable[[Output], Any], Any]:
        return {}

    def once(self, find: Callable[[Output], FoundT]) -> FoundT:
        """`find(self)`, computed once however many metrics read it.

        Args:
            find: a function of the module that is always the same object, not a lambda.
        """
        if find not in self._found:
            self._found[find] = find(self)
        found: FoundT = self._found[find]
        return found

    def __getstate__(self) -> dict[str, Any]:
        # What was found can be found again; another process gets the fields only.
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True)
class Described:
    """What every metric says of itself; tables, help and documentation read it.

    Attributes:
        name: as in `expect:` and `--metric`.
        title: for a reader.
        unit: of the value.
        direction: which way is better; none where neither is.
        formula: in plain text.
        source: the paper or rule it comes from.
        reference: the implementation it was checked against.
        pitfalls: how it misleads.
        version: raised whenever the same output would score otherwise than before.
    """

    name: str
    title: str
    unit: str
    direction: Direction
    formula: str
    source: str
    reference: str
    pitfalls: str
    version: int = field(default=1, kw_only=True)

    def badness(self, value: float) -> float:
        """The greater, the more clearly an output of this value shows what is amiss."""
        return -value if self.direction == "higher" else value


@dataclass(frozen=True)
class Metric(Described):
    """A metric whose group value follows from summed parts.

    Attributes:
        measure: one output to its score.
        aggregate: summed (or averaged) parts [..., k] to values [...]; NaN where nothing applies.
    """

    measure: Callable[[Output], Score]
    aggregate: Callable[[Array], Array]


@dataclass(frozen=True)
class BatchMetric(Described):
    """A metric that needs a model, so it takes many outputs at once.

    Only metrics that are named run: see `needs`.

    Attributes:
        measure_batch: outputs, and the models named for scoring, to one score an output.
        aggregate: summed (or averaged) parts [..., k] to values [...]; NaN where nothing applies.
        needs: the models that it reads; their identities key its stored scores.
    """

    measure_batch: Callable[[Sequence[Output], Models], list[Score]]
    aggregate: Callable[[Array], Array]
    needs: tuple[ModelKind, ...]


@dataclass(frozen=True)
class GroupMetric(Described):
    """A metric of all samples of one prompt: a score a prompt, and none for a single output.

    Attributes:
        measure_groups: the outputs of each of several prompts, and the models named for scoring,
            to one score a prompt. Many prompts at once, so that a model can take them in batches;
            `of_each` makes it from a function of one prompt's outputs that needs no model.
        aggregate: summed (or averaged) parts [..., k] to values [...]; NaN where nothing applies.
        needs: the models that it reads; none for a metric of plain text.
    """

    measure_groups: Callable[[Sequence[Sequence[Output]], Models], list[Score]]
    aggregate: Callable[[Array], Array]
    needs: tuple[ModelKind, ...] = ()

    def measure_group(self, outputs: Sequence[Output], models: Models) -> Score:
        """The score of the samples of one prompt."""
        return self.measure_groups([outputs], models)[0]


#: The metrics whose value follows from summed parts, so that it has an interval over prompts.
Additive = Metric | BatchMetric | GroupMetric


def of_each(
    measure_group: Callable[[Sequence[Output]], Score],
) -> Callable[[Sequence[Sequence[Output]], Models], list[Score]]:
    """`measure_groups` of a group metric that needs no model."""
    return lambda groups, _: [measure_group(outputs) for outputs in groups]


class Gatherer(Protocol):
    """A corpus metric at work."""

    def add(self, output: Output) -> None:
        """Take in one more output."""

    def value(self) -> float:
        """The value over all outputs so far; NaN where nothing applies."""


@dataclass(frozen=True)
class CorpusMetric(Described):
    """A metric of a whole set of outputs that is no function of summed parts.

    Attributes:
        gather: starts a new count.
    """

    gather: Callable[[], Gatherer]

    def measure_corpus(self, outputs: Iterable[Output]) -> float:
        """The value over `outputs`; NaN where nothing applies."""
        gatherer = self.gather()
        for output in outputs:
            gatherer.add(output)
        return gatherer.value()


def ratio(parts: Array) -> Array:
    """parts[..., 0] / parts[..., 1], NaN where the divisor is zero. Shapes [..., 2] to [...]."""
    above, below = parts[..., 0], parts[..., 1]
    nothing: Array = np.full_like(above, np.nan, dtype=float)
    result: Array = np.divide(above, below, out=nothing, where=below != 0)
    return result


def pooled(parts: Array) -> Array:
    """`ratio` of sums over something smaller than outputs, such as sentences or references.

    A name of its own, since an output may weigh any number there, and 0 or 1 under `ratio`.
    """
    return ratio(parts)


def mean_score(value: float | bool, spans: tuple[Span, ...] = ()) -> Score:
    """A score of a metric whose group value is the mean, `ratio` of (value, 1)."""
    return Score(float(value), (float(value), 1.0), spans)


#: The score of a two-part metric that does not apply to an output.
NOT_APPLICABLE = Score(None, (0.0, 0.0))


def merge(spans: Sequence[tuple[int, int]], label: str) -> tuple[Span, ...]:
    """Overlapping or touching stretches (sorted by start) as one span each."""
    merged: list[list[int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return tuple(Span(start, end, label) for start, end in merged)
