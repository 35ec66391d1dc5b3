"""Traces as rows: those of `ethogram trace --json`, for every output that has one."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import SpecError
from ethogram.study import Study, export, run, trace

pytestmark = pytest.mark.long


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_row_has_the_trace_that_the_command_shows(tiny_study: Path, tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    with Study(tiny_study) as study:
        run(study, ["v0.1.0"], trace=True)
        assert export(study, file, ["v0.1.0"], kind="traces") == 12
        rows = rows_of(file)
        assert [row["identity"] for row in rows] == list(study.identities("v0.1.0"))
        for row in rows:
            shown = trace(study, "v0.1.0", row["prompt_id"], sample=row["sample"]).to_json()
            shown = json.loads(json.dumps(shown))
            assert row["trace"] == {key: shown[key] for key in ("steps", "loops", "tokens")}
            assert row["token_ids"] == [token["id"] for token in shown["tokens"]]
            assert (row["version"], row["output"]) == ("v0.1.0", shown["text"])


def test_only_outputs_with_a_trace_are_rows(tiny_study: Path, tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    with Study(tiny_study) as study:
        run(study)
        with pytest.raises(SpecError, match=r"^v0.1.0: no stored traces; .*run v0.1.0 --trace"):
            export(study, file, ["v0.1.0"], kind="traces")
        with pytest.raises(SpecError, match=r"^tiny: no stored traces"):
            export(study, file, kind="traces")
        assert not file.exists()
        trace(study, "v0.1.0", "p2", sample=1)
        assert export(study, file, kind="traces") == 1
        assert [(row["prompt_id"], row["sample"]) for row in rows_of(file)] == [("p2", 1)]
        with pytest.raises(SpecError, match=r"v0.0.1: no stored traces"):
            export(study, file, ["v0.1.0", "v0.0.1"], kind="traces")


def test_versions_without_traces_are_named(
    tiny_study: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Study(tiny_study) as study:
        run(study)
        run(study, ["v0.0.1"], trace=True)
        assert export(study, tmp_path / "traces.jsonl", kind="traces") == 6
    assert "left out, no stored traces: v0.1.0, v1.0.0" in caplog.text


def test_csv_parquet_and_an_address_hold_the_same(tiny_study: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    fsspec = pytest.importorskip("fsspec")
    import pyarrow.parquet

    with Study(tiny_study) as study:
        run(study, ["v0.0.1"], trace=True)
        for suffix in ("jsonl", "csv", "parquet"):
            export(study, tmp_path / f"traces.{suffix}", ["v0.0.1"], kind="traces")
        export(study, "memory://traces/traces.jsonl", ["v0.0.1"], kind="traces")
    expected = rows_of(tmp_path / "traces.jsonl")
    with fsspec.open("memory://traces/traces.jsonl", "rb") as file:
        assert file.read() == (tmp_path / "traces.jsonl").read_bytes()
    with (tmp_path / "traces.csv").open(encoding="utf-8", newline="") as text:
        csv.field_size_limit(10**8)
        assert [json.loads(row["trace"]) for row in csv.DictReader(text)] == [
            row["trace"] for row in expected
        ]
    table = pyarrow.parquet.read_table(tmp_path / "traces.parquet").to_pylist()
    assert [row | {"trace": json.loads(row["trace"])} for row in table] == expected


def test_a_tag_and_options_that_do_not_go_together(tiny_study: Path, tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    with Study(tiny_study) as study:
        run(study, ["v0.0.1"], trace=True)
        with pytest.raises(SpecError, match="no prompt with the tag 'none'"):
            export(study, file, ["v0.0.1"], kind="traces", tag="none")
        with pytest.raises(SpecError, match="--metric cannot be combined with --as traces"):
            export(study, file, ["v0.0.1"], kind="traces", metrics=["words"])
    assert not file.exists()


def test_values_that_json_does_not_know_are_null(
    tiny_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ethogram.study.trace import Traced

    real = Traced.to_json

    def with_infinity(self: Traced) -> dict[str, Any]:
        form = real(self)
        form["tokens"][0]["alternatives"][-1]["logprob"] = float("-inf")
        return form

    monkeypatch.setattr(Traced, "to_json", with_infinity)
    with Study(tiny_study) as study:
        run(study, ["v0.0.1"], trace=True)
        export(study, tmp_path / "traces.jsonl", ["v0.0.1"], kind="traces")
    assert "Infinity" not in (tmp_path / "traces.jsonl").read_text()
    for row in rows_of(tmp_path / "traces.jsonl"):
        assert row["trace"]["tokens"][0]["alternatives"][-1]["logprob"] is None


def test_rows_are_written_while_they_are_made(
    tiny_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory does not grow with the outputs: at most one batch of traces is read ahead."""
    from ethogram.study import exporting_traces

    monkeypatch.setattr(exporting_traces, "_AT_ONCE", 2)
    with Study(tiny_study) as study:
        run(study, ["v0.1.0"], trace=True)
        reads: list[int] = []
        real = study.store.traces

        def counted(identities: Any) -> Any:
            reads.append(len(identities))
            return real(identities)

        monkeypatch.setattr(study.store, "traces", counted)
        rows = exporting_traces.trace_rows(study, ["v0.1.0"])
        next(rows)
        assert reads == [2]
        assert len(list(rows)) == 11
        assert reads == [2] * 6
