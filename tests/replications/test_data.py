"""Data sets are found, checked and fetched; a missing or changed one is an error."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import urllib.error
import urllib.request
from email.message import Message
from io import BytesIO
from pathlib import Path

import pytest

from ethogram.errors import DataError
from ethogram.files import open_text
from ethogram.replications import DATA_SETS, DataFile, DataFolders, DataSet
from ethogram.replications import data as data_module
from ethogram.replications.origins import (
    alpaca_eval_judgements,
    ifeval_prompts,
    released_outputs,
    released_references,
)

CONTENT = b'{"id": 7, "prompt": "\xc3\xbcber"}\n'
SERVED = b'{"key": 7, "prompt": "\\u00fcber"}\n'
URL = "https://example.org/served.jsonl"


@pytest.fixture
def one_set(monkeypatch: pytest.MonkeyPatch, model_cache: Path) -> str:
    """A data set of one file, the only one of the registry."""
    file = DataFile("tiny/rows.jsonl", hashlib.sha256(CONTENT).hexdigest(), URL, ifeval_prompts)
    tiny = DataSet("tiny", "Tiny", "https://example.org", "CC0-1.0", {"rows": file})
    monkeypatch.setattr(data_module, "DATA_SETS", {"tiny": tiny})
    monkeypatch.delenv("ETHOGRAM_DATA", raising=False)
    return "tiny"


def serve(monkeypatch: pytest.MonkeyPatch, data: bytes) -> list[str]:
    asked: list[str] = []

    def download(url: str) -> bytes:
        asked.append(url)
        return data

    monkeypatch.setattr(data_module, "download", download)
    return asked


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / "tiny" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_every_data_set_says_where_it_is_from_and_is_pinned() -> None:
    paths = [file.path for each in DATA_SETS.values() for file in each.files.values()]
    assert len(set(paths)) == len(paths)
    for name, each in DATA_SETS.items():
        assert each.name == name
        assert each.licence
        assert each.origin.startswith("https://")
        for file in each.files.values():
            assert file.url.startswith("https://")
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert not Path(file.path).is_absolute()
            assert ".." not in Path(file.path).parts


def test_the_shared_folder_is_a_data_folder(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETHOGRAM_DATA", str(shared_data))
    folders = DataFolders()
    for name, each in DATA_SETS.items():
        assert folders.files(name).keys() == each.files.keys()


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_may_be_plain_or_packed(one_set: str, tmp_path: Path, packed: bool) -> None:
    name, data = ("rows.jsonl.gz", gzip.compress(CONTENT)) if packed else ("rows.jsonl", CONTENT)
    path = put(tmp_path, name, data)
    assert DataFolders(tmp_path).files(one_set) == {"rows": path}


def test_the_variable_names_a_folder_and_the_option_goes_before_it(
    one_set: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "named", "rows.jsonl", CONTENT)
    monkeypatch.setenv("ETHOGRAM_DATA", str(tmp_path / "named"))
    assert DataFolders().files(one_set) == {"rows": path}
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="was not found"):
        DataFolders(tmp_path / "empty").files(one_set)


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_folder_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    folder = tmp_path / "nowhere"
    if by_variable:
        monkeypatch.setenv("ETHOGRAM_DATA", str(folder))
    with pytest.raises(DataError, match="the data folder does not exist") as caught:
        DataFolders(None if by_variable else folder)
    assert str(folder) in str(caught.value)
    assert ("ETHOGRAM_DATA" if by_variable else "--data") in str(caught.value)


def test_missing_data_names_origin_licence_and_both_ways_out(one_set: str) -> None:
    with pytest.raises(DataError) as caught:
        DataFolders().files(one_set)
    line = str(caught.value)
    assert "\n" not in line
    for word in ("https://example.org", "CC0-1.0", "--fetch", "--data", "ETHOGRAM_DATA"):
        assert word in line


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("rows.jsonl", CONTENT + b"\n", "sha256"),
        ("rows.jsonl.gz", gzip.compress(b"", mtime=0), "sha256"),
        ("rows.jsonl.gz", b"no gzip", "cannot be read"),
        ("rows.jsonl.gz", gzip.compress(CONTENT * 99, mtime=0)[:-20], "cannot be read"),
    ],
)
def test_other_content_is_refused(
    one_set: str, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    path = put(tmp_path, name, data)
    with pytest.raises(DataError, match=words) as caught:
        DataFolders(tmp_path).files(one_set)
    assert str(path) in str(caught.value)


def test_a_file_that_unpacks_without_end_is_given_up(
    one_set: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_module, "MOST_BYTES", 1 << 20)
    put(tmp_path, "rows.jsonl.gz", gzip.compress(bytes(1 << 24)))
    with pytest.raises(DataError, match="sha256"):
        DataFolders(tmp_path).files(one_set)


def test_what_is_fetched_is_checked_kept_and_not_fetched_again(
    one_set: str, model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = serve(monkeypatch, SERVED)
    told: list[str] = []
    folders = DataFolders(fetch=True, on_fetch=told.append)
    files = folders.files(one_set)
    assert files == {"rows": model_cache / "data" / "tiny" / "rows.jsonl"}
    assert files["rows"].read_bytes() == CONTENT
    assert folders.files(one_set) == files
    assert asked == [URL]
    assert told == [f"{URL} (licence: CC0-1.0)"]


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (SERVED.replace(b"7", b"8"), "sha256"),
        (b"<html>", "not the one that the registry expects"),
        (b"[1]", "not the one that the registry expects"),
        (b"[" * 100_000, "not the one that the registry expects"),
    ],
)
def test_another_answer_is_not_kept(
    one_set: str, model_cache: Path, monkeypatch: pytest.MonkeyPatch, served: bytes, words: str
) -> None:
    serve(monkeypatch, served)
    with pytest.raises(DataError, match=words):
        DataFolders(fetch=True).files(one_set)
    assert not (model_cache / "data").exists()


def test_only_https_is_asked_and_followed() -> None:
    for url in ("http://example.org/x", "file:///etc/hostname", "ftp://example.org/x"):
        with pytest.raises(DataError, match="not https"):
            data_module.download(url)
    request = urllib.request.Request(URL)
    with pytest.raises(DataError, match="not https"):
        data_module._HttpsOnly().redirect_request(
            request, BytesIO(), 302, "Found", Message(), "http://example.org/"
        )


def test_an_unreachable_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", refuse)
    with pytest.raises(DataError, match="cannot be fetched: no route"):
        data_module.download(URL)


def test_the_releases_become_lines() -> None:
    release = json.dumps(
        [
            {
                "prefix_text": "Once",
                "reference_text": " upon",
                "generated_result": {"0": " a", "1": " b"},
            }
        ]
    ).encode()
    rows = [json.loads(line) for line in released_outputs(release).splitlines()]
    assert [(row["prompt_id"], row["sample"], row["output"]) for row in rows] == [
        ("webtext-0000", 0, " a"),
        ("webtext-0000", 1, " b"),
    ]
    assert json.loads(released_references(release))["output"] == " upon"
    annotation = {
        "instruction": "i",
        "generator_1": "a",
        "generator_2": "b",
        "output_1": "four",
        "output_2": "ü",
        "preference": 1.5,
    }
    assert json.loads(alpaca_eval_judgements(json.dumps([annotation]).encode())) == {
        "prompt": "i",
        "a": "a",
        "b": "b",
        "output_a_chars": 4,
        "output_b_chars": 1,
        "preference": 1.5,
    }


def test_packed_text_reads_as_plain_text_does(tmp_path: Path) -> None:
    text = 'ä,"b\r\nc"\n'
    plain, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    plain.write_bytes(text.encode())
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        with open_text(path) as file:
            assert file.read() == text.replace("\r\n", "\n")
        with open_text(path, newline="") as file:
            assert file.read() == text
