"""Traces of a study: made with a run, made up for stored outputs, and shown token by token."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethogram.errors import SpecError, StoreError
from ethogram.study import Study, run, trace

Stored = Callable[[Path], dict[str, Any]]


def traces(study: Study, version: str) -> list[Any]:
    found = study.store.traces(study.identities(version))
    return [found[name] for name in study.identities(version)]


def test_a_run_traces_only_when_asked(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study, ["v0.1.0"])
        assert study.store.missing_traces(study.identities("v0.1.0")) == study.identities("v0.1.0")
        run(study, ["v0.0.1"], trace=True)
        for made, how in zip(study.generations("v0.0.1"), traces(study, "v0.0.1"), strict=True):
            assert len(how) == len(made.token_ids)
            assert how.rank.tolist() == [1] * len(how), "greedy takes the most probable"


def test_a_stored_output_is_made_again_for_its_trace(tiny_study: Path, stored: Stored) -> None:
    with Study(tiny_study) as study:
        run(study)
    before = stored(tiny_study)
    with Study(tiny_study) as study:
        again = run(study, trace=True)
        assert (again.made, again.traced, again.parted, again.tokens) == (0, 30, 0, 0)
        assert [row.work.reused for row in again.rows] == [6, 12, 12]
        assert not study.store.missing_traces(study.identities("v1.0.0"))
        assert run(study, trace=True).traced == 0
    assert stored(tiny_study) == before


def test_traces_of_stored_outputs_are_those_made_with_them(
    tiny_study: Path, tmp_path: Path
) -> None:
    import shutil

    other = Path(shutil.copytree(tiny_study, tmp_path / "other"))
    (other / "study.yaml").write_text((other / "study.yaml").read_text() + "trace: true\n")
    with Study(tiny_study) as study, Study(other) as at_once:
        run(study)
        run(study, ["v0.1.0"], trace=True)
        assert run(at_once).made == 30
        for late, early in zip(traces(study, "v0.1.0"), traces(at_once, "v0.1.0"), strict=True):
            np.testing.assert_array_equal(late.kept, early.kept)
            np.testing.assert_array_equal(late.entropy, early.entropy)
    with Study(other) as study:
        (other / "suites/prompts.jsonl").write_text('{"id": "new", "text": "sea"}\n')
    with Study(other) as study:
        run(study, ["v0.0.1"], trace=False)
        assert len(study.store.missing_traces(study.identities("v0.0.1"))) == 1


def test_an_output_that_comes_out_differently_is_left_alone(
    tiny_study: Path, stored: Stored
) -> None:
    """As if made on another machine: the stored tokens are not those that this one makes."""
    with Study(tiny_study) as study:
        run(study, ["v0.0.1"])
        name = study.identities("v0.0.1")[0]
        prompt = study.generations("v0.0.1")[0].prompt_id
    with sqlite3.connect(tiny_study / ".ethogram/store.sqlite") as plain:
        foreign = np.array([7, 8], "<i4").tobytes()
        plain.execute("update generations set token_ids = ? where identity = ?", (foreign, name))
    before = stored(tiny_study)
    with Study(tiny_study) as study:
        again = run(study, ["v0.0.1"], trace=True)
        assert (again.traced, again.parted) == (5, 1)
        assert study.store.missing_traces([name]) == [name]
        with pytest.raises(StoreError, match="gave different tokens than the stored ones"):
            trace(study, "v0.0.1", prompt)
    assert stored(tiny_study) == before


def test_a_trace_shown_is_that_of_the_output(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        made = trace(study, "v0.1.0", "p2", sample=1)
        assert study.store.count() == 1
        assert study.store.runs("v0.1.0")[0].made == 1
        assert run(study, ["v0.1.0"]).made == 11
        again = trace(study, "v0.1.0", "p2", sample=1)
        stored = next(
            one
            for one in study.generations("v0.1.0")
            if (one.prompt_id, one.sample_index) == ("p2", 1)
        )
    assert made.generation.token_ids == again.generation.token_ids == stored.token_ids
    assert made.to_json() == again.to_json()
    data = json.loads(json.dumps(made.to_json(), allow_nan=False))
    assert data["steps"] == ["temperature", "top_p"]
    assert [token["id"] for token in data["tokens"]] == list(stored.token_ids)
    for token in data["tokens"]:
        chosen = [one for one in token["alternatives"] if one["id"] == token["id"]]
        assert bool(chosen) == (token["rank"] <= 5)
        assert token["kept"]["temperature"] == 300
        assert token["kept"]["top_p"] <= 300
        assert token["final_probability"] >= 1 / token["kept"]["top_p"] / 100


def test_a_text_of_ones_own_touches_nothing(tiny_study: Path) -> None:
    suite = (tiny_study / "suites/prompts.jsonl").read_text()
    with Study(tiny_study) as study:
        shown = trace(study, "v1.0.0", "what does the sea say?", sample=3)
        assert not shown.in_suite
        assert "what does the sea say?" in shown.generation.prompt_text
        assert "<|assistant|>" in shown.generation.prompt_text, "the version's own prompt"
        assert study.store.count() == 0
        assert not study.store.runs()
        word = trace(study, "v1.0.0", text="p02")
        assert not word.in_suite, "an explicit text may look like an id"
    assert (tiny_study / "suites/prompts.jsonl").read_text() == suite


def test_mistakes_name_what_is_wrong(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        with pytest.raises(SpecError, match=r"no sample 1 .*use 0, the only one"):
            trace(study, "v0.0.1", "p0", sample=1)
        with pytest.raises(SpecError, match=r"no sample 2 .*use 0 to 1"):
            trace(study, "v0.1.0", "p0", sample=2)
        with pytest.raises(SpecError, match=r"v0\.1\.1"):
            trace(study, "v0.1.1", "p0")
        with pytest.raises(SpecError, match="the prompt is empty"):
            trace(study, "v0.1.0", " ")
        with pytest.raises(SpecError, match=r"no prompt 'p02' .*did you mean 'p2'\?.*--text"):
            trace(study, "v0.1.0", "p02")
        with pytest.raises(SpecError, match="--text cannot be combined"):
            trace(study, "v0.1.0", "p0", text="p0")
        with pytest.raises(SpecError, match="no prompt; name a prompt id"):
            trace(study, "v0.1.0")


def test_a_trace_shows_itself_in_a_notebook(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        shown = trace(study, "v0.1.0", "p1")
    hostile = replace(shown, title="<b>", pieces=["<script>"] * len(shown.pieces))
    page = hostile._repr_html_()
    assert page.count("<td>&lt;script&gt;</td>") == len(shown.pieces)
    assert "&lt;b&gt;" in page
    assert "<script>" not in page
