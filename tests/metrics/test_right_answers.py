"""Right answers, empty outputs, loops without spaces, and metrics that were removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ethogram.errors import SpecError
from ethogram.metrics import DEFAULT_METRICS, Output, get, read_outputs, score_outputs
from ethogram.spec.suite import SuitePrompt

NAMES = ("exact_match", "token_f1", "contains_reference")


@pytest.mark.parametrize(
    ("text", "reference", "values"),
    [
        ("A", "A", (1, 1, 1)),
        ("The", "A", (0, 0, 0)),
        ("", "A", (0, 0, 0)),
        ("A.", "A", (1, 1, 1)),
        ("B", "A", (0, 0, 0)),
        ("?", "?", (1, 1, 1)),
        ("!", "?", (0, 0, 0)),
        ("The Seine", "a Seine", (1, 1, 1)),
        ("Paris", "", (0, 0, None)),
        ("", "", (1, 1, None)),
    ],
)
def test_words_stay_where_nothing_else_is_left(
    text: str, reference: str, values: tuple[float | None, ...]
) -> None:
    output = Output(text, reference=reference)
    assert tuple(get(name).measure(output).value for name in NAMES) == values


def test_the_best_of_several_right_answers_counts() -> None:
    output = Output("It is four", reference="4", other_references=("four", "it is four"))
    assert [get(name).measure(output).value for name in NAMES] == [1, 1, 1]
    first = Output("It is four", reference="4")
    assert [get(name).measure(first).value for name in NAMES] == [0, 0, 0]


@pytest.mark.parametrize(
    ("given", "references"),
    [
        (None, ()),
        ("four", ("four",)),
        (4, ("4",)),
        (["four", 4], ("four", "4")),
        ([], ()),
    ],
)
def test_a_suite_gives_one_right_answer_or_a_list(
    given: object, references: tuple[str, ...]
) -> None:
    prompt = SuitePrompt.model_validate({"id": "p", "text": "2 + 2?", "reference": given})
    assert prompt.references == references


@pytest.mark.parametrize(
    ("given", "references"),
    [("four", ("four",)), (4, ("4",)), (["four", 4], ("four", "4")), ([], ()), (None, ())],
)
def test_a_file_of_outputs_gives_one_right_answer_or_a_list(
    tmp_path: Path, given: object, references: tuple[str, ...]
) -> None:
    file = tmp_path / "outputs.jsonl"
    file.write_text(json.dumps({"output": "It is four.", "reference": given}))
    (output,) = read_outputs(file)
    assert output.references == references


def test_other_kinds_of_right_answer_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "outputs.jsonl"
    file.write_text(json.dumps({"output": "It is four.", "reference": {"a": 1}}))
    with pytest.raises(SpecError, match="reference: must be a text, a number or a list of them"):
        list(read_outputs(file))


def test_empty_outputs_have_a_row_of_their_own() -> None:
    outputs = [Output("", reference="4", finish_reason="eos"), Output("4", reference="4")]
    table = score_outputs(outputs)
    assert [row.metric.name for row in table.rows] == list(DEFAULT_METRICS)
    assert table["empty_rate"].value == 0.5
    # A right answer that is missing is wrong; all else is about outputs that say something.
    assert table["contains_reference"].value == 0.5
    assert table["words"].value == 1
    applies = {row.metric.name: row.applies_to for row in table.rows}
    assert (applies["empty_rate"], applies["contains_reference"]) == (2, 2)
    assert max(n for name, n in applies.items() if name not in ("empty_rate", *NAMES)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "因为今天天气很好。" * 30,
        "ありがとうございます" * 30,
        "สวัสดีครับ" * 30,
        "ha" * 200,
        "😀😁" * 50,
    ],
)
def test_loops_in_text_without_spaces(text: str) -> None:
    for name in ("loop_rate", "loop_rate_exact", "pitfall_loop"):
        score = get(name).measure(Output(text))
        assert score.value == 1
        assert score.spans
        assert score.spans[-1].end == len(text)
    assert get("escaped_loops").measure(Output(text)).value is None


def test_loop_rate_is_what_the_pitfall_finds() -> None:
    rows = [
        "A: 1.5\nB: 1.8\nC: 2.2\nD: 3.1\nE: 4.0\nF: 2.0",
        "All is well here today.",
        "",
        "x " * 9,
    ]
    table = score_outputs(map(Output, rows), ["loop_rate", "pitfall_loop", "loop_rate_exact"])
    found = [(row.value, row.applies_to) for row in table.rows]
    assert found[0] == found[1]
    assert found[0] == pytest.approx((2 / 3, 3))
    assert found[2] == (0.25, 4)


@pytest.mark.parametrize(
    ("name", "instead"),
    [("pitfall_ramble", "post_answer_words"), ("turn_leakage", "pitfall_turn_leakage")],
)
def test_a_removed_metric_names_what_replaces_it(name: str, instead: str) -> None:
    with pytest.raises(SpecError, match=f"'{name}': this metric was removed; use {instead}"):
        get(name)


def test_a_constraint_that_no_check_fits_is_not_followed_and_named(tmp_path: Path) -> None:
    rows = [
        {
            "output": "Schedule one.",
            "instruction_id_list": ["length_constraints:nth_paragraph_first_word"],
            "kwargs": [{"keyword": "schedule", "num_paragraphs": 3}],
        },
        {"output": "Fine", "instruction_id_list": ["ratio:overlap"], "kwargs": [{"percentage": 9}]},
        {"output": "ok then", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    ]
    file = tmp_path / "ifeval.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    outputs = list(read_outputs(file))
    for name in ("ifeval_prompt_strict", "ifeval_instruction_loose"):
        scores = [get(name).measure(output) for output in outputs]
        assert [score.value for score in scores] == [0, 0, 1]
        labels = [span.label for score in scores for span in score.spans]
        assert labels[0].startswith("cannot be checked: length_constraints:nth_paragraph_first_wor")
        assert labels[1].startswith("cannot be checked: unknown instruction 'ratio:overlap'")
    assert get("pitfall_format_break").measure(outputs[0]).value is None
