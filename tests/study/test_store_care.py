"""A store is checked, pruned, vacuumed and copied; each damage is found."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from ethogram.cli import cli
from ethogram.errors import EthogramError, StoreError
from ethogram.store import Store, care
from ethogram.store.copying import copy_store
from ethogram.study import Study, run
from ethogram.study.store_care import check_store, prune_store


@pytest.fixture(params=["sqlite", "postgres"])
def ran(request: pytest.FixtureRequest, tiny_study: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose outputs are all stored, with traces, in either database."""
    if request.param == "postgres":
        monkeypatch.setenv("ETHOGRAM_STORE", request.getfixturevalue("postgres_url"))
    with Study(tiny_study) as study:
        run(study, trace=True)
    return tiny_study


def invoke(*arguments: object) -> tuple[int, str]:
    try:
        done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
    except EthogramError as error:
        return error.exit_code, str(error)
    return done.exit_code, done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("DELETE FROM generations WHERE prompt_id = 'p0'", "a trace without its generation: "),
        ("UPDATE generations SET selection = '{'", "generations: cannot be read: "),
        ("UPDATE traces SET tokens = 99999", "traces: cannot be read: "),
        ("UPDATE suites SET data = replace(data, 'keeper', 'sailor')", "suites: the text does not"),
        ("DELETE FROM suites", "runs: the suite is not stored: "),
        ("UPDATE generations SET sample_index = sample_index + 1", "prompt or sample of another"),
        ("UPDATE version_scores SET data = '['", "version_scores: cannot be read: "),
        (
            "INSERT INTO training_points (training, step, name, value) VALUES (7, 1, 'x', 1)",
            "a point without its training: 7",
        ),
    ],
)
def test_each_damage_is_found(ran: Path, damage: str, line: str) -> None:
    with Study(ran) as study:
        assert check_store(study).holds
        first = next(iter(study.suite("v0.0.1").prompts)).id
        with study.store.database.begin(writes=True) as connection:
            changed = connection.execute(text(damage.replace("'p0'", f"'{first}'"))).rowcount
        assert changed
    with Study(ran) as study:
        found = check_store(study)
        assert any(line in fault for fault in found.faults), found.faults
        assert bool(found.missing) == damage.startswith("DELETE FROM generations")


@pytest.mark.fault("a page of an index is overwritten")
@pytest.mark.long
def test_a_damaged_page_is_found(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ran / ".ethogram/store.sqlite"
    if not path.exists():
        pytest.skip("of SQLite")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_generations_prompt_id'"
        ).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * size + size // 2)
        file.write(b"\xff" * (size // 2))
    code, said = invoke("store", "check", "-C", ran)
    assert code in (1, 2)
    assert "integrity_check" in said or "malformed" in said
    assert "Traceback" not in said


@pytest.mark.long
def test_what_no_version_names_is_counted_then_deleted(ran: Path) -> None:
    with Study(ran) as study:
        before = care.counts(study.store.database)
        assert prune_store(study).generations == 0
        kept = {name: study.identities(name) for name in study.versions if name != "v1.0.0"}
    (ran / "versions/v1.0.0.yaml").unlink()
    code, said = invoke("store", "prune", "-C", ran)
    assert code == 0
    assert "`ethogram store prune --yes` deletes them" in said
    with Study(ran) as study:
        assert care.counts(study.store.database) == before
    code, said = invoke("store", "prune", "--yes", "-C", ran, "--json")
    deleted = json.loads(said)
    assert deleted["generations"] == deleted["deleted"]["generations"] > 0
    with Study(ran) as study:
        after = care.counts(study.store.database)
        assert after["generations"] == before["generations"] - deleted["generations"]
        assert after["traces"] == before["traces"] - deleted["deleted"]["traces"]
        for identities in kept.values():
            assert not study.store.missing(identities)
        assert check_store(study).holds
        assert prune_store(study).generations == 0


@pytest.mark.long
def test_vacuum_gives_space_back(ran: Path) -> None:
    with Study(ran) as study:
        study.store.add_suite("x" * 64, "y" * 5_000_000)
        with study.store.database.begin(writes=True) as connection:
            connection.execute(text("DELETE FROM suites WHERE digest LIKE 'xxx%'"))
        identities = study.identities("v0.0.1")
    code, said = invoke("store", "vacuum", "-C", ran, "--json")
    sizes = json.loads(said)
    assert code == 0
    assert sizes["bytes_after"] < sizes["bytes_before"]
    with Study(ran) as study:
        assert not study.store.missing(identities)


@pytest.mark.long
def test_a_copy_is_compared_and_goes_on(ran: Path, tmp_path: Path) -> None:
    with Study(ran) as study:
        source = study.store.database
        url = source.engine.url.render_as_string(hide_password=False)
        wanted = care.counts(source)
    target = tmp_path / "copy.sqlite"
    code, said = invoke("store", "copy", url, target)
    assert code == 0, said
    assert "and compared all rows" in said
    with sqlite3.connect(target) as connection:
        connection.execute("DELETE FROM generations WHERE sample_index = 1")
    again = copy_store(url, target)
    assert 0 < again.rows["generations"] < wanted["generations"]
    assert again.rows["traces"] == 0
    with Store.open(target) as store:
        assert care.counts(store.database) == wanted
        run_id = store.start_run("v", "x")
        assert run_id == wanted["runs"] + 1
    with sqlite3.connect(target) as connection:
        connection.execute("UPDATE generations SET text = 'other' WHERE sample_index = 1")
    with pytest.raises(StoreError, match="differs from that of the source; copy into an empty"):
        copy_store(url, target)


def test_a_copy_onto_itself_and_of_nothing_are_refused(tmp_path: Path) -> None:
    Store.open(tmp_path / "a.sqlite").close()
    for source, line in (("a.sqlite", "same store"), ("none.sqlite", "no such store")):
        code, said = invoke("store", "copy", tmp_path / source, tmp_path / "a.sqlite")
        assert code == 2
        assert line in said
        with pytest.raises(StoreError, match=line):
            copy_store(tmp_path / source, tmp_path / "a.sqlite")
    assert not (tmp_path / "none.sqlite").exists()


def test_the_command_prints_no_password(tmp_path: Path) -> None:
    Store.open(tmp_path / "a.sqlite").close()
    url = "postgresql://me:hunter2@127.0.0.1:1/x"
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from ethogram.cli import main; main()"),
            *("store", "copy", str(tmp_path / "a.sqlite"), url),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr + done.stdout
