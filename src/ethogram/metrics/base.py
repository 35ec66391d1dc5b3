"""Base: what a metric is and what it gives.

A metric turns one output, or all outputs of one prompt, into a score with additive parts; the value
of a group comes from the sum of its parts. So resampling prompts is a matrix product, and a stream
of outputs is scored in constant memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np

from ethogram.errors import EthogramError, MetricError
from ethogram.metrics.text import bare, sentence_spans, word_spans
from ethogram.metrics.units import Unit
from ethogram.spec.guarded import Guarded
from ethogram.spec.results import Score as Score
from ethogram.spec.results import Span as Span
from ethogram.spec.suite import Constraint

if TYPE_CHECKING:
    from ethogram.metrics.models import ModelKind, Models

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Direction = Literal["lower", "higher", "none"]
#: What one value of a metric is about: an output, all samples of a prompt, all outputs together,
#: or a model or two sets of texts.
Scope = Literal["output", "prompt", "corpus", "model"]
Weight = Literal["output", "unit"]
FoundT = TypeVar("FoundT")
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


@dataclass(frozen=True)
class Output:
    """One output as the metrics read it, from any source.

    Attributes:
        text: the output, without the prompt and without special tokens.
        prompt: the prompt's text.
        token_ids: the generated tokens, including the one that ended the output; None if unknown.
        logprobs: log-probability of each new token at temperature 1, in nats; None if unknown.
        finish_reason: stop, eos or length; None or unknown if not recorded.
        reference: the reference answer.
        other_references: further reference answers; metrics take the best over all.
        tags: groups of the prompt.
        prompt_id: outputs with one id answer the same prompt.
        sample_index: 0..K-1.
        constraints: checkable constraints of the prompt.
        guarded: what the wrapper of its version did; None without one. No metric reads it.
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
    other_references: tuple[str, ...] = ()
    guarded: Guarded | None = None

    @property
    def references(self) -> tuple[str, ...]:
        """Every reference answer; empty if there is none."""
        return () if self.reference is None else (self.reference, *self.other_references)

    @property
    def is_empty(self) -> bool:
        """Whether the text is nothing but white space."""
        return not self.text.strip()

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
        """`find(self)`, computed once for all metrics that read it.

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


class Gatherer(Protocol):
    """A corpus metric at work."""

    def add(self, output: Output) -> None:
        """Take in one more output."""

    def value(self) -> float:
        """The value over all outputs so far; NaN where nothing applies."""


def ratio(parts: Array) -> Array:
    """parts[..., 0] / parts[..., 1], NaN where the divisor is zero. Shapes [..., 2] to [...]."""
    above, below = parts[..., 0], parts[..., 1]
    nothing: Array = np.full_like(above, np.nan, dtype=float)
    result: Array = np.divide(above, below, out=nothing, where=below != 0)
    return result


@dataclass(frozen=True)
class Metric:
    """A number, and all that tables, help and documentation say about it.

    Attributes:
        name: as in `expect:` and `--metric`.
        title: for a reader.
        unit: of the value, with its bounds.
        direction: which way is better; none where neither is.
        formula: in plain text.
        source: the paper or rule it comes from.
        reference: the implementation it was checked against.
        pitfalls: how it misleads.
        function: what computes it. Its signature follows from `scope` and `needs`:

            output           function(output) -> Score
            output, needs    function(outputs, models) -> one Score an output
            prompt           function(outputs of one prompt) -> Score
            prompt, needs    function(groups of outputs, models) -> one Score a prompt
            corpus           function() -> Gatherer
            model            any function of Python; no column of a table
        scope: what one value is about.
        needs: the models that it reads; their identities key its stored scores. A metric that
            needs one runs only when it is named, as does one of scope prompt.
        aggregate: summed (or averaged) parts [..., k] to values [...]; NaN where nothing applies.
        weight: what the value's denominator counts, where it is `unit.high` (1 without one) times
            parts[0] / parts[1]: `output`, where an output weighs 0 or 1, or `unit`, where it weighs
            as many as it has sentences, n-grams or references. None where it is another form.
        version: raised whenever the same output would score otherwise than before.
        family: the module that declares it.
    """

    name: str
    title: str
    unit: Unit
    direction: Direction
    formula: str
    source: str
    reference: str
    pitfalls: str
    function: Callable[..., Any]
    scope: Scope = "output"
    needs: tuple[ModelKind, ...] = ()
    aggregate: Callable[[Array], Array] = ratio
    weight: Weight | None = "output"
    version: int = 1
    family: str = ""

    @property
    def reads_one_output(self) -> bool:
        """Whether it needs neither a model nor a second output."""
        return self.scope == "output" and not self.needs

    def badness(self, value: float) -> float:
        """The greater, the more clearly an output of this value shows the failure."""
        return -value if self.direction == "higher" else value

    def measure(self, output: Output) -> Score:
        """The score of one output, under a metric that `reads_one_output`.

        Raises:
            MetricError: its function fails; the error names the output.
        """
        try:
            score: Score = self.function(output)
        except EthogramError:
            raise
        except Exception as error:
            place = f"prompt {output.prompt_id}, sample {output.sample_index}"
            raise MetricError(
                f"fails on this output ({type(error).__name__}: {error})",
                where=f"metric {self.name}: {place}",
                hint="the outputs are stored; choose other metrics with --metric",
            ) from error
        return score

    def measure_batch(self, outputs: Sequence[Output], models: Models) -> list[Score]:
        """One score an output, under a metric of scope output.

        Many outputs at once, so that a model can take them in batches.
        """
        if not self.needs:
            return [self.measure(output) for output in outputs]
        scores: list[Score] = self.function(outputs, models)
        return scores

    def measure_groups(self, groups: Sequence[Sequence[Output]], models: Models) -> list[Score]:
        """One score a prompt, from the outputs of each, under a metric of scope prompt."""
        if not self.needs:
            return [self.function(outputs) for outputs in groups]
        scores: list[Score] = self.function(groups, models)
        return scores

    def gather(self) -> Gatherer:
        """A new count, under a metric of scope corpus."""
        gatherer: Gatherer = self.function()
        return gatherer

    def measure_corpus(self, outputs: Iterable[Output]) -> float:
        """The value over `outputs`, under a metric of scope corpus; NaN where nothing applies."""
        gatherer = self.gather()
        for output in outputs:
            gatherer.add(output)
        return gatherer.value()


#: Every declared metric by its name, in the order in which their modules were imported.
declared: dict[str, Metric] = {}


def metric(
    name: str,
    *,
    title: str,
    unit: Unit,
    direction: Direction,
    formula: str,
    source: str,
    reference: str,
    pitfalls: str,
    scope: Scope = "output",
    needs: tuple[ModelKind, ...] = (),
    aggregate: Callable[[Array], Array] = ratio,
    weight: Weight | None = "output",
    version: int = 1,
) -> Callable[[FunctionT], FunctionT]:
    """Declare the metric that a function computes; the arguments are the fields of `Metric`.

    The function itself stays as it is, and its module is the metric's family. Declaring a name
    twice is a programming error.
    """

    def declare(function: FunctionT) -> FunctionT:
        if name in declared:
            raise ValueError(f"metric {name!r} is declared twice")
        module = getattr(function, "func", function).__module__
        declared[name] = Metric(
            name=name,
            title=title,
            unit=unit,
            direction=direction,
            formula=formula,
            source=source,
            reference=reference,
            pitfalls=pitfalls,
            function=function,
            scope=scope,
            needs=needs,
            aggregate=aggregate,
            weight=weight,
            version=version,
            family=module.removeprefix("ethogram.metrics."),
        )
        return function

    return declare


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
