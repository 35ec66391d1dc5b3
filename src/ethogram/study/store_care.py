"""Store care: check the store of a study, drop what no version names, give back space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.errors import SpecError
from ethogram.spec import Suite
from ethogram.stages import stage
from ethogram.store import care
from ethogram.study.requests import Part, stored_samples
from ethogram.study.stale import results_of
from ethogram.study.stored_outputs import identities_of
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class StoreCheck:
    """What a check of a store found.

    Attributes:
        where: the store, without a password.
        rows: table to its rows.
        bytes: that the store takes.
        faults: a line each; empty if the store is whole.
        missing: version to its outputs that `ethogram run` would make.
    """

    where: str
    rows: Mapping[str, int]
    bytes: int
    faults: Sequence[str]
    missing: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Whether the store is whole."""
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "store": self.where,
            "rows": dict(self.rows),
            "bytes": self.bytes,
            "faults": list(self.faults),
            "missing": dict(self.missing),
        }

    def to_text(self) -> str:
        """Size, rows, missing outputs and faults."""
        lines = [f"{self.where}: {in_bytes(self.bytes)}"]
        lines += [f"  {count} {name}" for name, count in self.rows.items() if count]
        lines += [
            f"{count} outputs of {name} are not stored; `ethogram run {name}` generates them"
            for name, count in self.missing.items()
        ]
        lines += [f"fault: {each}" for each in self.faults] or ["no faults"]
        return "\n".join(lines)


@dataclass(frozen=True)
class Pruned:
    """What no version names.

    Attributes:
        where: the store, without a password.
        generations: how many there are.
        deleted: table to rows that were deleted; empty if nothing was.
    """

    where: str
    generations: int
    deleted: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "store": self.where,
            "generations": self.generations,
            "deleted": dict(self.deleted),
        }

    def to_text(self) -> str:
        """What was deleted, or would be."""
        what = f"{self.where}: {self.generations} generations that no version names"
        if not self.generations:
            return what
        if not self.deleted:
            return f"{what}; `ethogram store prune --yes` deletes them"
        rows = ", ".join(f"{count} {name}" for name, count in self.deleted.items() if count)
        return f"{what}; deleted {rows}. `ethogram store vacuum` gives the space back"


def check_store(study: Study) -> StoreCheck:
    """Read every row of the store, and compare what is stored with what the versions need.

    Raises:
        StoreError: the store cannot be opened or read.
    """
    stage("Checking the store")
    store = study.store
    found = list(care.faults(store.database, _suite_digest))
    missing = {}
    for name in study.versions:
        identities = identities_of(study, name)
        stored = set(store.missing(identities))
        if stored:
            missing[name] = len(stored)
        if not study.spec.version(name).outputs:
            found += _misplaced(study, name)
    counts = care.counts(store.database)
    return StoreCheck(store.database.where, counts, care.size(store.database), found, missing)


def _suite_digest(data: str) -> str:
    return Suite.model_validate_json(data).identity


def _misplaced(study: Study, name: str) -> list[str]:
    """Generations of a version that are stored under the identity of another prompt or sample."""
    requests = {each.identity: each for each in study.requests(name)}
    places = care.places(study.store.database, list(requests))
    wrong = [
        identity[:12]
        for identity, place in places.items()
        if place != (requests[identity].prompt_id, requests[identity].sample_index)
    ]
    if not wrong:
        return []
    named = ", ".join(wrong[: care.NAMED])
    return [f"{name}: {len(wrong)} outputs have the prompt or sample of another: {named}"]


def prune_store(study: Study, *, delete: bool = False) -> Pruned:
    """Find the generations that no version of the study names, and delete them if asked to.

    A version names its outputs under its present settings, those that a sequential check added, and
    while some of these are missing also those of before its last edit. Outputs of removed versions
    and of the settings of a sweep are named by none.

    Args:
        study: opened.
        delete: delete them, with their traces, scores and verdicts; nothing else brings them back.

    Raises:
        SpecError: the study has no version, so everything would go.
        StoreError: the store cannot be read or written; nothing was deleted then.
    """
    if not study.versions:
        raise SpecError("the study has no version, so nothing was deleted", where=str(study.folder))
    stage("Looking for outputs that no version names")
    database = study.store.database
    keep = [identity for name in study.versions for identity in _named(study, name)]
    gone = care.unnamed(database, keep)
    deleted = care.forget(database, gone) if gone and delete else {}
    return Pruned(database.where, len(gone), deleted)


def _named(study: Study, name: str) -> list[str]:
    named = list(identities_of(study, name))
    if not study.spec.version(name).outputs:
        named += identities_of(study, name, Part(samples=stored_samples(study, name)))
    return named + list(results_of(study, name).identities)


def in_bytes(count: int) -> str:
    """A size with its unit."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count = round(count / 1000)
    return f"{count} GB"
