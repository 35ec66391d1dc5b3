"""Rows without an output: the message names the line and the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.formats import samples as made
from tests.formats.samples import CHAT, write

from ethogram.errors import SpecError
from ethogram.metrics import read_outputs

CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"prompt": "a", "output": None}, ":2: output: null, so there is no output"),
    ({"messages": [CHAT[0], CALL]}, ":2: the answer is a tool call without text"),
    ({"messages": CHAT[:1]}, ":2: the last turn is not the assistant's"),
    ({"messages": [3]}, ":2: its turns must have a role and a text each"),
    (made.batch("q", CALL), ":2: the answer is a tool call without text"),
    (
        made.batch("q", None) | {"response": None, "error": {"message": "expired"}},
        ":2: the request failed: expired",
    ),
    (made.batch("q", None) | {"response": None}, ":2: response: null"),
    (
        {
            "custom_id": "q",
            "response": {"status_code": 429, "body": {"error": {"message": "slow"}}},
        },
        ":2: the request failed: slow",
    ),
    ({"custom_id": "q", "result": {"type": "expired"}}, ":2: the request failed: expired"),
    ({"custom_id": "q", "body": {"messages": CHAT[:1]}}, ":2: a batch's input has no output"),
    (made.promptfoo_result(0, None), ":2: output: null"),
    (made.promptfoo_result(0, None, error="no key"), ":2: the provider failed: no key"),
    (made.promptfoo_result(0, "[output stripped]"), ":2: promptfoo stripped this output"),
    (made.promptfoo(made.promptfoo_result(0, None)), ":2: result 1: output: null"),
    (
        made.inspect_log(made.inspect_sample("x", "", tool_calls=[{}])),
        ":2: sample x: the answer is a tool call",
    ),
    (made.inspect_log() | {"samples": None}, ":2: this log holds no samples"),
    (
        made.inspect_log(
            made.inspect_sample("x", "") | {"output": {"choices": []}, "error": {"message": "boom"}}
        ),
        ":2: sample x: the sample failed: boom",
    ),
    (
        made.lm_eval(0, "a") | {"resps": [[[-1.5, True]], [[-2.5, False]]]},
        ":2: a multiple-choice task has log-likelihoods",
    ),
    (made.lm_eval(0, "a") | {"resps": [[["-1.5", "True"]]]}, ":2: a multiple-choice task"),
    ({"results": {}, "configs": {}, "versions": {}}, ":2: these are means, not outputs; run lm_e"),
    ({"question_id": 1, "choices": [{"turns": [None]}]}, ":2: turn 1: must be a text"),
    ({"vars": {"a": "x", "b": "y"}}, ":2: vars: which of them is the prompt?"),
    ({"input": "x", "target": "y"}, ":2: a data set has no output"),
    ({"prompt": "a", "response": {"x": 1}}, ":2: response: must be a text or a list of texts"),
]


@pytest.mark.parametrize(("row", "message"), BAD)
def test_a_row_without_an_output_is_named(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    file = write(tmp_path / "a.jsonl", made.lines({"id": "fine", "text": "fine"}, row))
    with pytest.raises(SpecError) as caught:
        list(read_outputs(file))
    assert str(caught.value).startswith(f"{file}{message}")
    assert "\n" not in str(caught.value)


def test_bad_rows_can_be_left_out_and_are_reported(tmp_path: Path) -> None:
    text = made.lines({"text": "a"}, {"text": None}, {"text": "b"}, {"output": 3})
    bad: list[str] = []
    found = read_outputs(
        write(tmp_path / "a.jsonl", text), on_bad=lambda error: bad.append(str(error))
    )
    assert [output.text for output in found] == ["a", "b"]
    assert [line.split(": ")[0].rsplit(":")[-1] for line in bad] == ["2", "4"]
