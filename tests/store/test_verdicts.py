"""Verdicts in the store: kept whole, never twice, also in a store that was made before them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, insert

from ethogram.store import SCHEMA_VERSION, Store, StoredVerdict, Verdicts
from ethogram.store.schema import MIGRATIONS, _add_verdicts, schema_table


def verdict(identity: str, reply: str = "fine") -> StoredVerdict:
    return StoredVerdict(
        identity=identity,
        judge="small",
        prompt="pairwise/1",
        prompt_digest="d" * 64,
        first="a",
        second=None,
        reply=reply,
        finish_reason="stop",
        served_model="small-2026",
        prompt_tokens=3,
        completion_tokens=4,
        seconds=0.5,
    )


def test_verdicts_come_back_as_they_were(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        verdicts = Verdicts(store)
        many = [verdict(f"v{i}", f"reply 日本 😀\n{i}") for i in range(1203)]
        verdicts.add(many)
        found = verdicts.get([each.identity for each in many] + ["unknown"])
    assert found == {each.identity: each for each in many}


def test_a_verdict_that_is_there_stays(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        verdicts = Verdicts(store)
        verdicts.add([verdict("v", "first")])
        verdicts.add([verdict("v", "second"), verdict("w")])
        assert verdicts.get(["v", "w"]) == {"v": verdict("v", "first"), "w": verdict("w")}


def test_a_store_from_before_gains_the_table(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    before = MIGRATIONS.index(_add_verdicts)
    with create_engine(f"sqlite:///{path}").begin() as connection:
        schema_table.create(connection)
        for number, step in enumerate(MIGRATIONS[:before], start=1):
            step(connection)
            connection.execute(insert(schema_table).values(version=number))
    with Store.open(path) as store:
        Verdicts(store).add([verdict("v")])
    with sqlite3.connect(path) as connection:
        (version,) = connection.execute("select max(version) from schema_version").fetchone()
    assert version == SCHEMA_VERSION
