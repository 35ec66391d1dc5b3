"""Turn leakage, truncation, formats, JSON, Markdown, focus and the shape of sentences, by cases."""

import json
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ethogram.metrics import Output, all_metrics, get
from ethogram.metrics.formats import BLOCKS, json_fault, shape

LINES = st.lists(
    st.sampled_from(
        ["# Head", "- item", "1. one", "text here", "", "> said", "| a | b |", "|---|---|", "```"]
    ),
    max_size=9,
)


@pytest.mark.parametrize(
    "piece",
    [
        "|",
        "- ",
        "1. ",
        "Aa et al. ",
        "(Aa 2019 ",
        "ISBN 1 ",
        "http:",
        "```json\n",
        "Yes. ",
        "a b ",
        "<|",
    ],
)
def test_long_monotony_takes_little_time_under_every_metric(piece: str) -> None:
    text = piece * (12_000 // len(piece)) + "x\na | b\n- |" + " " * 12_000 + "x"
    output = Output(text, prompt="What is it? Give JSON.", reference="a b")
    started = time.process_time()
    for metric in all_metrics():
        metric.measure(output)
    assert time.process_time() - started < 10


def value_of(name: str, text: str, **fields: object) -> float | None:
    return get(name).measure(Output(text, **fields)).value  # type: ignore[arg-type]


def evidence(name: str, text: str, **fields: object) -> list[str]:
    spans = get(name).measure(Output(text, **fields)).spans  # type: ignore[arg-type]
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("text", "prompt", "shown"),
    [
        ("It is six.", "When?", []),
        ("It is six.<|im_end|>\n<|im_start|>user\nWhy?", "When?", ["<|im_end|>", "<|im_start|>"]),
        ("Six. [INST] And now? [/INST]", "When?", ["[INST]", "[/INST]"]),
        ("Six.\n### Instruction:\nSay why.", "When?", ["### Instruction:"]),
        ("Six.</s>", "When?", ["</s>"]),
        ("Six.<end_of_turn>", "When?", ["<end_of_turn>"]),
        ("Six.\nQ: And now?", "Q: When?\nA:", ["Q:"]),
        ("Six.\nUser: And now?", "When?", ["User:"]),
        # A dialogue was asked for.
        ("User: Hello.\nBot: Hi.", "Write a dialogue of a user and a bot.", []),
        ("The <s> tag strikes text, <b> does not.", "Tags?", ["<s>"]),
    ],
)
def test_turn_leakage(text: str, prompt: str, shown: list[str]) -> None:
    assert evidence("pitfall_turn_leakage", text, prompt=prompt) == shown
    assert value_of("pitfall_turn_leakage", text, prompt=prompt) == bool(shown)


@pytest.mark.parametrize(
    ("text", "valid", "shown"),
    [
        ("Only prose.", None, []),
        ("```py\nx = 1\n```", 1, []),
        ("```py\nx = 1", 0, ["```py\nx = 1"]),
        ("````\n```\n````", 1, []),
        ("~~~\n```\n~~~", 1, []),
        ("1. a\n2. b\n3. c", 1, []),
        ("1. a\n1. b\n1. c", 1, []),
        ("1. a\n3. b", 0, ["3"]),
        ("5) a\n6) b\n\n1) c\n2) d", 1, []),
        ("1. a\n   1. x\n   2. y\n2. b", 1, []),
        ("```\n1. a\n3. b\n```", 1, []),
        ("| a | b |\n|---|---|\n| 1 | 2 |", 1, []),
        ("a | b\n-|-\n1 | 2 | 3", 0, ["1 | 2 | 3"]),
        ("| a \\| b |\n|---|\n| 1 |", 1, []),
        ("1. alone", None, []),
    ],
)
def test_format_valid(text: str, valid: int | None, shown: list[str]) -> None:
    assert value_of("format_valid", text) == valid
    assert evidence("format_valid", text) == shown


@pytest.mark.parametrize(
    ("text", "prompt", "valid"),
    [
        ('{"a": 1}', "", 1),
        ("[{}, 1]", "", 1),
        ("Here:\n```json\n[1, 2]\n```\nDone.", "", 1),
        ("Here:\n```json\n[1, 2\n```", "", 0),
        ("not it", "Give JSON.", 0),
        ("NaN", "Give JSON.", 0),
        ("[" * 100_000, "Give JSON.", 0),
        ("[see above] no", "", None),
        ("prose", "", None),
    ],
)
def test_json_valid(text: str, prompt: str, valid: int | None) -> None:
    assert value_of("json_valid", text, prompt=prompt) == valid


