"""Exports to object storage have the bytes of exports to a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethogram.errors import BackendError, SpecError
from ethogram.objects import put
from ethogram.study import Study, export, run


@pytest.mark.long
def test_an_export_to_an_address_has_the_same_bytes(tiny_study: Path, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with Study(tiny_study) as study:
        run(study)
        for suffix in ("jsonl", "csv"):
            export(study, tmp_path / f"rows.{suffix}")
            expected = (tmp_path / f"rows.{suffix}").read_bytes()
            for target in (f"memory://made/rows.{suffix}", f"file://{tmp_path}/new/rows.{suffix}"):
                assert export(study, target) == 30
                with fsspec.open(target, "rb") as file:
                    assert file.read() == expected


@pytest.mark.parametrize(
    ("target", "error", "line"),
    [
        ("none://bucket/rows.jsonl", SpecError, "^none://bucket/rows.jsonl: Protocol not known"),
        ("file:///dev/null/rows.jsonl", BackendError, "^file:///dev/null/rows.jsonl: cannot be"),
    ],
)
def test_what_cannot_be_written_is_one_line(
    tmp_path: Path, target: str, error: type[Exception], line: str
) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "rows.jsonl").write_text("{}")
    with pytest.raises(error, match=line) as caught:
        put(tmp_path / "rows.jsonl", target)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "target",
    [
        "none://me:hunter2@host/rows.jsonl",
        "ftp://me:hunter2@127.0.0.1:1/rows.jsonl",
        "none://host/rows.jsonl?signature=hunter2",
        "simplecache::none://me:hunter2@host/rows.jsonl",
    ],
)
def test_no_secret_of_an_address_is_in_an_error(tmp_path: Path, target: str) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "rows.jsonl").write_text("{}")
    with pytest.raises((SpecError, BackendError), match=r"rows\.jsonl") as caught:
        put(tmp_path / "rows.jsonl", target)
    assert "hunter2" not in str(caught.value)


def test_no_secret_of_an_address_of_an_unknown_format_is_in_the_error(tiny_study: Path) -> None:
    target = "https://me:hunter2@host/rows.jsonl?signature=hunter2"
    with Study(tiny_study) as study, pytest.raises(SpecError, match=r"rows\.jsonl") as caught:
        export(study, target)
    assert "hunter2" not in str(caught.value)
