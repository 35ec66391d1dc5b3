"""Kept scores: what metrics without a model found in a version's outputs, kept in the store."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ethogram.errors import StoreError
from ethogram.files import digest_of_code
from ethogram.metrics import Metric, Score, Span, registry
from ethogram.spec.identity import digest

if TYPE_CHECKING:
    from ethogram.study.stale import Results
    from ethogram.study.workspace import Study

#: Raise it when the form of what is kept changes.
_FORM = 2
#: In front of the last field of a row.
_SPANS = ',"spans":'

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Values:
    """What is asked of a version's scores most often.

    Attributes:
        value: of the version.
        applies: outputs to which the metric applies.
        total: sum of their values.
    """

    value: float
    applies: int
    total: float

    @classmethod
    def of(cls, metric: Metric, scores: Sequence[Score], value: float) -> Values:
        """Of some scores, whose value is known."""
        values = [score.value for score in scores if score.value is not None]
        return cls(value, len(values), float(sum(values)))


class KeptScores:
    """The kept scores of a version.

    They hold for the same generations, the same suite (prompts, references, constraints), and the
    same code of the metrics: whatever changes one of these changes the basis.

    Args:
        study: opened.
        version: its name.
        results: the generations that are scored.
    """

    def __init__(self, study: Study, version: str, results: Results) -> None:
        self._study, self._version, self._results = study, version, results

    def get(self, metrics: Iterable[Metric]) -> dict[str, ScoreColumn]:
        """Metric to its scores, of those that are kept."""
        from ethogram.store.complete import version_values

        wanted = {metric.name: metric for metric in metrics}
        bases = {name: self.basis(metric) for name, metric in wanted.items()}
        if not bases:
            return {}
        found = version_values(self._study.store, self._version, bases)
        columns = {}
        for name, data in found.items():
            with suppress(ValueError, TypeError):  # A damaged row is no scores.
                about = wanted[name], bases[name], self._results, Values(**json.loads(data))
                columns[name] = ScoreColumn(self._study, self._version, *about)
        return columns

    def add(self, scores: Mapping[Metric, tuple[Values, Sequence[Score]]]) -> None:
        """Keep scores; a store that cannot be written does not stop a reader."""
        from ethogram.store.complete import keep_scores

        rows = {
            metric.name: (self.basis(metric), json.dumps(vars(values)), _to_json(each))
            for metric, (values, each) in scores.items()
        }
        if rows:
            with suppress(StoreError):
                keep_scores(self._study.store, self._version, rows)

    def basis(self, metric: Metric) -> str:
        """Digest of all that the scores of a metric follow from."""
        return digest([_FORM, metric.name, metric.version, self._about])

    @cached_property
    def _about(self) -> list[str]:
        identities = digest("".join(self._results.identities))
        return [identities, self._results.suite.identity, code_digest()]


class ScoreColumn(Sequence[Score]):
    """The scores of a version under a metric: values at once, the rest when it is needed.

    Args:
        study: opened.
        version: its name.
        metric: that scored it.
        basis: see `KeptScores`.
        results: what was scored.
        values: kept.
    """

    def __init__(
        self,
        study: Study,
        version: str,
        metric: Metric,
        basis: str,
        results: Results,
        values: Values,
    ) -> None:
        self.basis, self.values = basis, values
        self._study, self._version, self._metric = study, version, metric
        self._results = results

    def __len__(self) -> int:
        return len(self._results.identities)

    @overload
    def __getitem__(self, place: int) -> Score: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Score]: ...
    def __getitem__(self, place: int | slice) -> Score | Sequence[Score]:
        if isinstance(place, slice):
            return [self._kept.score(each) for each in range(*place.indices(len(self)))]
        return self._kept.score(range(len(self))[place])

    def __iter__(self) -> Iterator[Score]:
        return map(self._kept.score, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def value(self, place: int) -> float | None:
        """The value of one output; its spans are not read."""
        return self._kept.value(place)

    @property
    def parts(self) -> Array:
        """The parts of every output: [outputs, parts]."""
        return self._kept.parts

    @property
    def shows(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether the metric applies to an output, and its value is not zero: [outputs]."""
        shown: np.ndarray[Any, np.dtype[np.bool_]] = self._kept.known & (
            np.nan_to_num(self._kept.values, nan=1.0) != 0
        )
        return shown

    @cached_property
    def _kept(self) -> _Kept:
        from ethogram.store.complete import version_scores

        name = self._metric.name
        data = version_scores(self._study.store, self._version, name, self.basis)
        with suppress(ValueError, KeyError, TypeError):  # A damaged row is no scores.
            if data:
                return _from_json(data, self._again)
        return _Kept.of(self._again())

    def _again(self) -> Sequence[Score]:
        """Scores that are damaged, or that a process which reads other files replaced."""
        from ethogram.study.stored_outputs import outputs_of

        outputs = outputs_of(self._study, self._version, results=self._results)
        return [self._metric.measure(output) for output in outputs]


