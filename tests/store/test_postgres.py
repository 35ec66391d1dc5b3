"""A store in PostgreSQL does what one in SQLite does."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Float, String
from sqlalchemy import text as sql
from tests.profiles import examples
from tests.store.test_store import GENERATIONS, generation

from benchmarks.postgres import Server
from ethogram.errors import StoreError
from ethogram.spec import Generation
from ethogram.spec.results import Score, Span
from ethogram.store import (
    SCHEMA_VERSION,
    Point,
    Scored,
    Scorer,
    Store,
    StoredVerdict,
    TrainingOutput,
    Trainings,
    Verdicts,
    locking,
    run_lock,
)
from ethogram.store.columns import Real, Words
from ethogram.store.complete import keep_scores, version_scores, version_values
from ethogram.store.connect import Database
from ethogram.store.metadata import metadata


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    with Store.open(postgres_url) as opened:
        yield opened


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(30))
@given(st.lists(GENERATIONS, unique_by=lambda item: item.identity))
def test_round_trip(store: Store, generations: list[Generation]) -> None:
    with store.database.begin(writes=True) as connection:
        connection.execute(sql("delete from generations"))
    assert store.add(generations, model="m") == len(generations)
    identities = [item.identity for item in generations]
    found = store.get(identities)
    assert [found[name] for name in identities] == generations
    assert store.count() == len(generations)


@pytest.mark.parametrize(
    "text", ["a\0b", "\0", "\ufdd0", "\ufdd00", "\ufdd0m\0", "\U0001f600 ü", "", "x" * 100_000]
)
def test_every_text_comes_back(store: Store, text: str) -> None:
    store.add([generation("a", text)], model="m" * 200)
    assert store.get(["a"])["a"].text == text


def test_adding_again_changes_nothing(store: Store) -> None:
    assert store.add([generation("a"), generation("a")], model="m") == 1
    assert store.add([generation("a", "other"), generation("b")], model="m") == 1
    assert store.get(["a"])["a"].text == "hello"
    assert store.missing(["c", "a", "b", "d"]) == ["c", "d"]


def test_many_identities_are_looked_up(store: Store) -> None:
    names = [f"{number:08x}" for number in range(12_003)]
    assert store.add([generation(name) for name in names], model="m") == len(names)
    assert len(store.get(names)) == len(names)
    assert store.missing([*names, "zz"]) == ["zz"]


def test_every_table_is_written_and_read(store: Store) -> None:
    run = store.start_run("v0.1.0", "abc", settings="{}")
    store.finish_run(run, made=3, tokens=2**40)
    assert [(each.made, each.tokens) for each in store.runs("v0.1.0")] == [(3, 2**40)]
    store.add_suite("d", "{}")
    store.add_suite("d", "other")
    assert store.suite("d") == "{}"
    store.add_tests({"t": ("loop_rate", "{}")})
    assert store.tests(["t", "u"]) == {"t": "{}"}
    keep_scores(store, "v", {"m": ("basis", "1", "[1]")})
    keep_scores(store, "v", {"m": ("other", "2", "[2]")})
    assert version_scores(store, "v", "m", "basis") is None
    assert version_scores(store, "v", "m", "other") == "[2]"
    assert version_values(store, "v", {"m": "basis"}) == {}
    assert version_values(store, "v", {"m": "other"}) == {"m": "2"}
    scorer, scored = Scorer("m", 1, "x"), Scored("a", "r")
    score = Score(math.nan, (math.nan, 1.0), (Span(0, 2, "l"),))
    store.add_scores(scorer, {scored: score})
    store.add_scores(scorer, {scored: Score(1.0, (1.0,))})
    found = store.scores(scorer, [scored])[scored]
    assert found.value is None  # As SQLite reads NaN back.
    assert (math.isnan(found.parts[0]), found.parts[1], found.spans) == (True, 1.0, score.spans)
    verdict = StoredVerdict("v", "j" * 300, "p", "d", "a", None, "r\0", "x" * 40, "s", 1, 2, 0.5)
    Verdicts(store).add([verdict])
    assert Verdicts(store).get(["v"]) == {"v": verdict}


def test_the_curve_of_a_training_is_in_order(store: Store) -> None:
    trainings = Trainings(store)
    record = trainings.begin(key="k", name="r", kind="sft", seed=0, recipe="{}", plan="{}")
    again = trainings.begin(key="k", name="r", kind="sft", seed=0, recipe="{}", plan="{}")
    assert again == record
    names = ["b", "A", "a/x", "a_x", "Z", "é"]
    trainings.add_points(record.id, [Point(1, name, 0.5) for name in names])
    assert [each.name for each in trainings.points(record.id)] == sorted(names)
    outputs = [TrainingOutput(1, "d", name, 0, "t", "eos") for name in names]
    trainings.add_outputs(record.id, outputs)
    trainings.add_outputs(record.id, outputs)
    assert [each.prompt_id for each in trainings.outputs(record.id)] == sorted(names)


def test_columns_have_types_that_both_databases_read_alike() -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            assert not isinstance(column.type, String | Float), f"{column}: use Words or Real"
    assert isinstance(metadata.tables["generations"].c.text.type, Words)
    assert isinstance(metadata.tables["generations"].c.seconds.type, Real)


def test_an_older_store_is_upgraded_and_copied_beside(postgres: Server, postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        store.add([generation("a")], model="m")
    name = postgres_url.rpartition("/")[2]
    postgres.query("ALTER TABLE generations ALTER COLUMN text TYPE varchar(64)", name)
    postgres.query("DROP TABLE version_scores", name)
    postgres.query("DELETE FROM schema_version WHERE version > 9", name)
    with Store.open(postgres_url) as store:
        store.add([generation("b", "x" * 100)], model="m")
        assert store.count() == 2
    assert postgres.query("SELECT max(version) FROM schema_version", name) == str(SCHEMA_VERSION)
    assert postgres.query('SELECT identity FROM "public_schema_9".generations', name) == "a"


def test_processes_that_open_a_new_database_at_once_do_not_collide(postgres_url: str) -> None:
    errors: list[BaseException] = []

    def open_it() -> None:
        try:
            Store.open(postgres_url).close()
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with Store.open(postgres_url) as store:
        assert store.count() == 0


def test_other_encodings_and_other_tables_are_refused(postgres: Server, postgres_url: str) -> None:
    postgres.query("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreError, match="its encoding is LATIN1"):
        Store.open(postgres_url.rpartition("/")[0] + "/narrow")
    postgres.query("CREATE TABLE t (x int)", postgres_url.rpartition("/")[2])
    with pytest.raises(StoreError, match="holds other tables"):
        Store.open(postgres_url)


def test_a_schema_of_its_own(postgres: Server, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.query("CREATE TABLE t (x int)", name)
    postgres.query("CREATE SCHEMA mine", name)
    with Store.open(f"{postgres_url}?options=-csearch_path%3Dmine") as store:
        store.add([generation("a")], model="m")
    assert postgres.query("SELECT count(*) FROM mine.generations", name) == "1"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda url: url.replace("/study_", "/none_"),
            r"does not exist; make it with `createdb` or",
        ),
        (lambda url: url.replace("postgres@", "nobody:hunter2@"), r'role "nobody" does not exist'),
        (lambda url: "postgresql://u:hunter2@127.0.0.1:1/x", "refused; check that the server runs"),
        (lambda url: "postgresql://u:hunter2@no.invalid/x", "correct the host in the URL"),
    ],
)
def test_what_cannot_be_opened_is_one_line_without_the_password(
    postgres_url: str, change: Callable[[str], str], line: str
) -> None:
    with pytest.raises(StoreError, match=line) as caught:
        Store.open(change(postgres_url))
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_lone_surrogate_is_one_line(store: Store) -> None:
    with pytest.raises(StoreError, match="not valid Unicode"):
        store.add([generation("a", "\ud800")], model="m")


def test_the_lock_says_who_holds_it(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "POLL_SECONDS", 0.01)
    first, second = Database(postgres_url), Database(postgres_url)
    said: list[str] = []
    taken = threading.Event()

    def wait() -> None:
        with run_lock(second, "s", said.append):
            taken.set()

    with run_lock(first, "s", None), run_lock(first, "other study", said.append):
        thread = threading.Thread(target=wait)
        thread.start()
        assert not taken.wait(0.3)
    thread.join(10)
    assert taken.is_set()
    assert len(said) == 1
    assert said[0].startswith("ethogram process ")
    assert "(postgres, since " in said[0]
    first.close()
    second.close()


def test_an_error_while_locking_is_read_back(
    postgres: Server, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "POLL_SECONDS", 0.05)
    first, second = Database(postgres_url), Database(postgres_url)

    def cut(_: str) -> None:
        postgres.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity a WHERE datname = "
            f"'{postgres_url.rpartition('/')[2]}' AND NOT EXISTS "
            "(SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')"
        )

    with run_lock(first, "s", None):
        with (
            pytest.raises(StoreError, match="the run lock is held by ethogram process ") as caught,
            run_lock(second, "s", cut),
        ):
            pass
        assert "terminating connection" in str(caught.value)
    with run_lock(second, "s", None):  # Free again.
        pass
    first.close()
    second.close()
