"""Prompts and right answers of other tools' files: as suites, through imports and exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.formats import samples as made

import ethogram as eg
from ethogram.errors import SpecError
from ethogram.metrics import read_outputs
from ethogram.spec.suite import load_suite
from ethogram.study import Study, export, import_outputs, import_suite

LOOP = "and on " * 20


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


ANY = [{"type": "contains-any", "value": ["Oslo", "Christiania"]}]
SUITES: list[tuple[Any, dict[str, Any]]] = [
    (made.lm_eval(3, "6"), {"id": "3", "text": "Q: 3 and 3?\nA:", "reference": "6"}),
    (
        made.inspect_sample("pole", "Up."),
        {
            "id": "pole",
            "messages": [{"role": "user", "content": "Where is pole?"}],
            "reference": ["north", "up"],
        },
    ),
    (
        {"custom_id": "q", "body": {"messages": [{"role": "user", "content": "Hi"}]}},
        {"id": "q", "messages": [{"role": "user", "content": "Hi"}]},
    ),
    (
        {"id": "c", "conversations": [{"from": "human", "value": "Hi"}]},
        {"id": "c", "messages": [{"role": "user", "content": "Hi"}]},
    ),
    (
        {"question_id": 81, "category": "writing", "turns": ["Write.", "Again."]},
        {"id": "81/1", "text": "Write.", "tags": ["writing"]},
    ),
    (
        {
            "prompt": "No commas.",
            "id": 1,
            "response": "x",
            "instruction_id_list": ["punctuation:no_comma"],
            "kwargs": [{}],
        },
        {
            "id": "1",
            "text": "No commas.",
            "constraints": [{"type": "punctuation:no_comma", "kwargs": {}}],
        },
    ),
]


@pytest.mark.parametrize(("row", "wanted"), SUITES)
def test_suites_of_other_files(
    empty: Path, tmp_path: Path, row: Any, wanted: dict[str, Any]
) -> None:
    file = write(tmp_path / "rows.jsonl", made.lines(row))
    with Study(empty) as study:
        path = import_suite(study, file, "theirs")
        with pytest.raises(SpecError, match="already exists"):
            import_suite(study, file, "theirs")
        with pytest.raises(SpecError, match="not a suite name"):
            import_suite(study, file, "../x")
    assert [json.loads(line) for line in path.read_text().splitlines()] == [wanted]
    assert len(load_suite(path)) == 1


QUESTION = {
    "question_id": 81,
    "category": "math",
    "turns": ["2 and 2?", "And 3?", "And 4?"],
    "reference": ["4", "7", "11"],
}


def test_later_turns_of_mt_bench_need_the_replies(
    empty: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    questions = write(tmp_path / "question.jsonl", made.lines(QUESTION, QUESTION))
    with Study(empty) as study:
        path = import_suite(study, questions, "first")
    assert [item.id for item in load_suite(path).prompts] == ["81/1"]
    assert caplog.messages == [
        f"{questions}: 4 prompts left out: a later turn needs the reply to the turn before it, "
        "which the file does not have"
    ]
    replies = {"choices": [{"index": 0, "turns": ["It is 4.", "7", None]}], "model_id": "m"}
    answers = write(tmp_path / "answers.jsonl", made.lines(QUESTION | replies))
    with Study(empty) as study:
        path = import_suite(study, answers, "all")
    suite = load_suite(path).prompts
    assert [(item.id, item.reference, item.tags) for item in suite] == [
        ("81/1", "4", ("math",)),
        ("81/2", "7", ("math",)),
        ("81/3", "11", ("math",)),
    ]
    assert suite[0].text == "2 and 2?"
    turns = [(turn.role, turn.content) for turn in suite[2].messages or ()]
    assert turns == [
        ("user", "2 and 2?"),
        ("assistant", "It is 4."),
        ("user", "And 3?"),
        ("assistant", "7"),
        ("user", "And 4?"),
    ]


def test_two_models_on_both_turns_of_mt_bench_are_compared(tmp_path: Path) -> None:
    files = [
        write(
            tmp_path / f"{name}.jsonl",
            made.lines(
                *(QUESTION | {"question_id": n, "choices": [{"turns": texts}]} for n in (1, 2))
            ),
        )
        for name, texts in (("a", ["4", LOOP]), ("b", ["It is 4.", "7"]))
    ]
    found = eg.compare(*files, metrics=["loop_rate"])
    assert (found.prompts, found["loop_rate"].before, found["loop_rate"].after) == (4, 0.5, 0)


SEVERAL = [
    (made.inspect_sample("pole", "x"), ["north", "up"]),
    (made.lm_eval(2, "x", target=["4", "four", 4.5]), ["4", "four", "4.5"]),
    (
        {"prompt": {"raw": "a"}, "response": {"output": "x"}, "testCase": {"assert": ANY}},
        ["Oslo", "Christiania"],
    ),
    ({"prompt": "a", "output": "x", "reference": ["b", "c"]}, ["b", "c"]),
]


@pytest.mark.parametrize(("row", "wanted"), SEVERAL)
def test_all_right_answers_of_a_row_come_in(
    empty: Path, tmp_path: Path, row: Any, wanted: list[str]
) -> None:
    file = write(tmp_path / "rows.jsonl", made.lines(row))
    (output,) = read_outputs(file)
    assert list(output.references) == wanted
    with Study(empty) as study:
        import_outputs(study, file, "v1.0.0")
    with Study(empty) as study:
        assert list(study.outputs("v1.0.0")[0].references) == wanted
        for name in ("out.jsonl", "out.csv", "out.parquet"):
            if name == "out.parquet":
                pytest.importorskip("pyarrow")
            export(study, tmp_path / name, ["v1.0.0"])
            assert list(next(read_outputs(tmp_path / name)).references) == wanted
        for kind in ("promptfoo", "inspect"):
            export(study, tmp_path / "tests.jsonl", ["v1.0.0"], kind=kind)
            path = import_suite(study, tmp_path / "tests.jsonl", kind)
            assert list(load_suite(path).prompts[0].references) == wanted


def test_a_right_answer_that_looks_like_a_list_stays_a_text(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'text,reference\nx,"[1, 2]"\n')
    assert next(read_outputs(file)).references == ("[1, 2]",)


def test_a_prompt_that_a_suite_cannot_have_is_named(empty: Path, tmp_path: Path) -> None:
    for row, message in (
        ({"prompt": [{"role": "narrator", "content": "12"}]}, r"rows\.jsonl:1: messages\.0\.role"),
        ({"output": "x"}, r"rows\.jsonl:1: no prompt"),
        ({"prompt": "x", "tags": [3]}, r"rows\.jsonl:1: tags\.0"),
    ):
        file = write(tmp_path / "rows.jsonl", made.lines(row))
        with Study(empty) as study, pytest.raises(SpecError, match=message):
            import_suite(study, file, "theirs")
