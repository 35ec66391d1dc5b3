"""The matrix of a comparison: which rows a filter leaves, and in which order."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import SpecError
from ethogram.study import Study
from ethogram.study.compare import compare
from ethogram.study.matrix import PATTERN_SECONDS, Filters, Matrix
from ethogram.study.remarks import Remark, read_remarks, write_remark

LOOP = "round and round we go " * 20
#: prompt to the outputs of both versions, two samples each.
TEXTS = {
    "same": (["A cat sat.", "A dog ran."], ["A cat sat.", "A dog ran."]),
    "fixed": ([LOOP, LOOP], ["It ends here.", "It ends here."]),
    "broken": (["It is fine.", "It is fine."], [LOOP, "It is fine."]),
    "other": (["One two three.", "Four five."], ["One two three.", "Four five six seven."]),
}
TAGS = {"same": ["a"], "fixed": ["a", "b"], "broken": ["b"], "other": []}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return matrix_of(tmp_path_factory.mktemp("m"), TEXTS)


def matrix_of(folder: Path, texts: Mapping[str, tuple[list[str], list[str]]]) -> Matrix:
    for name in ("versions", "suites"):
        (folder / name).mkdir()
    (folder / "study.yaml").write_text(
        "name: m\nmetrics: [loop_rate, words, empty_rate]\n", encoding="utf-8"
    )
    prompts = [{"id": p, "text": f"Write about {p}", "tags": TAGS.get(p, [])} for p in texts]
    write(folder / "suites/prompts.jsonl", prompts)
    for place, version in enumerate(("v0.0.1", "v0.1.0")):
        rows = [
            {"prompt_id": p, "prompt": f"Write about {p}", "output": text, "sample_index": k}
            for p, sides in texts.items()
            for k, text in enumerate(sides[place])
        ]
        write(folder / f"{version}.jsonl", rows)
        parent = "parent: v0.0.1\n" if place else ""
        (folder / f"versions/{version}.yaml").write_text(
            f"title: t\n{parent}model: m\noutputs: {version}.jsonl\n", encoding="utf-8"
        )
    return Matrix(Study(folder), ["v0.0.1", "v0.1.0"])


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        (Filters(sort="suite"), ["same", "fixed", "broken", "other"]),
        (Filters(mode="different", sort="suite"), ["fixed", "broken", "other"]),
        (Filters(mode="better", metric="loop_rate"), ["fixed"]),
        (Filters(mode="worse", metric="loop_rate"), ["broken"]),
        (Filters(mode="failures", pitfall="loop"), ["fixed", "broken"]),
        (Filters(metric="loop_rate"), ["fixed", "broken", "same", "other"]),
        (Filters(metric="words", sort="value"), ["broken", "other", "same", "fixed"]),
        (Filters(tags=["b"]), ["fixed", "broken"]),
        (Filters(tags=["a", "b"], sort="suite"), ["same", "fixed", "broken"]),
        (Filters(metric="loop_rate", low=0.1), ["broken"]),
        (Filters(metric="loop_rate", high=0.1, sort="suite"), ["same", "fixed", "other"]),
        (Filters(text="SEVEN"), ["other"]),
        (Filters(text="write about sa"), ["same"]),
        (Filters(text="a [cd](at|og) ", pattern=True), ["same"]),
        (Filters(text="a [cd](at|og) "), []),
        (Filters(prompts=["other", "unknown"]), ["other"]),
        (Filters(mode="failures", tags=["a"], metric="loop_rate", pitfall="loop"), ["fixed"]),
    ],
)
def test_filters_leave_these_rows(matrix: Matrix, filters: Filters, rows: list[str]) -> None:
    assert matrix.rows(filters) == rows


@pytest.mark.parametrize("changed", ["Another.", "Other words."])  # The second: scores as before.
def test_one_differing_sample_makes_a_row_different_wherever_it_is(
    tmp_path: Path, changed: str
) -> None:
    same = [f"Text {number}." for number in range(9)]
    texts = {f"at-{at}": (same, [*same[:at], changed, *same[at + 1 :]]) for at in range(len(same))}
    texts |= {"same": (same, same), "more": (same, [*same, changed])}
    texts |= {"order": (same, same[::-1]), "one": (same[:1], same[:1])}
    texts |= {"first-only": (same[:2], []), "second-only": ([], same[:2])}
    found = matrix_of(tmp_path, texts).rows(Filters(mode="different", sort="suite"))
    assert set(found) == {prompt for prompt, (one, two) in texts.items() if one != two}
    assert set(texts) - set(found) == {"same", "one"}


def test_equal_samples_are_one(matrix: Matrix) -> None:
    first, second = matrix.columns
    assert [(s.output.text, s.indices) for s in first.samples("fixed")] == [(LOOP, [0, 1])]
    assert [s.indices for s in second.samples("broken")] == [[0], [1]]
    assert first.pitfalls("fixed")["loop"] == 2
    assert second.pitfalls("broken")["loop"] == 1


def test_evidence_is_in_the_text(matrix: Matrix) -> None:
    column = matrix.columns[1]
    sample = column.samples("broken")[0]
    names = dict(column.evidence(sample.place))
    assert len(names["loop"]) > 5
    assert sample.output.text[names["loop"][0].start :].startswith("round")


def test_differences_are_those_of_compare(matrix: Matrix, tmp_path: Path) -> None:
    found = matrix.columns[1].differences
    study = matrix.study
    assert list(found.values()) == list(compare(study, "v0.0.1", "v0.1.0").differences)
    assert not matrix.columns[0].differences


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        (Filters(metric="loop_rat"), "did you mean 'loop_rate'"),
        (Filters(pitfall="lop"), "did you mean 'loop'"),
        (Filters(text="(", pattern=True), "not a regular expression"),
    ],
)
def test_mistakes_are_one_line(matrix: Matrix, filters: Filters, problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        matrix.rows(filters)


def test_a_regular_expression_that_takes_for_ever_is_stopped(matrix: Matrix) -> None:
    began = time.monotonic()
    with pytest.raises(SpecError, match="takes longer"):
        matrix.rows(Filters(text=r"((\w|\s)+)+\d", pattern=True))
    # The library looks at the clock now and then only.
    assert time.monotonic() - began < 15 * PATTERN_SECONDS


def test_remarks_are_read_back_and_empty_ones_go(tmp_path: Path) -> None:
    assert read_remarks(tmp_path) == {}
    one, two = Remark("v1", "p", star=True), Remark("v1", "q", comment="<b>\u202e")
    write_remark(tmp_path, one)
    write_remark(tmp_path, two)
    assert list(read_remarks(tmp_path).values()) == [one, two]
    write_remark(tmp_path, Remark("v1", "p"))
    assert list(read_remarks(tmp_path).values()) == [two]
    (tmp_path / "remarks.jsonl").write_text('{"unknown": 1}\n', encoding="utf-8")
    with pytest.raises(SpecError, match=r"remarks.jsonl:1: not a remark"):
        read_remarks(tmp_path)
