"""Outputs in CSV and Parquet files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.formats.samples import write

from ethogram.errors import MissingExtraError, SpecError
from ethogram.metrics import Output, read_outputs


def test_csv(tmp_path: Path) -> None:
    text = (
        "prompt_id,sample,prompt,output,tags,finish_reason\n"
        'a,1,"x, y","[1]\nz","[""t""]",stop\n'
        'b,,,"",,\n'
    )
    first, second = read_outputs(write(tmp_path / "a.csv", text))
    assert first == Output(
        "[1]\nz", "x, y", finish_reason="stop", tags=("t",), prompt_id="a", sample_index=1
    )
    assert second == Output("", prompt_id="b")
    tabs = write(tmp_path / "a.tsv", "prompt\toutput\na\tb\n")
    assert next(read_outputs(tabs)).prompt == "a"
    for broken, message in (
        ("a,output\n1,2\n3\n", r":3: 1 cells for 2 columns"),
        ("a,output\n1,2,3\n", r":2: 3 cells for 2 columns"),
        ("a,a\n1,2\n", r":1: two columns are named 'a'"),
        ('output\n"x\n', r"not valid CSV"),
    ):
        with pytest.raises(SpecError, match=message):
            list(read_outputs(write(tmp_path / "b.csv", broken)))


def test_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "a.parquet"
    parquet.write_table(arrow.Table.from_pylist([{"prompt": "a", "response": "b"}]), file)
    assert next(read_outputs(file)).text == "b"
    broken = tmp_path / "b.parquet"
    broken.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(SpecError, match="not a readable Parquet file"):
        list(read_outputs(broken))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"\[parquet\]"):
        list(read_outputs(file))
