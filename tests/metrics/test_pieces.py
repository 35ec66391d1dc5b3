"""Files measured in pieces: the table of one process, whatever the pieces, and errors at lines."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ethogram.cluster import Placement
from ethogram.errors import SpecError
from ethogram.metrics import pieces, score
from ethogram.metrics.pieces import files_of, pieces_of

WORDS = (
    "the",
    "old",
    "keeper",
    "wrote",
    "a",
    "letter",
    "to",
    "the",
    "sea",
    "again",
    "and",
    "again",
)


def rows(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Outputs of several kinds: with and without an id, with and without a sample index."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        row: dict[str, Any] = {
            "text": " ".join(draw.choices(WORDS, k=draw.randint(0, 40))) + "." * (number % 2)
        }
        if number % 3:
            row["prompt_id"] = f"p{number % 7}"
        if number % 5 == 0:
            row["sample_index"] = number % 4
        made.append(row)
    return made


def write(path: Path, made: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces measured in this process, in place of a cluster."""

    def in_order(
        cluster: Any, function: Callable[[Any], Any], arguments: Iterable[Any]
    ) -> Iterator[Any]:
        for argument in arguments:
            yield argument, function(argument)

    class Connected:
        def __init__(self, placement: Placement) -> None: ...

        def __enter__(self) -> None: ...

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(pieces, "in_order", in_order)
    monkeypatch.setattr(sys.modules["ethogram.metrics.score"], "connected", Connected)


def same(first: Any, second: Any) -> None:
    assert json.dumps(first.to_json()) == json.dumps(second.to_json())


@pytest.mark.parametrize("size", [1, 100, 1000, 10**9])
@pytest.mark.parametrize("metrics", [None, "all", ["loop_rate", "self_bleu_4"]])
def test_the_table_does_not_depend_on_the_pieces(
    size: int,
    metrics: Any,
    tmp_path: Path,
    here: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = write(tmp_path / "outputs.jsonl", rows(90))
    monkeypatch.setattr(pieces, "RANGE_BYTES", size)
    assert len(pieces_of(file)) == {1: 90, 10**9: 1}.get(size, len(pieces_of(file)))
    same(score(file, metrics, on="ray"), score(file, metrics))


def test_parquet_goes_by_row_groups(
    tmp_path: Path, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "outputs.parquet"
    made = [{"text": row["text"], "prompt_id": row.get("prompt_id")} for row in rows(50)]
    parquet.write_table(arrow.Table.from_pylist(made), file, row_group_size=10)
    monkeypatch.setattr(pieces, "GROUP_ROWS", 20)
    assert [(piece.start, piece.end) for piece in pieces_of(file)] == [(0, 2), (2, 4), (4, 5)]
    same(score(file, on="ray"), score(file))


def test_a_folder_is_one_stream_of_its_files(tmp_path: Path, here: None) -> None:
    made = [{**row, "prompt_id": f"p{i % 9}"} for i, row in enumerate(rows(40))]
    folder = tmp_path / "outputs"
    folder.mkdir()
    write(folder / "a.jsonl", made[:15])
    write(folder / "b.jsonl", made[15:])
    same(score(folder, on="ray"), score(write(tmp_path / "all.jsonl", made)))


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (40, '{"text": 3}', "text: must be a text or a list of texts"),
        (61, "{broken", "not valid JSON"),
        (90, '{"prompt": "a"}', "no output text"),
    ],
)
def test_a_wrong_line_is_named_by_its_number_in_the_file(
    line: int,
    text: str,
    message: str,
    tmp_path: Path,
    here: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pieces, "RANGE_BYTES", 700)
    lines = [json.dumps(row) for row in rows(90)]
    lines[line - 1] = text
    file = tmp_path / "outputs.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(SpecError) as alone:
        score(file)
    with pytest.raises(SpecError) as caught:
        score(file, on="ray")
    assert f"outputs.jsonl:{line}: " in str(caught.value)
    assert message in str(caught.value)
    assert str(caught.value) == str(alone.value).replace(str(file), str(file.resolve()))


def test_what_is_missing_is_said_before_a_cluster_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        score(tmp_path / "none.jsonl", on="ray")
    with pytest.raises(SpecError, match=r"no file that ends in \.jsonl or \.parquet"):
        files_of(tmp_path)


@pytest.mark.long
def test_workers_read_and_measure_the_pieces(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    file = write(tmp_path / "outputs.jsonl", rows(300))
    on = Placement(None, workers=2, threads=1)
    same(score(file, on=on), score(file))
