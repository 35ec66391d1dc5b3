"""Traces in the store: whole, compact, beside their generations, and in stores made before them."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, inspect
from tests.profiles import examples

from ethogram.errors import StoreError
from ethogram.spec import Generation, Trace
from ethogram.store import SCHEMA_VERSION, Store
from ethogram.store.rows import generation_row
from ethogram.store.schema import MIGRATIONS, generations_table, schema_table
from ethogram.store.traces import pack, unpack


def trace(tokens: int = 3, alternatives: int = 5, steps: int = 2, seed: int = 0) -> Trace:
    draw = np.random.default_rng(seed)
    return Trace(
        entropy=draw.random(tokens, np.float32) * 10,
        rank=draw.integers(1, 50_000, tokens, np.int32),
        probability=draw.random(tokens, np.float32),
        alternatives=draw.integers(0, 50_000, (tokens, alternatives), np.int32),
        alternative_logprobs=-draw.random((tokens, alternatives), np.float32),
        steps=tuple(f"step_{number}" for number in range(steps)),
        kept=draw.integers(1, 50_000, (tokens, steps), np.int32),
    )


def assert_same(one: Trace, other: Trace) -> None:
    for field in dataclasses.fields(Trace):
        a, b = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(a, b)
        assert np.shape(a) == np.shape(b)


def generation(name: str, traced: Trace | None = None) -> Generation:
    return Generation(
        identity=name,
        prompt_id="p",
        sample_index=0,
        prompt_text="prompt",
        prompt_token_ids=(1,),
        token_ids=(2, 3, 4),
        text="hi",
        finish_reason="eos",
        logprobs=(-0.5, -1, -2),
        seconds=0.1,
        trace=traced,
    )


@given(st.integers(0, 40), st.integers(1, 9), st.integers(0, 6), st.integers(0, 1000))
@settings(max_examples=examples(40))
def test_packed_and_unpacked(tokens: int, alternatives: int, steps: int, seed: int) -> None:
    made = trace(tokens, alternatives, steps, seed)
    found = unpack(pack(made), tokens=tokens, alternatives=alternatives, steps=made.steps)
    assert_same(found, made)


def test_a_trace_comes_and_goes_with_its_generation(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.sqlite") as store:
        store.add([generation("a", trace(seed=1)), generation("b")], model="m")
        assert store.missing_traces(["b", "a", "c"]) == ["b", "c"]
        assert set(store.traces(["a", "b", "c"])) == {"a"}
        assert_same(store.traces(["a"])["a"], trace(seed=1))
        store.add_traces({"a": trace(seed=2), "b": trace(seed=3)})
        assert_same(store.traces(["a"])["a"], trace(seed=1))
        assert_same(store.traces(["b"])["b"], trace(seed=3))
        assert store.get(["a"])["a"].trace is None


def test_a_store_of_the_first_schema_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        schema_table.create(connection)
        MIGRATIONS[0](connection)
        connection.execute(insert(schema_table).values(version=1))
        connection.execute(insert(generations_table), [generation_row(generation("a"), "m", None)])
        assert "traces" not in inspect(connection).get_table_names()
    engine.dispose()
    with Store.open(path) as store:
        assert store.get(["a"])["a"] == generation("a")
        store.add_traces({"a": trace()})
        assert_same(store.traces(["a"])["a"], trace())
    with sqlite3.connect(path) as plain:
        at = plain.execute("select max(version) from schema_version").fetchone()
    assert at == (SCHEMA_VERSION,)


@pytest.mark.fault("a stored trace is damaged")
@pytest.mark.parametrize("damage", [b"", b"nonsense", pack(trace(4)), pack(trace(2))])
def test_a_damaged_trace_is_an_error(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "store.sqlite"
    with Store.open(path) as store:
        store.add([generation("a", trace(3))], model="m")
    with sqlite3.connect(path) as plain:
        plain.execute("update traces set data = ?", (damage,))
    with Store.open(path) as store, pytest.raises(StoreError, match="a stored trace") as caught:
        store.traces(["a"])
    assert str(path) in str(caught.value)