def test_json_fault_is_shown_where_it_is() -> None:
    text = 'So:\n```json\n{"a": 1,, "b": 2}\n```'
    (span,) = get("json_valid").measure(Output(text)).spans
    assert text[span.start] == ","
    assert text[span.start - 1] == ","


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(JSON)
def test_what_json_writes_is_valid(data: object) -> None:
    assert json_fault(json.dumps(data)) is None
    assert json_fault(json.dumps(data) + "]") is not None


@given(LINES)
def test_shape_is_that_of_the_whole_parser(lines: list[str]) -> None:
    text = "\n".join(lines)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    expected = [BLOCKS[t.type] for t in tokens if t.level == 0 and t.type in BLOCKS]
    assert list(shape(Output(text)).blocks) == expected


def test_words_in_lists() -> None:
    text = "Take these along:\n\n- bread\n- a map\n\nThat is all."
    assert value_of("list_words", text) == pytest.approx(5 / 11)
    assert value_of("markdown_share", text) == 1
    assert value_of("markdown_share", "Plain.") == 0


@pytest.mark.parametrize(
    ("text", "fields", "after"),
    [
        ("Paris. It lies on the Seine.", {"reference": "Paris"}, "It lies on the Seine."),
        ("Paris.", {"reference": "Paris"}, None),
        # A long reference is no brief answer, so what follows may belong to it.
        ("A b c d e f. More.", {"reference": "a b c d e f"}, None),
        ("It is six.\nQ: And now?\nA: Seven.", {}, "Q: And now?\nA: Seven."),
        ("Six and on and on and on and on", {}, "and on and on and on"),
        (
            "The boats leave at six. Bring a warm coat along. The boats leave at six.",
            {},
            "The boats leave at six.",
        ),
        ("The boats leave at six. Bring a warm coat along.", {}, None),
    ],
)
def test_words_after_the_answer(text: str, fields: dict[str, str], after: str | None) -> None:
    shown = evidence("post_answer_words", text, prompt="When or where is it?", **fields)
    assert shown == ([after] if after else [])
    value = value_of("post_answer_words", text, prompt="When or where is it?", **fields)
    assert value == len((after or "").split())


def test_a_prompt_that_asks_nothing_has_no_rambling() -> None:
    assert value_of("post_answer_words", "on and on and on", prompt="The sea was") is None


def test_windows_on_topic() -> None:
    on, off = "lighthouse " + "x " * 24, "y " * 25
    prompt = "Tell of lighthouses."
    assert value_of("topic_word_share", on + off, prompt=prompt) == 0.5
    assert value_of("topic_word_share", on + off + on + on, prompt=prompt) == 0.75
    # A short rest belongs to the window before it.
    assert value_of("topic_word_share", on + "z z z", prompt=prompt) == 1
    assert evidence("topic_word_share", on + off, prompt=prompt) == [off.strip()]
    assert value_of("topic_word_share", on, prompt="") is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_compression_by_prompt_is_the_formula(prompt: str, text: str) -> None:
    score = get("compression_by_prompt").measure(Output(text, prompt=prompt))
    if not prompt or not text:
        assert score.value is None
        return
    alone, given_ = (len(zlib.compress(part.encode(), 9)) for part in (text, prompt + "\n"))
    both = len(zlib.compress((prompt + "\n" + text).encode(), 9))
    assert score.value == pytest.approx((both - given_) / alone)


def test_an_echo_packs_better_than_an_answer() -> None:
    prompt = "Describe how the lighthouse keeper spends a stormy night at sea in some detail."
    answer = "He trims the wick at dusk, logs each passing ship, and waits out squalls with tea."
    echo = value_of("compression_by_prompt", prompt, prompt=prompt) or 1
    assert echo < 0.4 < (value_of("compression_by_prompt", answer, prompt=prompt) or 0)


PROSE = (
    "The boats leave early today. We saw them go\nand then they were gone for good.\n"
    "- a list item without a mark\n# A heading of four words\nNo\nthe rest is quiet now"
)


def test_shape_of_sentences() -> None:
    assert value_of("sentence_words", PROSE) == pytest.approx((5 + 4 + 7 + 5) / 4)
    assert evidence("unended_sentences", PROSE) == ["We saw them go"]
    assert value_of("unended_sentences", PROSE) == pytest.approx(1 / 3)
    small = ["and then they were gone for good.", "the rest is quiet now"]
    assert evidence("small_starts", PROSE) == small
    assert value_of("small_starts", PROSE) == pytest.approx(2 / 3)
    assert value_of("sentence_words", "- item one two three four") is None
