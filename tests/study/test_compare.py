"""Comparisons, imports and exports: numbers against plain arithmetic, files there and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ethogram.errors import MissingExtraError, SpecError, WriteError
from ethogram.metrics import read_outputs
from ethogram.study import Study, compare, export, import_outputs, init, run, show


@pytest.fixture
def study(tiny_study: Path) -> Study:
    opened = Study(tiny_study)
    run(opened)
    return opened


def test_differences_are_those_of_the_outputs(study: Study) -> None:
    result = compare(study, "v0.0.1", "v0.1.0", metrics=["words", "loop_rate"], samples=2)
    words = result.differences[0]

    def mean_words(version: str) -> float:
        by_prompt: dict[str, list[int]] = {}
        for generation in study.generations(version):
            by_prompt.setdefault(generation.prompt_id, []).append(len(generation.text.split()))
        return float(np.mean([np.mean(counts) for counts in by_prompt.values()]))

    assert words.before == pytest.approx(mean_words("v0.0.1"))
    assert words.after == pytest.approx(mean_words("v0.1.0"))
    assert words.low <= words.estimate <= words.high
    assert result.prompts == 6
    assert len(result.samples) == 2
    assert [change.field for change in result.changes] == [
        "decoding.strategy",
        "decoding.top_p",
    ]
    again = compare(study, "v0.0.1", "v0.1.0", metrics=["words", "loop_rate"], samples=2)
    assert again.to_json() == result.to_json()
    json.dumps(result.to_json(), allow_nan=False)


def test_a_version_does_not_differ_from_itself(study: Study) -> None:
    for item in compare(study, "v0.1.0", "v0.1.0").differences:
        if not np.isnan(item.estimate):
            assert (item.estimate, item.low, item.high) == (0, 0, 0)
            assert item.verdict == "no clear change"


def test_reversing_a_comparison_reverses_it(study: Study) -> None:
    there = compare(study, "v0.0.1", "v0.1.0", metrics=["words"]).differences[0]
    back = compare(study, "v0.1.0", "v0.0.1", metrics=["words"]).differences[0]
    assert back.estimate == pytest.approx(-there.estimate)
    assert [back.low, back.high] == pytest.approx([-there.high, -there.low])


def test_an_unknown_format_is_an_error_before_anything_is_read(tiny_study: Path) -> None:
    with Study(tiny_study) as fresh, pytest.raises(SpecError, match="unknown format"):
        export(fresh, Path("out.xls"))


def test_comparing_what_was_not_run_says_so(tiny_study: Path) -> None:
    with Study(tiny_study) as fresh, pytest.raises(SpecError, match=r"ethogram run v0\.0\.1"):
        compare(fresh, "v0.0.1", "v0.1.0")


def test_an_unknown_metric_names_the_nearest(study: Study) -> None:
    with pytest.raises(SpecError, match="loop_rate"):
        compare(study, "v0.0.1", "v0.1.0", metrics=["loop_rat"])


def test_export_and_import_keep_texts(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    assert export(study, file, ["v0.1.0"]) == 12
    other = init(tmp_path / "other")
    with Study(other) as target:
        import_outputs(target, file, "v3.0.0", title="From <elsewhere>")
    with Study(other) as target:
        result = run(target, ["v3.0.0"])
        assert result.made == 12
        assert run(target, ["v3.0.0"]).made == 0
        texts = [generation.text for generation in target.generations("v3.0.0")]
    assert texts == [generation.text for generation in study.generations("v0.1.0")]
    with Study(other) as target, pytest.raises(SpecError, match="already exists"):
        import_outputs(target, file, "v3.0.0")
    with Study(other) as target, pytest.raises(SpecError, match="not a version name"):
        import_outputs(target, file, "../../evil")


def test_an_export_scores_as_the_study_does(tiny_study: Path, tmp_path: Path) -> None:
    suite = [
        {"id": "p0", "text": "the old keeper said", "reference": "a", "tags": ["sea", "story"]},
        {
            "id": "p1",
            "text": "the keeper asked",
            "constraints": [
                {"type": "punctuation:no_comma"},
                {"type": "detectable_format:number_bullet_lists", "kwargs": {"num_bullets": 2}},
            ],
        },
    ]
    lines = "".join(json.dumps(row) + "\n" for row in suite)
    (tiny_study / "suites/prompts.jsonl").write_text(lines)
    files = tmp_path / "out.jsonl", tmp_path / "out.parquet"
    with Study(tiny_study) as study:
        run(study, ["v0.0.1"])
        for file in files:
            export(study, file, ["v0.0.1"])
        outputs = study.outputs("v0.0.1")
        import_outputs(study, files[0], "v3.0.0")
    read = list(read_outputs(files[0]))
    for kept in ("reference", "tags", "constraints", "text", "prompt_id"):
        assert [getattr(one, kept) for one in read] == [getattr(one, kept) for one in outputs]
    assert len(read[1].constraints) == 2
    assert read[0].tags == ("sea", "story")
    imported = (tiny_study / "suites/v3.0.0.jsonl").read_text().splitlines()
    assert json.loads(imported[1])["constraints"][1] == suite[1]["constraints"][1]  # type: ignore[index]
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(files[1]).to_pylist()
    assert [row["tags"] for row in rows] == [list(one.tags) for one in outputs]
    demands = [json.loads(row["constraints"] or "[]") for row in rows]
    assert demands == [[each.model_dump() for each in one.constraints] for one in outputs]


def test_parquet_holds_the_same_rows(study: Study, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    export(study, tmp_path / "out.parquet")
    export(study, tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    table = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["token_ids"] for row in table] == [row["token_ids"] for row in lines]
    assert len(table) == 30


def test_export_mistakes(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    with pytest.raises(SpecError, match=r"\.jsonl, \.csv or \.parquet"):
        export(study, tmp_path / "out.xls")
    with pytest.raises(WriteError, match="cannot be written"):
        export(study, Path("/proc/nowhere/out.jsonl"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"\[parquet\]"):
        export(study, tmp_path / "out.parquet")


def test_a_shown_version_breaks_no_value(tiny_study: Path) -> None:
    long = ", ".join(f"phrase number {i}" for i in range(30))
    (tiny_study / "versions/v0.2.0.yaml").write_text(
        f"title: {long}\nparent: v0.1.0\ndecoding: {{temperature: 0.71234567, top_p: 0.95}}\n"
    )
    with Study(tiny_study) as study:
        lines = show(study, "v0.2.0").to_text().splitlines()
    assert f"title: {long}" in lines
    assert len(lines) == 4


def test_init_twice_keeps_the_first(tmp_path: Path) -> None:
    folder = init(tmp_path / "mine")
    with Study(folder) as study:
        assert list(study.versions) == ["v0.0.1", "v0.1.0", "v0.2.0"]
        assert len(study.suite("v0.0.1")) == 24
    with pytest.raises(SpecError, match="study already exists here"):
        init(folder)


def test_importing_a_file_with_two_prompts_under_one_id(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(
        '{"prompt_id": "a", "prompt": "x", "output": "1"}\n'
        '{"prompt_id": "a", "prompt": "y", "output": "2"}\n'
    )
    with pytest.raises(SpecError, match="two different prompts"):
        import_outputs(study, file, "v9.0.0")
    file.write_text('{"prompt_id": "a", "prompt": "x", "sample": 12345678, "output": "1"}\n')
    with pytest.raises(SpecError, match="number the outputs of a prompt from 0"):
        import_outputs(study, file, "v9.0.0")
    file.write_text("")
    with pytest.raises(SpecError, match="no outputs"):
        import_outputs(study, file, "v9.0.0")