class _Spans:
    """The spans of the outputs that have some; as they are stored until one is asked for.

    Most readers of scores want numbers, and the spans are the longest part of what is kept.

    Args:
        kept: JSON of place to spans.
        again: scores the outputs again, should the JSON be damaged.
    """

    def __init__(self, kept: str, again: Callable[[], Sequence[Score]]) -> None:
        self._kept, self._again = kept, again

    @cached_property
    def found(self) -> Mapping[int, tuple[Span, ...]]:
        """Place to spans."""
        with suppress(ValueError, TypeError, AttributeError):
            return {
                int(place): tuple(Span(*span) for span in found)
                for place, found in json.loads(self._kept).items()
            }
        return _spans_of(self._again())


@dataclass(frozen=True)
class _KnownSpans:
    """The same, of scores that were just made."""

    found: Mapping[int, tuple[Span, ...]]


def _spans_of(scores: Sequence[Score]) -> dict[int, tuple[Span, ...]]:
    return {place: each.spans for place, each in enumerate(scores) if each.spans}


@dataclass(frozen=True)
class _Kept:
    """Scores as arrays.

    Attributes:
        values: [outputs].
        known: whether an output has a value: [outputs].
        parts: [outputs, parts].
        spans: of the outputs that have some.
    """

    values: Array
    known: np.ndarray[Any, np.dtype[np.bool_]]
    parts: Array
    spans: _Spans | _KnownSpans

    @classmethod
    def of(cls, scores: Sequence[Score]) -> _Kept:
        width = len(scores[0].parts) if scores else 0
        return cls(
            np.array([0.0 if each.value is None else each.value for each in scores], dtype=float),
            np.array([each.value is not None for each in scores], dtype=bool),
            np.array([each.parts for each in scores], dtype=float).reshape(len(scores), width),
            _KnownSpans(_spans_of(scores)),
        )

    def value(self, place: int) -> float | None:
        return self.values[place].item() if self.known[place] else None

    def score(self, place: int) -> Score:
        return Score(
            self.value(place),
            tuple(self.parts[place].tolist()),
            self.spans.found.get(place, ()),
        )


@cache
def code_digest() -> str:
    """Digest of the source of all metrics: a rule that changed is never read from the store."""
    return digest_of_code(Path(registry.__file__).parent)


def _to_json(scores: Sequence[Score]) -> str:
    kept = _Kept.of(scores)
    spans = {
        str(place): [[span.start, span.end, span.label] for span in found]
        for place, found in kept.spans.found.items()
    }
    form = {
        "values": _packed(kept.values.astype("<f8")),
        "known": _packed(np.packbits(kept.known)),
        "parts": _packed(kept.parts.astype("<f8")),
        "shape": kept.parts.shape,
        "spans": spans,
    }
    return json.dumps(form, separators=(",", ":"))


def _from_json(data: str, again: Callable[[], Sequence[Score]]) -> _Kept:
    # No text that is in front of the spans has a quotation mark in it.
    head, mark, spans = data.partition(_SPANS)
    form = json.loads(f"{head}}}")
    if not mark or not spans.endswith("}}"):
        raise ValueError("no spans")
    shape: tuple[int, int] = tuple(form["shape"])
    return _Kept(
        np.frombuffer(base64.b64decode(form["values"]), "<f8"),
        np.unpackbits(np.frombuffer(base64.b64decode(form["known"]), "u1"), count=shape[0]) > 0,
        np.frombuffer(base64.b64decode(form["parts"]), "<f8").reshape(shape),
        _Spans(spans[:-1], again),
    )


def _packed(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
