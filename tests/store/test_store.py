"""What goes in comes out, whole, once, whatever happens in between."""

import dataclasses
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sql
from tests.profiles import examples

from ethogram.errors import StoreError
from ethogram.spec import Generation, Selection
from ethogram.store import SCHEMA_VERSION, Store
from ethogram.store.upgrade import backup_path

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
IDS = st.lists(st.integers(0, 2**31 - 1)).map(tuple)
GENERATIONS = st.builds(
    Generation,
    identity=st.text("0123456789abcdef", min_size=8, max_size=64),
    prompt_id=TEXT,
    sample_index=st.integers(0, 1000),
    prompt_text=TEXT,
    prompt_token_ids=IDS,
    token_ids=IDS,
    text=TEXT,
    finish_reason=st.sampled_from(["stop", "eos", "length", "unknown"]),
    logprobs=st.lists(st.floats(-100, 0, width=32)).map(tuple),
    seconds=st.floats(0, 1e6),
    selection=st.none()
    | st.builds(
        Selection,
        chosen=st.integers(0, 3),
        scores=st.lists(st.floats(-1e6, 0)).map(tuple),
        answers=st.lists(st.none() | TEXT).map(tuple),
        tokens=st.lists(st.integers(1, 9)).map(tuple),
    ),
)


def generation(name: str, text: str = "hello") -> Generation:
    return Generation(name, "p", 0, "prompt", (1,), (2, 3), text, "eos", (-0.5, -1.0), 0.1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.sqlite") as opened:
        yield opened


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40))
@given(st.lists(GENERATIONS, unique_by=lambda item: item.identity))
def test_round_trip(store: Store, generations: list[Generation]) -> None:
    with store.database.begin(writes=True) as connection:
        connection.execute(sql("delete from generations"))
    assert store.add(generations, model="m") == len(generations)
    identities = [item.identity for item in generations]
    found = store.get(identities)
    assert [found[name] for name in identities] == generations
    assert store.count() == len(generations)


def test_adding_again_changes_nothing(store: Store) -> None:
    assert store.add([generation("a"), generation("a")], model="m") == 1
    assert store.add([generation("a", "other"), generation("b")], model="m") == 1
    assert store.get(["a"])["a"].text == "hello"
    assert store.missing(["c", "a", "b", "d"]) == ["c", "d"]


def test_many_identities_are_looked_up_in_chunks(store: Store) -> None:
    names = [f"{number:08x}" for number in range(1203)]
    store.add([generation(name) for name in names], model="m")
    assert len(store.get(names)) == 1203
    assert store.missing([*names, "zz"]) == ["zz"]


def test_runs(store: Store) -> None:
    first = store.start_run("v0.0.1", "abc")
    second = store.start_run("v0.1.0", "def")
    store.finish_run(second, made=3, tokens=90)
    assert [(run.id, run.made) for run in store.runs()] == [(first, None), (second, 3)]
    assert [run.version for run in store.runs("v0.1.0")] == ["v0.1.0"]


def test_full_disk_keeps_what_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with Store.open(path) as store:
        store.add([generation("a")], model="m")
        with store.database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.connection.execute(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(StoreError, match="disk is full; free some space") as caught:
            store.add([generation(f"b{n}", "x" * 4000) for n in range(50)], model="m")
        assert "\n" not in str(caught.value)
        assert store.count() == 1
    with Store.open(path) as store:
        assert store.add([generation("b", "x" * 40000)], model="m") == 1


@pytest.mark.fault("the file of the store is another file")
@pytest.mark.parametrize(
    ("prepare", "line"),
    [
        (lambda path: path.write_bytes(b"not a database" * 100), "file is not a database; move"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: sqlite3.connect(path).execute("create table t (x)"), "holds other tables"),
    ],
)
def test_what_is_no_store_is_refused(tmp_path: Path, prepare: object, line: str) -> None:
    path = tmp_path / "store.sqlite"
    prepare(path)  # type: ignore[operator]
    with pytest.raises(StoreError, match=line):
        Store.open(path)


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (
            "foo://user:secret@host/x",
            r"^foo://user:\*\*\*@host/x: 'foo' is not supported; a store is in SQLite or Postgre",
        ),
        (
            "postgresql://host/x?password=secret&connect_timeout=1",
            r"^postgresql://host/x\?connect_timeout=1&password=HIDDEN: ",
        ),
        ("://", "store: not a database URL"),
    ],
)
def test_the_error_of_an_unusable_url_hides_its_password(url: str, line: str) -> None:
    with pytest.raises(StoreError, match=line) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)


