"""A study with its store in PostgreSQL: the same log and exports, and nothing lost when it dies."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.interrupts import hears_interrupts

from benchmarks.postgres import Server
from ethogram.report import log, verify
from ethogram.store.copying import copy_store
from ethogram.study import Study, export, run
from ethogram.ui.report import write_report


def files(folder: Path) -> dict[str, bytes]:
    """The log and the exports of a study."""
    with Study(folder) as study:
        log(study)
        assert verify(study).holds
        write_report(study)
        for name in ("all.jsonl", "all.csv"):
            export(study, folder / name, metrics=["loop_rate", "distinct_2"])
    names = ("PROGRESS.md", "report.html", "all.jsonl", "all.csv")
    return {name: (folder / name).read_bytes() for name in names}


@pytest.mark.long
def test_the_log_and_exports_are_the_same_to_the_byte(
    tiny_study: Path, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Path(shutil.copytree(tiny_study, tmp_path / "there"))
    with Study(tiny_study) as study:
        run(study, trace=True)
        own = str(study.store.database.path)
    expected = files(tiny_study)
    copy_store(own, postgres_url)
    monkeypatch.setenv("ETHOGRAM_STORE", postgres_url)
    assert files(there) == expected
    back = tmp_path / "back.sqlite"
    copy_store(postgres_url, back)
    monkeypatch.setenv("ETHOGRAM_STORE", str(back))
    assert files(there) == expected


@pytest.mark.long
def test_a_run_into_postgres_stores_what_a_run_into_a_file_does(
    tiny_study: Path, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Path(shutil.copytree(tiny_study, tmp_path / "there"))
    run(Study(tiny_study))
    expected = files(tiny_study)
    monkeypatch.setenv("ETHOGRAM_STORE", postgres_url)
    with Study(there) as study:
        assert run(study).made == 30
        assert run(study).made == 0
    found = files(there)
    assert found["PROGRESS.md"] == expected["PROGRESS.md"]
    assert _undated(found["report.html"]) == _undated(expected["report.html"])
    assert _untimed(there / "all.csv") == _untimed(tiny_study / "all.csv")
    assert not (there / ".ethogram").exists()


def _undated(report: bytes) -> Any:
    """The data of a report without the times at which its versions ran."""
    found = re.search(rb"globalThis\.ethogramReport = '([\w+/=]*)';", report)
    assert found
    data = json.loads(gzip.decompress(base64.b64decode(found[1])))
    for version in data["log"]["versions"]:
        del version["ran_at"]
    return data


def _untimed(path: Path) -> list[dict[str, str]]:
    """The rows of an export without how long each output took."""
    with path.open(newline="") as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def start(folder: Path, url: str) -> subprocess.Popen[str]:
    """`ethogram run` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", "from ethogram.cli import main; main()", "run"],
        cwd=folder,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "ETHOGRAM_STORE": url,
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears_interrupts,
    )


def rows(server: Server, url: str) -> int:
    """Generations stored so far."""
    try:
        return int(server.query("SELECT count(*) FROM generations", url.rpartition("/")[2]))
    except RuntimeError:
        return 0


@pytest.mark.long
def test_two_runs_at_once_take_turns(tiny_study: Path, postgres: Server, postgres_url: str) -> None:
    both = [start(tiny_study, postgres_url), start(tiny_study, postgres_url)]
    for process in both:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    assert rows(postgres, postgres_url) == 30


@pytest.mark.fault("the PostgreSQL server dies during a run")
@pytest.mark.long
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_dies_in_the_middle_is_one_line_and_the_next_run_completes(
    tiny_study: Path, how: str
) -> None:
    suite = tiny_study / "suites/prompts.jsonl"
    suite.write_text("".join(f'{{"id": "p{n}", "text": "keeper {n} said"}}\n' for n in range(60)))
    version = tiny_study / "versions/v0.0.1.yaml"
    version.write_text(version.read_text().replace("max_new_tokens: 24", "max_new_tokens: 120"))
    pytest.importorskip("psycopg")
    try:
        server = Server(safe=True)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    try:
        url = server.new_database()
        process = start(tiny_study, url)
        while process.poll() is None and rows(server, url) < 40:
            time.sleep(0.01)
        if how == "stop":
            server.stop("immediate")
        else:
            server.kill()
        _, err = process.communicate(timeout=60)
        last = err.strip().splitlines()[-1]
        assert process.returncode == 2, err
        assert "Traceback" not in err
        assert last.startswith("ethogram: postgresql://postgres@127.0.0.1:"), err
        assert "run again" in last, err
        time.sleep(1.0 if how == "kill" else 0.0)  # Its other processes notice within a second.
        server.start()
        kept = rows(server, url)
        assert 40 <= kept < 300
        process = start(tiny_study, url)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert rows(server, url) == 300
    finally:
        server.close()
