"""Sweeps in either database: begun again, read back in order, checked, copied."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ethogram.store import Store, StoredPromotion, StoredTrial, StoredValue, Sweeps, care
from ethogram.store.copying import copy_store

TRIALS = [StoredTrial(n, f"identity {n}", f'[["a", {n}]]', "{}") for n in (1, 2, 10)]
VALUES = [
    StoredValue(
        round_, trial, metric, round_, 0.1 * trial, 1 if (round_, trial) == (2, 10) else None
    )
    for round_ in (1, 2)
    for trial in (0, 1, 2, 10)
    for metric in ("Z", "a")
]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    is_shared = request.param == "postgres"
    where = request.getfixturevalue("postgres_url") if is_shared else tmp_path / "store.db"
    with Store.open(where) as opened:
        yield opened


def filled(store: Store, key: str = "k") -> int:
    sweeps = Sweeps(store)
    sweep = sweeps.begin(key=key, base="v0.1.0", base_identity="b", asked='{"text": "a\\u0000"}')
    sweeps.add_trials(sweep, reversed(TRIALS))
    sweeps.add_values(sweep, VALUES[8:])
    sweeps.add_values(sweep, VALUES[:8])
    return sweep


def test_what_was_recorded_comes_back_in_order(store: Store) -> None:
    sweeps, sweep = Sweeps(store), filled(store)
    assert sweeps.trials(sweep) == TRIALS
    assert sweeps.values(sweep) == VALUES
    record = sweeps.get(sweep)
    assert record is not None
    assert (record.finished_at, record.ended, record.result) == (None, None, None)
    sweeps.finish(sweep, '{"chosen": 1}')
    (record,) = sweeps.all()
    assert record.finished_at
    assert record.result == '{"chosen": 1}'
    assert sweeps.get(sweep + 1) is None


def test_the_same_sweep_begins_again_and_keeps_its_promotions(store: Store) -> None:
    sweeps, sweep = Sweeps(store), filled(store)
    other = filled(store, "other")
    sweeps.finish(sweep, "{}")
    promotions = [StoredPromotion("v2", 1, "2026-01-02"), StoredPromotion("v1", 2, "2026-01-03")]
    for each in promotions:
        sweeps.promote(sweep, each)
    sweeps.promote(sweep, promotions[0])
    assert sweeps.begin(key="k", base="v0.1.0", base_identity="b", asked="{}") == sweep
    record = sweeps.get(sweep)
    assert record is not None
    assert (record.finished_at, record.result) == (None, None)
    assert sweeps.trials(sweep) == []
    assert sweeps.values(sweep) == []
    assert sweeps.promotions(sweep) == promotions
    assert sweeps.trials(other) == TRIALS


def test_a_value_that_there_is_not_is_none_and_a_round_again_replaces_itself(store: Store) -> None:
    sweeps, sweep = Sweeps(store), filled(store)
    again = StoredValue(2, 10, "a", 4, math.nan)
    sweeps.add_values(sweep, [again])
    assert sweeps.values(sweep)[-1] == StoredValue(2, 10, "a", 4, None)
    assert len(sweeps.values(sweep)) == len(VALUES)


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("DELETE FROM sweeps", "a setting without its sweep: "),
        ("DELETE FROM sweeps", "a value without its sweep: "),
        ("DELETE FROM sweeps", "a promotion without its sweep: "),
        ("UPDATE sweeps SET asked = '{'", "sweeps: cannot be read: "),
        ("UPDATE sweep_trials SET version = '{' WHERE number = 2", "sweep_trials: cannot be read"),
    ],
)
def test_damage_is_found(store: Store, damage: str, line: str) -> None:
    Sweeps(store).promote(filled(store), StoredPromotion("v2", 1, "2026-01-02"))
    assert list(care.faults(store.database, str)) == []
    with store.database.begin(writes=True) as connection:
        assert connection.execute(text(damage)).rowcount
    assert any(each.startswith(line) for each in care.faults(store.database, str))


def test_a_copy_has_all_of_it_and_counts_on(store: Store, tmp_path: Path) -> None:
    sweep = filled(store)
    Sweeps(store).promote(sweep, StoredPromotion("v2", 1, "2026-01-02"))
    where: str | Path = store.database.path or store.database.engine.url.render_as_string(False)
    copied = copy_store(where, tmp_path / "copy.db")
    assert copied.rows["sweep_values"] == len(VALUES)
    with Store.open(tmp_path / "copy.db") as other:
        for read in ("trials", "values", "promotions"):
            assert getattr(Sweeps(other), read)(sweep) == getattr(Sweeps(store), read)(sweep)
        assert Sweeps(other).all() == Sweeps(store).all()
        assert filled(other, "another") == sweep + 1