def test_missing_folder_and_newer_schema(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="its folder does not exist"):
        Store.open(tmp_path / "none" / "store.sqlite")
    path = tmp_path / "store.sqlite"
    Store.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"insert into schema_version values ({SCHEMA_VERSION + 1})")
    with pytest.raises(StoreError, match="update Ethogram"):
        Store.open(path)


def test_a_store_of_release_0_1_0_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with Store.open(path) as store:
        store.add([generation("a")], model="m")
    with sqlite3.connect(path) as connection:
        connection.execute("alter table generations drop column selection")
        connection.execute("delete from schema_version where version > 1")
    chosen = Selection(1, (-2.0, -1.5), ("4", None), (3, 2))
    with Store.open(path) as store:
        with sqlite3.connect(backup_path(path, 1)) as backup:  # Made before anything changed.
            columns = {row[1] for row in backup.execute("PRAGMA table_info(generations)")}
            assert "selection" not in columns
            assert backup.execute("SELECT max(version) FROM schema_version").fetchone() == (1,)
            assert backup.execute("SELECT identity FROM generations").fetchall() == [("a",)]
        store.add([dataclasses.replace(generation("b"), selection=chosen)], model="m")
        assert store.get(["a"])["a"] == generation("a")
        assert store.get(["b"])["b"].selection == chosen


@pytest.mark.fault("an old store cannot be backed up before its upgrade")
def test_without_a_backup_an_older_store_is_not_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Store.open(path).close()
    assert not list(tmp_path.glob("*schema*"))  # A new store has nothing to back up.
    with sqlite3.connect(path) as connection:
        connection.execute("delete from schema_version where version > 1")
    backup_path(path, 1).mkdir()
    (backup_path(path, 1) / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be backed up before its upgrade.*not changed"):
        Store.open(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("select max(version) from schema_version").fetchone() == (1,)


def test_wal_and_url(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'by-url.sqlite'}"
    with Store.open(url) as store:
        store.add([generation("a")], model="m")
    with sqlite3.connect(tmp_path / "by-url.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def _write_for_ever(path: Path, prefix: str) -> None:
    with Store.open(path) as store:
        number = 0
        while True:
            rows = [generation(f"{prefix}{number + offset:06d}", "x" * 500) for offset in range(8)]
            store.add(rows, model="m")
            number += 8


@pytest.mark.fault("SIGKILL of a process that writes without a pause")
@pytest.mark.long
def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Store.open(path).close()
    context = multiprocessing.get_context("spawn")
    generator = np.random.default_rng(11)
    for round_ in range(3):
        process = context.Process(target=_write_for_ever, args=(path, f"{round_}-"))
        process.start()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with Store.open(path) as store:
                if store.count() > 40 * (round_ + 1):
                    break
            time.sleep(0.02)
        time.sleep(float(generator.uniform(0, 0.1)))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with Store.open(path) as store, store.database.begin() as connection:
            texts = list(connection.execute(sql("select text from generations")).scalars())
        assert len(texts) % 8 == 0
        assert len(texts) > 40 * (round_ + 1)
        assert set(texts) == {"x" * 500}


def _write_some(path: Path, prefix: str) -> None:
    with Store.open(path) as store:
        for number in range(20):
            store.add([generation(f"{prefix}{number}"), generation(f"both{number}")], model="m")


@pytest.mark.fault("a second process stores the same outputs at the same moment")
@pytest.mark.long
def test_two_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Store.open(path).close()
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_some, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    with Store.open(path) as store:
        assert store.count() == 60
