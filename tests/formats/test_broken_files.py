"""Broken, huge and hostile files: one line of error, never a traceback."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats import samples as made
from tests.formats.samples import error_of, write
from tests.profiles import examples

from ethogram.errors import EthogramError, SpecError
from ethogram.formats import limits as bounds
from ethogram.formats import rows
from ethogram.metrics import read_outputs


def test_documents_that_are_broken_name_their_line(tmp_path: Path) -> None:
    for text, message in (
        ('[\n {"text": "a"},\n {"text": }\n]', r"a\.json:3: not valid JSON"),
        ('[{"text": "a"}, 3]', r"a\.json: item 2: an item must be a JSON object"),
        ('{\n "results": {\n  "results": [\n', r"a\.json:4: not valid JSON"),
        ("nonsense", r"a\.json:1: not valid JSON"),
        ('{"text": "a"\n{"text": "b"}', r"a\.json:1: not valid JSON"),
        ("[1]\n[2]", r"a\.json:1: a line must be a JSON object"),
        ("3\n", r"a\.json:1: a line must be a JSON object"),
        ("[" * 100_000, r"a\.json:1: the JSON is nested too deeply"),
        ("[]", r"a\.json: no outputs in this file"),
    ):
        with pytest.raises(SpecError, match=message):
            list(read_outputs(write(tmp_path / "a.json", text)))


def test_deep_values_inside_a_row_are_refused(tmp_path: Path) -> None:
    deep = '{"text": "a", "x": ' + "[" * 900 + "]" * 900 + "}"
    message = error_of(write(tmp_path / "a.jsonl", deep))
    assert message is None or "nested too deep" in message


def test_millions_of_empty_lines_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "FREE", 2**21)
    bomb = tmp_path / "bomb.jsonl.gz"
    bomb.write_bytes(made.packed_bomb(1))  # A million lines: as many bytes, and much more time.
    with pytest.raises(SpecError, match=r"bomb\.jsonl\.gz: unpacks to more than"):
        list(read_outputs(bomb))


@pytest.mark.long
def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "FREE", 2**20)
    bomb = tmp_path / "bomb.jsonl.gz"
    bomb.write_bytes(made.packed_bomb(8))
    with pytest.raises(SpecError, match=r"bomb\.jsonl\.gz: unpacks to more than"):
        list(read_outputs(bomb))
    big = made.inspect_sample("big", "a" * 4 * 2**20)
    with pytest.raises(SpecError, match="unpacks to more than"):
        list(read_outputs(made.inspect_archive(tmp_path / "bomb.eval", big)))
    monkeypatch.setattr("ethogram.formats.files.MOST_LINE", 2**10)
    file = write(tmp_path / "long.jsonl", made.lines({"text": "a"}, {"text": "b" * 2000}))
    with pytest.raises(SpecError, match=r"long\.jsonl:2: a line of more than"):
        list(read_outputs(file))
    monkeypatch.setattr("ethogram.formats.files.MOST_DOCUMENT", 2**10)
    file = write(tmp_path / "long.json", json.dumps([{"text": "b" * 20}] * 90, indent=1))
    with pytest.raises(SpecError, match=r"long\.json: a JSON document of more than"):
        list(read_outputs(file))


def test_archives_of_others_are_refused_in_a_line(tmp_path: Path) -> None:
    evil = tmp_path / "evil.eval"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("../../outside.json", "{}")
    with pytest.raises(SpecError, match="not an inspect_ai log"):
        list(read_outputs(evil))
    sample = made.inspect_sample("../../../../tmp/outside", "Up.")
    file = made.inspect_archive(tmp_path / "names.eval", sample)
    assert [output.text for output in read_outputs(file)] == ["Up."]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.eval", "names.eval"]
    cut = tmp_path / "cut.eval"
    cut.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(SpecError, match="truncated or damaged"):
        list(read_outputs(cut))
    data = bytearray(file.read_bytes())
    # The method of the first member, in its own header and in the list at the end.
    place = data.index(b"PK\x01\x02") + 10
    data[8:10] = data[place : place + 2] = (93).to_bytes(2, "little")
    packed = tmp_path / "zstd.eval"
    packed.write_bytes(bytes(data))
    with zipfile.ZipFile(packed) as archive:
        assert archive.infolist()[0].compress_type == 93
    data = bytearray(file.read_bytes())
    for place in (i for i in range(len(data)) if data[i : i + 4] == b"PK\x01\x02"):
        data[place + 10 : place + 12] = (93).to_bytes(2, "little")
    packed.write_bytes(bytes(data))
    with pytest.raises(SpecError, match="compressed with Zstandard"):
        list(read_outputs(packed))


_NAMES = """prompt output text response messages conversations choices resps doc_id filter arguments
eval samples results custom_id result body turns question_id vars input target candidates content
role from value message raw logprobs sample id model version identity prompt_id chosen rejected
instruction token_ids tags finish_reason object type index error"""
KEYS = st.sampled_from(_NAMES.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=examples(400), suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(KEYS, JSON, max_size=6), max_size=3), st.booleans())
@pytest.mark.long
def test_no_value_ends_in_a_traceback(values: list[Any], document: bool) -> None:
    text = json.dumps(values) if document else made.lines(*values)
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder) / "a.json", text)
        assert "\n" not in (error_of(file) or "")
        list(rows_or_nothing(file))


def rows_or_nothing(file: Path) -> list[Any]:
    try:
        return list(rows(file))
    except EthogramError:
        return []


@settings(max_examples=examples(200), suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([b"", b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"[", b'{"a":', b"\xef\xbb\xbf"]),
    st.binary(max_size=60),
    st.sampled_from(["a.jsonl", "a.csv", "a.eval", "a.parquet", "a.csv.gz"]),
)
def test_no_bytes_end_in_a_traceback(start: bytes, rest: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(start + rest)
        assert "\n" not in (error_of(file) or "")
