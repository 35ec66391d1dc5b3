"""Kept scores: what metrics without a model found in a version's outputs, kept in the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.errors import StoreError
from ethogram.metrics import Metric, Score, Span, registry
from ethogram.spec.identity import digest

if TYPE_CHECKING:
    from ethogram.study.stale import Results
    from ethogram.study.workspace import Study


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
        self._study, self._version = study, version
        self._about = [list(results.identities), results.suite.identity, code_digest()]

    def get(self, metrics: Iterable[Metric]) -> dict[str, Sequence[Score]]:
        """Metric to its scores, of those that are kept."""
        bases = {metric.name: self._basis(metric) for metric in metrics}
        if not bases:
            return {}
        found = self._study.store.version_scores(self._version, bases)
        return {name: _from_json(data) for name, data in found.items()}

    def add(self, scores: Mapping[Metric, Sequence[Score]]) -> None:
        """Keep scores; a store that cannot be written does not stop a reader."""
        rows = {
            metric.name: (self._basis(metric), _to_json(each)) for metric, each in scores.items()
        }
        if rows:
            with suppress(StoreError):
                self._study.store.keep_version_scores(self._version, rows)

    def _basis(self, metric: Metric) -> str:
        return digest([metric.name, metric.version, *self._about])


@cache
def code_digest() -> str:
    """Digest of the source of all metrics: a rule that changed is never read from the store."""
    hashed = hashlib.sha256()
    folder = Path(registry.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        hashed.update(file.read_bytes())
    return hashed.hexdigest()


def _to_json(scores: Sequence[Score]) -> str:
    rows = [
        [each.value, each.parts, [[span.start, span.end, span.label] for span in each.spans]]
        for each in scores
    ]
    return json.dumps(rows, separators=(",", ":"))


def _from_json(data: str) -> list[Score]:
    return [
        Score(value, tuple(parts), tuple(Span(*span) for span in spans))
        for value, parts, spans in json.loads(data)
    ]
