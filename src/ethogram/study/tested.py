"""Tested: paired tests kept in the store, by a digest of everything that they compute from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np

from ethogram.errors import StoreError
from ethogram.metrics import Metric
from ethogram.stats import PairedTest
from ethogram.stats.coupling import Coupling
from ethogram.stats.planning import Spread
from ethogram.stats.superiority import Superiority
from ethogram.store import Store

#: Raise it when a change of `ethogram.stats` changes a number or a warning of a paired test.
STATISTICS_VERSION = 3

Parts = np.ndarray[Any, np.dtype[np.float64]]


class StoredTests:
    """The paired tests of a store.

    They are found by the scores of both sides rather than by the generations: scores depend on
    references and tags of the suite too.

    Args:
        store: opened.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, keys: Sequence[str]) -> dict[str, PairedTest]:
        """The stored tests of some keys."""
        return {key: from_json(data) for key, data in self._store.tests(keys).items()}

    def add(self, keys: Sequence[str], metric: Metric, test: PairedTest) -> None:
        """Keep a test; a store that cannot be written does not stop a reader."""
        with suppress(StoreError):
            self._store.add_tests({key: (metric.name, to_json(test)) for key in keys})


def test_key(metric: Metric, before: Parts, after: Parts, *, coupled: bool, seed: int) -> str:
    """Digest of all that a paired test computes from."""
    hashed = hashlib.sha256()
    about = [STATISTICS_VERSION, metric.name, metric.version, metric.unit.width, coupled, seed]
    hashed.update(json.dumps([*about, before.shape, after.shape]).encode())
    for side in (before, after):
        hashed.update(np.ascontiguousarray(side, "<f8").tobytes())
    return hashed.hexdigest()


def bases_key(metric: Metric, before: str, after: str, *, coupled: bool, seed: int) -> str:
    """Digest of the same, from what the scores of both sides follow from.

    Args:
        metric: of both.
        before: basis of the kept scores of all outputs of the first version.
        after: of the second.
        coupled: as for the test.
        seed: of its resampling.
    """
    about = [STATISTICS_VERSION, metric.name, metric.version, metric.unit.width, coupled, seed]
    return hashlib.sha256(json.dumps([*about, "bases", before, after]).encode()).hexdigest()


def to_json(test: PairedTest) -> str:
    """A test as JSON with NaN and infinities, floats to the last digit."""
    return json.dumps(asdict(test), default=lambda value: value.item())


def from_json(data: str) -> PairedTest:
    """The test of `to_json`."""
    fields = json.loads(data)
    kinds = {"spread": Spread, "superiority": Superiority, "coupling": Coupling}
    return PairedTest(**fields | {name: kind(**fields[name]) for name, kind in kinds.items()})
