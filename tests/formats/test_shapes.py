"""Files of other tools: a row of each shape, and the output that it gives."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.formats import samples as made
from tests.formats.samples import CHAT, write

from ethogram.errors import SpecError
from ethogram.formats import SHAPES, groups, recognise
from ethogram.metrics import Output, read_outputs

#: Name of the shape, a row of it, and the output that it gives.
ROWS: list[tuple[str, dict[str, Any], Output]] = [
    (
        "promptfoo lines",
        made.promptfoo_result(0, "A city."),
        Output("A city.", "Describe Rome.", finish_reason="length", reference="city"),
    ),
    (
        "promptfoo",
        made.promptfoo(made.promptfoo_result(0, {"a": 1})),
        Output('{"a": 1}', "Describe Rome.", finish_reason="length", reference="city"),
    ),
    (
        "inspect",
        made.inspect_log(made.inspect_sample("pole", "Up.", epoch=3, stop="max_tokens")),
        Output(
            "Up.",
            "Where is pole?",
            finish_reason="length",
            reference="north",
            prompt_id="pole",
            sample_index=2,
        ),
    ),
    (
        "inspect sample",
        made.inspect_sample(
            "pole", [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "Up."}]
        ),
        Output("Up.", "Where is pole?", finish_reason="stop", reference="north", prompt_id="pole"),
    ),
    (
        "lm-eval",
        made.lm_eval(2, "4"),
        Output("4", "Q: 2 and 2?\nA:", reference="4", prompt_id="2"),
    ),
    (
        "lm-eval results",
        {
            "results": {"t": {}},
            "configs": {},
            "versions": {},
            "samples": {"t": [made.lm_eval(2, "4")]},
        },
        Output("4", "Q: 2 and 2?\nA:", reference="4", prompt_id="2"),
    ),
    (
        "mt-bench",
        {"question_id": 81, "model_id": "m", "choices": [{"index": 0, "turns": ["Aloha."]}]},
        Output("Aloha.", prompt_id="81/1"),
    ),
    (
        "batch",
        made.batch("q1", {"role": "assistant", "content": "Hello."}),
        Output("Hello.", prompt_id="q1", finish_reason="stop"),
    ),
    (
        "batch",
        {
            "custom_id": "q2",
            "result": {
                "type": "succeeded",
                "message": {
                    "type": "message",
                    "content": [{"type": "text", "text": "Hi."}],
                    "stop_reason": "end_turn",
                },
            },
        },
        Output("Hi.", prompt_id="q2", finish_reason="eos"),
    ),
    (
        "conversation",
        {
            "id": "c",
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}],
        },
        Output("Yo", "Hi", prompt_id="c"),
    ),
    ("conversation", {"id": 3, "messages": CHAT}, Output("Yo", "Hi", prompt_id="3")),
    (
        "response",
        {
            "candidates": [
                {
                    "content": {"role": "model", "parts": [{"text": "Oak."}]},
                    "finishReason": "MAX_TOKENS",
                }
            ]
        },
        Output("Oak.", finish_reason="length"),
    ),
    (
        "response",
        {
            "object": "response",
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "Oak"}]}],
        },
        Output("Oak", finish_reason="length"),
    ),
    (
        "alpaca",
        {"instruction": "Name a colour.", "output": "Teal.", "generator": "m"},
        Output("Teal.", "Name a colour."),
    ),
    ("rows", {"prompt": "No commas.", "response": "None."}, Output("None.", "No commas.")),
    (
        "rows",
        {
            "prompt": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "See"},
                        {"type": "image_url", "image_url": {}},
                    ],
                },
                {"role": "assistant", "content": None, "tool_calls": []},
                {"role": "tool", "content": "12 C"},
            ],
            "output": "It is 12 C.",
        },
        Output("It is 12 C.", "See[image]\n12 C"),
    ),
]


def same(found: Output, wanted: Output) -> None:
    for name in ("text", "prompt", "finish_reason", "reference", "sample_index"):
        assert getattr(found, name) == getattr(wanted, name), name
    if wanted.prompt_id:
        assert found.prompt_id == wanted.prompt_id


@pytest.mark.parametrize(("name", "row", "wanted"), ROWS, ids=[name for name, *_ in ROWS])
def test_each_shape(tmp_path: Path, name: str, row: dict[str, Any], wanted: Output) -> None:
    assert recognise(row).name == name
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(json.dumps(row).encode()))
    for file in (
        write(tmp_path / "a.jsonl", made.lines(row)),
        write(tmp_path / "a.json", json.dumps(row, indent=2)),
        write(tmp_path / "array.json", json.dumps([row], indent=1)),
        write(tmp_path / "line.json", json.dumps([row])),
        packed,
    ):
        (found,) = read_outputs(file)
        same(found, wanted)


def test_every_shape_of_outputs_has_a_sample() -> None:
    without = {"promptfoo tests", "inspect data set", "mt-bench questions", "pairs", "export"}
    assert {name for name, *_ in ROWS} | without == {shape.name for shape in SHAPES}
    assert all(shape.title for shape in SHAPES)


def test_an_inspect_archive_is_read_in_the_order_of_its_samples(tmp_path: Path) -> None:
    texts = [(f"s{number}", f"text {number}") for number in (10, 9, 2)]
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        file = made.inspect_archive(
            tmp_path / "log.eval",
            *(made.inspect_sample(name, text) for name, text in texts),
            method=method,
        )
        found = list(read_outputs(file))
        assert [output.text for output in found] == ["text 2", "text 9", "text 10"]
        assert groups(file) == ["mock/model"]


def test_an_inspect_attachment_is_put_back(tmp_path: Path) -> None:
    sample = made.inspect_sample("pole", "attachment://abc")
    sample["attachments"] = {"abc": "A long answer."}
    (found,) = read_outputs(write(tmp_path / "a.json", json.dumps(made.inspect_log(sample))))
    assert found.text == "A long answer."


def test_repeats_of_a_promptfoo_test_are_samples(tmp_path: Path) -> None:
    results = [made.promptfoo_result(0, "one"), made.promptfoo_result(0, "two", testIdx=1)]
    file = write(tmp_path / "r.json", json.dumps(made.promptfoo(*results)))
    assert [output.sample_index for output in read_outputs(file)] == [0, 1]
    assert len({output.prompt_id for output in read_outputs(file)}) == 1


def test_groups_of_promptfoo_version_2_and_of_lm_eval(tmp_path: Path) -> None:
    results = [made.promptfoo_result(index, "x") for index in range(2)]
    for result, name in zip(results, ("Say", "Tell"), strict=True):
        del result["promptIdx"]
        result |= {"promptId": name, "prompt": {"raw": f"{name} Rome", "label": name}}
    file = write(tmp_path / "r.json", json.dumps(made.promptfoo(*results)))
    assert groups(file) == ["openai:small | Say", "openai:small | Tell"]
    tasks = {"one": [made.lm_eval(1, "a")], "two": [made.lm_eval(1, "b")]}
    api = {"results": {}, "configs": {}, "n-shot": {}, "samples": tasks}
    file = write(tmp_path / "api.json", json.dumps(api))
    assert [next(read_outputs(file, task)).text for task in tasks] == ["a", "b"]


def test_the_id_that_a_promptfoo_test_states_is_kept(tmp_path: Path) -> None:
    results = [made.promptfoo_result(index, str(index)) for index in range(3)]
    for result, name in zip(results, ("a", "a", "b"), strict=True):
        result["testCase"]["metadata"] = {"id": name}
    file = write(tmp_path / "r.jsonl", made.lines(*results))
    ids = [output.prompt_id for output in read_outputs(file)]
    assert ids[0] == "a"
    assert ids[1].startswith("oslo-")  # Another test with the same id is no sample of it.
    assert ids[2] == "b"


def test_lm_eval_reads_the_responses_of_a_second_filter_once(tmp_path: Path) -> None:
    text = made.lines(
        made.lm_eval(0, "a", "b", name="strict"),
        made.lm_eval(0, "a", "b", name="loose"),
        made.lm_eval(1, "c", name="strict"),
    )
    found = [
        (o.prompt_id, o.sample_index, o.text)
        for o in read_outputs(write(tmp_path / "s.jsonl", text))
    ]
    assert found == [("0", 0, "a"), ("0", 1, "b"), ("1", 0, "c")]


def test_several_groups_are_listed_and_one_is_selected(tmp_path: Path) -> None:
    results = [
        made.promptfoo_result(index, f"{who} {index}", provider=who, prompt=place)
        for place, who in enumerate(("openai:small", "local:large"))
        for index in range(2)
    ]
    file = write(tmp_path / "r.json", json.dumps(made.promptfoo(*results)))
    names = ["openai:small | Describe {{city}}.", "local:large | Describe {{city}}."]
    assert groups(file) == names
    with pytest.raises(
        SpecError, match=r"contains outputs of 2 sources: .*openai:small.*; choose one with"
    ):
        list(read_outputs(file))
    for select in (names[1], "LARGE"):
        texts = [output.text for output in read_outputs(file, select)]
        assert texts == ["local:large 0", "local:large 1"]
    with pytest.raises(SpecError, match="names 2 of its groups"):
        list(read_outputs(file, "city"))
    with pytest.raises(SpecError, match="no outputs of 'gpt-9'"):
        list(read_outputs(file, "gpt-9"))
    plain = write(tmp_path / "p.jsonl", made.lines({"text": "a"}))
    with pytest.raises(SpecError, match="does not name the models of its outputs"):
        list(read_outputs(plain, "gpt-9"))


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("MAX_TOKENS", "length"),
        ("FinishReason.MAX_TOKENS", "length"),
        ("max_output_tokens", "length"),
        ("limit", "length"),
        ("incomplete", "length"),
        ("token_limit", "length"),
        ("model_length", "length"),
        ("end_turn", "eos"),
        ("stop_sequence", "stop"),
        ("STOP", "stop"),
        ("tool_calls", "stop"),
        ("content_filter", "unknown"),
        ("SAFETY", "unknown"),
    ],
)
@pytest.mark.parametrize("field", ["finish_reason", "stop_reason", "finishReason", "done_reason"])
def test_ends_in_every_vendors_words(tmp_path: Path, field: str, word: str, end: str) -> None:
    (found,) = read_outputs(write(tmp_path / "a.jsonl", made.lines({"text": "x", field: word})))
    assert found.finish_reason == end


@pytest.mark.parametrize(
    ("logprobs", "wanted"),
    [
        ({"content": [{"token": "Oak", "logprob": -0.1}]}, (-0.1,)),
        ({"tokens": ["O", "ak"], "token_logprobs": [None, -0.2]}, (-0.2,)),
        ([{"token": "Oak", "logprob": -0.3}], (-0.3,)),
        ({"content": None}, None),
        (None, None),
    ],
)
def test_logprobs_of_apis(tmp_path: Path, logprobs: Any, wanted: Any) -> None:
    row = {"text": "Oak", "logprobs": logprobs}
    (found,) = read_outputs(write(tmp_path / "a.jsonl", made.lines(row)))
    assert found.logprobs == wanted


def test_half_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    text = (
        '{"id": "\\ud83d", "prompt": "Hi \\ude00", "output": "Nice \\ud83d day \\ud83d\\ude00"}\n'
    )
    (found,) = read_outputs(write(tmp_path / "a.jsonl", text))
    assert (found.prompt_id, found.prompt) == ("\ufffd", "Hi \ufffd")
    assert found.text == "Nice \ufffd day \U0001f600"
    found.text.encode()
