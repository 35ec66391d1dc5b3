"""Files of other tools in studies: imported, compared without one, exported and read again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.formats import samples as made

import ethogram as eg
from ethogram.errors import SpecError
from ethogram.metrics import read_outputs
from ethogram.spec.suite import load_suite
from ethogram.study import Study, diff, export, import_each, import_outputs, import_suite, run

LOOP = "and on " * 20
PROMPTS = ("a", "b", "c", "d", "e", "f")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def ran(tiny_study: Path) -> Study:
    opened = Study(tiny_study)
    run(opened)
    return opened


def promptfoo_file(path: Path, word: str, *, provider: str = "p") -> Path:
    results = [
        made.promptfoo_result(index, f"{index} {word}", provider=provider) for index in range(6)
    ]
    return write(path, json.dumps(made.promptfoo(*results)))


def inspect_file(path: Path, word: str) -> Path:
    texts = [made.inspect_sample(name, f"{name} {word}") for name in PROMPTS]
    return made.inspect_archive(path, *texts)


def lm_eval_file(path: Path, word: str) -> Path:
    return write(path, made.lines(*(made.lm_eval(doc, f"{doc} {word}") for doc in range(6))))


FILES = {
    "promptfoo": (promptfoo_file, ".json"),
    "inspect": (inspect_file, ".eval"),
    "lm-eval": (lm_eval_file, ".jsonl"),
}


@pytest.mark.parametrize("tool", FILES)
def test_two_files_are_compared_without_a_study(tmp_path: Path, tool: str) -> None:
    make, suffix = FILES[tool]
    files = make(tmp_path / f"a{suffix}", LOOP), make(tmp_path / f"b{suffix}", "one two")
    result = eg.compare(*files, metrics=["loop_rate", "words"])
    assert (result.before, result.after) == (files[0].name, files[1].name)
    loops = result.differences[0]
    assert (loops.before, loops.after, result.prompts) == (1, 0, 6)
    assert [change.field for change in result.changes] == ["outputs"]
    json.dumps(result.to_json(), allow_nan=False)
    assert not (tmp_path / ".ethogram").exists()


def test_two_groups_of_one_file_are_compared(tmp_path: Path) -> None:
    results = [
        made.promptfoo_result(index, word, provider=who, prompt=place)
        for place, (who, word) in enumerate((("small", LOOP), ("large", "short")))
        for index in range(6)
    ]
    for result in results[6:]:
        result["prompt"] = {"raw": f"Say something of {result['vars']['city']}", "label": "other"}
    file = write(tmp_path / "r.json", json.dumps(made.promptfoo(*results)))
    found = eg.compare(file, file, metrics=["loop_rate"], select=["small", "large"])
    assert (found.differences[0].before, found.differences[0].after) == (1, 0)
    assert found.before == "r.json: small"
    with pytest.raises(SpecError, match="choose one with --select"):
        eg.compare(file, file)


def test_files_are_checked_without_a_study(tmp_path: Path) -> None:
    rows = [{"id": f"p{index}", "prompt": f"{index}?", "text": "one"} for index in range(400)]
    file = write(tmp_path / "a.jsonl", made.lines(*rows))
    found = eg.check_files([file], ["loop_rate < 0.05", "words >= 1"])
    assert found.contracts[0].outcome == "pass"
    assert found.contracts[0].version == "a.jsonl"
    broken = write(tmp_path / "b.jsonl", made.lines(*({**row, "text": LOOP} for row in rows)))
    assert eg.check_files([broken], ["loop_rate < 0.05"]).failed()
    with pytest.raises(SpecError, match="invalid bound 'loop_rate'"):
        eg.check_files([file], ["loop_rate"])
    with pytest.raises(SpecError, match="two bounds on words"):
        eg.check_files([file], ["words > 1", "words < 9"])
    with pytest.raises(SpecError, match="loop_rate"):
        eg.check_files([file], ["loop_rat < 0.1"])


def test_an_import_needs_no_run_and_no_prompt_that_the_suite_has(
    empty: Path, tmp_path: Path
) -> None:
    with Study(empty) as study:
        known = study.suite("v0.0.1").prompts
    rows = [{"prompt_id": item.id, "output": "An answer."} for item in known]
    file = write(tmp_path / "rows.jsonl", made.lines(*rows))
    with Study(empty) as study:
        path = import_outputs(study, file)
        assert path.name == "v0.3.0.yaml"
    with Study(empty) as study:
        assert study.suite("v0.3.0").prompts == known
        assert [output.prompt for output in study.outputs("v0.3.0")] == [
            item.as_text() for item in known
        ]
        assert run(study, ["v0.3.0"]).made == 0
        fields = [change.field for change in diff(study, "v0.1.0", "v0.3.0").changes]
        assert fields == ["model", "suite", "outputs"]


def test_names_of_imports(empty: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", made.lines({"prompt": "a", "output": "b"}))
    with Study(empty) as study:
        with pytest.raises(SpecError, match=r"gpt4: not a version name; use a name like v0\.3\.0"):
            import_outputs(study, file, "gpt4")
        with pytest.raises(SpecError, match=r"already exists; choose another name, like v0\.3\.0"):
            import_outputs(study, file, "v0.1.0")


def test_each_group_becomes_a_version(empty: Path, tmp_path: Path) -> None:
    results = [
        made.promptfoo_result(0, who, provider=who, prompt=place)
        for place, who in enumerate(("small", "large"))
    ]
    file = write(tmp_path / "r.json", json.dumps(made.promptfoo(*results)))
    with Study(empty) as study:
        names = [path.stem for path in import_each(study, file)]
    assert names == ["v0.3.0", "v0.4.0"]
    with Study(empty) as study:
        assert [study.outputs(name)[0].text for name in names] == ["small", "large"]
        assert "large" in study.versions["v0.4.0"].title


def test_bad_rows_of_an_import(empty: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "r.jsonl", made.lines({"id": "a", "text": "b"}, {"id": "c"}))
    bad: list[SpecError] = []
    with Study(empty) as study:
        with pytest.raises(SpecError, match=r"r\.jsonl:2: no output text"):
            import_outputs(study, file)
        import_outputs(study, file, on_bad=bad.append)
    assert len(bad) == 1


def test_frames(ran: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    table = ran.frame("generations", ["v0.1.0"])
    assert len(table["output"]) == 12
    assert set(table["version"]) == {"v0.1.0"}
    scores = ran.frame("scores", ["v0.1.0"], metrics=["words"])
    assert scores["value"] == [float(len(text.split())) for text in table["output"]]
    found = ran.frame("comparisons", metrics=["words"])
    assert set(found["parent"]) <= set(ran.versions)
    assert len(found["difference"]) == sum(bool(one.parent) for one in ran.versions.values())
    with pytest.raises(SpecError, match="one of generations, scores, comparisons"):
        ran.frame("words")
    assert ran.frame("comparisons", ["v0.0.1"]) == {}


def test_a_frame_is_a_data_frame_where_pandas_is_there(ran: Study) -> None:
    pd = pytest.importorskip("pandas")
    table = ran.frame("scores", metrics=["words", "loop_rate"])
    assert isinstance(table, pd.DataFrame)
    means = table[table.metric == "words"].groupby("version").value.mean()
    assert np.isfinite(means).all()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_exports_come_back(ran: Study, tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    file = tmp_path / f"out{suffix}"
    assert export(ran, file, ["v0.1.0"]) == 12
    for found, wanted in zip(read_outputs(file), ran.outputs("v0.1.0"), strict=True):
        for name in ("text", "prompt_id", "sample_index", "finish_reason", "token_ids", "tags"):
            assert getattr(found, name) == getattr(wanted, name), name
        assert np.allclose(found.logprobs or (), wanted.logprobs or ())
    export(ran, file, metrics=["words"])
    with pytest.raises(SpecError, match="contains outputs of"):
        list(read_outputs(file))
    assert len(list(read_outputs(file, "v0.1.0"))) == 12


def test_export_to_standard_output_with_values(
    ran: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(ran, "-", ["v0.1.0"], metrics=["words"]) == 12
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(row["words"] == len(row["output"].split()) for row in rows)
    with pytest.raises(SpecError, match="measures all samples of a prompt"):
        export(ran, "-", ["v0.1.0"], metrics=["selfcheck_nli"])
    with pytest.raises(SpecError, match="no prompt with the tag 'x'"):
        export(ran, "-", ["v0.1.0"], tag="x")


def test_pairs_by_a_metric(empty: Path, tmp_path: Path) -> None:
    rows = [{"id": "a", "prompt": "Say on.", "text": ["on we go", LOOP]}]
    rows += [{"id": "b", "prompt": "Say off.", "text": ["off we go", "and off"]}]
    with Study(empty) as study:
        import_outputs(study, write(tmp_path / "rows.jsonl", made.lines(*rows)), "v1.0.0")
    file = tmp_path / "pairs.jsonl"
    with Study(empty) as study:
        assert export(study, file, ["v1.0.0"], metrics=["loop_rate"], kind="dpo") == 1
        assert json.loads(file.read_text()) == {
            "prompt": "Say on.",
            "chosen": "on we go",
            "rejected": LOOP,
            "prompt_id": "a",
        }
        assert [one.text for one in read_outputs(file, "rejected")] == [LOOP]
        with pytest.raises(SpecError, match="pairs need one metric"):
            export(study, file, kind="dpo")
        with pytest.raises(SpecError, match="cannot decide which of two outputs is better"):
            export(study, file, ["v1.0.0"], kind="dpo", metrics=["words"])


def test_pairs_of_a_chat_are_conversations(tiny_study: Path, tmp_path: Path) -> None:
    prompts = [{"id": "a", "messages": [{"role": "user", "content": "Say on."}]}]
    write(tiny_study / "suites/prompts.jsonl", made.lines(*prompts))
    rows = [{"id": "a", "text": ["on we go", LOOP]}]
    with Study(tiny_study) as study:
        import_outputs(study, write(tmp_path / "rows.jsonl", made.lines(*rows)), "v5.0.0")
    file = tmp_path / "pairs.jsonl"
    with Study(tiny_study) as study:
        export(study, file, ["v5.0.0"], metrics=["loop_rate"], kind="dpo")
    row = json.loads(file.read_text())
    assert row["prompt"] == prompts[0]["messages"]
    assert row["chosen"] == [{"role": "assistant", "content": "on we go"}]
    assert next(read_outputs(file, "chosen")).prompt == "Say on."


@pytest.mark.parametrize("kind", ["promptfoo", "inspect"])
def test_prompts_for_other_tools_come_back(empty: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "prompts.jsonl"
    with Study(empty) as study:
        assert export(study, file, ["v0.0.1"], kind=kind) == len(study.suite("v0.0.1").prompts)
        path = import_suite(study, file, "again")
        assert load_suite(path) == study.suite("v0.0.1")
        with pytest.raises(SpecError, match="unknown kind 'x'"):
            export(study, file, kind="x")
