"""Files of other tools: file, outputs, error; and no file ever ends in a traceback."""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats import samples as made
from tests.profiles import examples

from ethogram.errors import EthogramError, MissingExtraError, SpecError
from ethogram.formats import SHAPES, groups, recognise, rows
from ethogram.formats import limits as bounds
from ethogram.metrics import Output, read_outputs

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]

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


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


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


def test_csv(tmp_path: Path) -> None:
    text = (
        "prompt_id,sample,prompt,output,tags,finish_reason\n"
        'a,1,"x, y","[1]\nz","[""t""]",stop\n'
        'b,,,"",,\n'
    )
    first, second = read_outputs(write(tmp_path / "a.csv", text))
    assert first == Output(
        "[1]\nz", "x, y", finish_reason="stop", tags=("t",), prompt_id="a", sample_index=1
    )
    assert second == Output("", prompt_id="b")
    tabs = write(tmp_path / "a.tsv", "prompt\toutput\na\tb\n")
    assert next(read_outputs(tabs)).prompt == "a"
    for broken, message in (
        ("a,output\n1,2\n3\n", r":3: 1 cells for 2 columns"),
        ("a,output\n1,2,3\n", r":2: 3 cells for 2 columns"),
        ("a,a\n1,2\n", r":1: two columns are named 'a'"),
        ('output\n"x\n', r"not valid CSV"),
    ):
        with pytest.raises(SpecError, match=message):
            list(read_outputs(write(tmp_path / "b.csv", broken)))


def test_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "a.parquet"
    parquet.write_table(arrow.Table.from_pylist([{"prompt": "a", "response": "b"}]), file)
    assert next(read_outputs(file)).text == "b"
    broken = tmp_path / "b.parquet"
    broken.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(SpecError, match="not a readable Parquet file"):
        list(read_outputs(broken))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"\[parquet\]"):
        list(read_outputs(file))


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


def error_of(file: Path) -> str | None:
    """What the reader refuses a file with; None if it reads it."""
    try:
        for output in read_outputs(file):
            output.text.encode()
    except EthogramError as error:
        return str(error)
    return None


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
