"""Reading rows: every shape as a literal table, every fault named by file and line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.corpus import BadRow, FixCounter, Row, Turn, conversations, read
from ethogram.errors import DataError, EthogramError, SpecError
from ethogram.formats import limits

ASK, TELL = Turn("user", "Hi?"), Turn("assistant", "Hello.")
SHAPES: dict[str, tuple[dict[str, Any], tuple[Turn, ...]]] = {
    "alpaca": ({"instruction": "Hi?", "input": "", "output": "Hello."}, (ASK, TELL)),
    "alpaca with input": (
        {"instruction": "Add.", "input": "1 2", "output": "3"},
        (Turn("user", "Add.\n\n1 2"), Turn("assistant", "3")),
    ),
    "question and answer": ({"question": "Hi?", "answer": "Hello."}, (ASK, TELL)),
    "prompt and completion": ({"prompt": "Hi?", "completion": "Hello."}, (ASK, TELL)),
    "sharegpt": (
        {"conversations": [{"from": "human", "value": "Hi?"}, {"from": "gpt", "value": "Hello."}]},
        (ASK, TELL),
    ),
    "openai": (
        {
            "messages": [
                {"role": "system", "content": ""},
                {"role": "user", "content": [{"type": "text", "text": "Hi?"}]},
                {"role": "assistant", "content": "Hello."},
            ]
        },
        (Turn("system", ""), ASK, TELL),
    ),
    "completion of messages": (
        {"prompt": [{"role": "user", "content": "Hi?"}], "completion": "Hello."},
        (ASK, TELL),
    ),
}
PAIRS = {
    "plain": {"prompt": "Hi?", "chosen": "Hello.", "rejected": "No."},
    "messages": {
        "prompt": [{"role": "user", "content": "Hi?"}],
        "chosen": [{"role": "assistant", "content": "Hello."}],
        "rejected": [{"role": "assistant", "content": "No."}],
    },
    "implicit prompt": {
        "chosen": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}],
        "rejected": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "No."}],
    },
}
BAD = {
    '{"messages": [': "not valid JSON",
    "[1, 2]": "a row must be a JSON object, not list",
    '{"name": 1}': "no text, conversation or pair in its fields (name)",
    '{"prompt": "a"}': "no text, conversation or pair in its fields (prompt)",
    '{"output": "a"}': "a reply without a prompt",
    '{"prompt": "a", "output": " "}': "output is empty",
    '{"prompt": 3, "output": "b"}': "prompt is int, not a text",
    '{"text": "a\\u0000b"}': "text holds a NUL character",
    '{"messages": [{"role": "wizard", "content": "x"}]}': "turn 1 has the unknown role 'wizard'",
    '{"messages": [{"role": "user", "content": "x"}]}': "the last turn is the user's",
    '{"messages": [{"role": "assistant", "content": "x"}]}': "no user's turn before a reply",
    '{"messages": [{"role": "user", "content": "x"}, {"role": "user", "content": "y"}]}': (
        "turns 1 and 2 are both user's"
    ),
    '{"prompt": "a", "chosen": "b", "rejected": "b"}': "chosen and rejected are the same",
    '{"chosen": "b", "rejected": "c"}': "the pair has no prompt",
}


def rows_of(path: Path, *fixes: str) -> list[Row | BadRow]:
    return list(read(path, fixes=FixCounter(fixes)))


@pytest.mark.parametrize("name", SHAPES)
def test_conversations_in_any_tools_words(tmp_path: Path, name: str) -> None:
    data, messages = SHAPES[name]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({**data, "license": "MIT", "source": "me", "id": 7}) + "\n")
    expected = Row(
        "messages", path, 1, messages=messages, licence="MIT", source="me", extra={"id": 7}
    )
    assert rows_of(path) == [expected]


@pytest.mark.parametrize("name", PAIRS)
def test_preference_pairs(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(PAIRS[name]) + "\n")
    pair = Row("preference", path, 1, messages=(ASK,), chosen="Hello.", rejected="No.")
    assert rows_of(path) == [pair]


def test_votes_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    vote = {"prompt": "Hi?", "completion": "Hello.", "label": False}
    path.write_text(f'{json.dumps(vote)}\n\n{{"text": "A tale."}}\n')
    assert rows_of(path) == [
        Row("vote", path, 1, messages=(ASK,), reply="Hello.", label=False),
        Row("text", path, 3, text="A tale."),
    ]


@pytest.mark.parametrize("line", BAD)
def test_a_bad_row_is_named_and_reading_goes_on(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "before"}}\n{line}\n{{"text": "after"}}\n')
    before, bad, after = rows_of(path)
    assert isinstance(before, Row)
    assert isinstance(after, Row)
    assert after.line == 3
    assert isinstance(bad, BadRow)
    assert bad.where == f"{path}:2"
    assert BAD[line] in bad.reason


def test_encodings(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = '{"text": "naïve"}\n'
    path.write_bytes(
        b"\xef\xbb\xbf" + good.encode() + good.encode("latin-1") + b'{"text": "x"}\r\n'
    )
    bad = BadRow(path, 2, "not UTF-8 text (byte 12)", "decode-latin1")
    assert rows_of(path)[1] == bad
    counter = FixCounter(["decode-latin1"])
    assert [row.text for row in read(path, fixes=counter) if isinstance(row, Row)] == [
        "naïve",
        "naïve",
        "x",
    ]
    assert counter.used == {"decode-latin1": 1}
    path.write_bytes(good.encode("utf-16"))
    with pytest.raises(DataError, match="1: the file is UTF-16"):
        rows_of(path)
    path.write_text('{"text": "half \\ud83d pair"}\n')
    assert isinstance(rows_of(path)[0], BadRow)


def test_fixes_change_rows_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    turns = [
        {"role": "user", "content": "Hi?"},
        {"role": "assistant", "content": "Hello."},
        {"role": "assistant", "content": "Again."},
        {"role": "user", "content": "Bye"},
    ]
    path.write_text(json.dumps({"messages": turns}))
    counter = FixCounter(["merge-same-role", "drop-trailing-user"])
    [row] = read(path, fixes=counter)
    assert isinstance(row, Row)
    assert row.messages == (ASK, Turn("assistant", "Hello.\nAgain."))
    assert counter.used == {"merge-same-role": 1, "drop-trailing-user": 1}


def test_arrays_csv_text_and_gzip(tmp_path: Path) -> None:
    data = [{"text": 'a "quoted" {brace}'}, {"text": "b"}]
    for name, content in {
        "a.json": json.dumps(data, indent=1),
        "b.json": json.dumps(data),
        "c.csv": 'text\n"a ""quoted"" {brace}"\nb\n',
        "d.txt": '\n\na "quoted" {brace}\n\n\nb\n',
        "e.jsonl": "\n".join(json.dumps(each) for each in data),
    }.items():
        plain, packed = tmp_path / name, tmp_path / f"{name}.gz"
        plain.write_text(content)
        packed.write_bytes(gzip.compress(content.encode()))
        for path in (plain, packed):
            found = rows_of(path)
            texts = [row.text for row in found if isinstance(row, Row)]
            assert texts == ['a "quoted" {brace}', "b"], path


def test_a_broken_object_of_an_array_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[\n{"text": "a"},\n{"text": oops},\n{"text": "c"},\n{"text": "d"')
    a, bad, c, cut = rows_of(path)
    assert isinstance(a, Row)
    assert isinstance(c, Row)
    assert isinstance(bad, BadRow)
    assert bad.line == 3
    assert cut == BadRow(path, 5, "the file ends inside the object")


def test_a_training_refuses_bad_rows_by_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps(SHAPES["openai"][0])
    path.write_text(f'{good}\n{{"text": "a tale"}}\n{{\n{good}\n')
    with pytest.raises(DataError) as caught:
        conversations(read(path))
    assert str(caught.value) == (
        f"{path}:2: it is one of documents, and conversations are wanted; 2 of 4 rows cannot be "
        f"used (also {path}:3); fix the rows; `ethogram data inspect` lists them"
    )


@given(content=st.binary(max_size=400), suffix=st.sampled_from([".jsonl", ".json", ".csv", ".txt"]))
def test_any_bytes_give_rows_bad_rows_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a{suffix}"
    path.write_bytes(content)
    try:
        found = list(read(path))
    except EthogramError:
        return
    assert all(isinstance(row, Row | BadRow) for row in found)


@pytest.mark.parametrize(
    ("rule", "content", "expected"),
    [
        ("decode-latin1", '{"text": "naïve"}\n'.encode("latin-1"), "naïve"),
        ("decode-utf16", '{"text": "naïve 日本"}\n'.encode("utf-16"), "naïve 日本"),
        ("strip-bom", b'\n\xef\xbb\xbf{"text": "a"}\n', "a"),
        ("strip-nul", b'{"text": "a\\u0000b"}\n', "ab"),
        ("strip-nul", b'{"text": "a\x00b"}\n', "ab"),
        ("unix-newlines", b'{"text": "a\\r\\nb\\rc"}\n', "a\nb\nc"),
        ("keep-replacement", b'{"text": "half \\ud83d pair"}\n', "half \ufffd pair"),
    ],
)
def test_a_rule_makes_its_row_usable(
    tmp_path: Path, rule: str, content: bytes, expected: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    if rule == "decode-utf16":
        with pytest.raises(DataError, match="allow the rule decode-utf16"):
            rows_of(path)
    else:
        [bad] = rows_of(path)
        assert isinstance(bad, BadRow)
        assert bad.fix == rule
    counter = FixCounter([rule])
    [row] = read(path, fixes=counter)
    assert isinstance(row, Row)
    assert row.text == expected
    assert counter.used == {rule: 1}


def test_dropped_rows_are_counted_by_line_and_other_rules_only_on_kept_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "caf\xe9"}\n{"name": "caf\xe9"}\n{"text": " \\u0000"}\n')
    counter = FixCounter(["decode-latin1", "strip-nul", "drop-bad-rows"])
    [row] = read(path, fixes=counter)
    assert isinstance(row, Row)
    assert row.text == "café"
    assert counter.used == {"decode-latin1": 1, "drop-bad-rows": 2}
    assert sorted(line for reason in counter.dropped for line in reason.lines) == [2, 3]


def test_utf16_arrays_and_damaged_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    content = json.dumps([{"text": "a"}, {"text": "b"}], indent=1).encode("utf-16")
    path.write_bytes(content)
    assert [row.line for row in rows_of(path, "decode-utf16") if isinstance(row, Row)] == [2, 5]
    path.write_bytes(content[:-5])
    *_, last = rows_of(path, "decode-utf16")
    assert isinstance(last, BadRow)


def test_broken_csv_rows_and_tab_separated_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('question,answer\nHi?,Hello.\na,b,c\n"Hi?"x,y\n\nHi?,"Hello."\n')
    good, cells, quote, last = rows_of(path)
    assert isinstance(good, Row)
    assert cells == BadRow(path, 3, "3 cells for 2 columns")
    assert isinstance(quote, BadRow)
    assert (quote.line, quote.reason[:13]) == (4, "not valid CSV")
    assert isinstance(last, Row)
    assert last.line == 6
    table = tmp_path / "a.tsv"
    table.write_text("prompt\tcompletion\tlabel\nHi, you?\tHello.\tTRUE\n")
    assert rows_of(table) == [
        Row("vote", table, 2, messages=(Turn("user", "Hi, you?"),), reply="Hello.", label=True)
    ]


def test_an_array_that_is_not_closed_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[\n{"text": "a"},\n{"text": "b"}\n')
    *rows, cut = rows_of(path)
    assert len(rows) == 2
    assert isinstance(cut, BadRow)
    assert "the array is not closed" in cut.reason


def test_an_object_of_an_indented_array_with_unmatched_braces(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    turns = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
    text = json.dumps([{"messages": turns, "id": number} for number in range(3)], indent=1)
    assert len(rows_of(path_of(path, text))) == 3
    at = text.index("}", text.index('"id": 1'))
    first, bad, last = rows_of(path_of(path, text[:at] + text[at + 1 :]))
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert last.extra == {"id": 2}
    assert isinstance(bad, BadRow)
    assert bad.reason == "not valid JSON: its braces do not match"
    assert text.splitlines()[bad.line - 1] == " {"
    flat = json.dumps([{"messages": turns}] * 3, indent=0)
    assert len([row for row in rows_of(path_of(path, flat)) if isinstance(row, Row)]) == 3


def path_of(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_parquet_rows(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    messages = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
    parquet.write_table(arrow.Table.from_pylist([{"messages": messages}, {"messages": []}]), path)
    row, bad = rows_of(path)
    assert row == Row("messages", path, 1, messages=(ASK, TELL))
    assert bad == BadRow(path, 2, "the conversation is not a list of turns")


@pytest.mark.fault("a gzip file unpacks to far more than its size")
def test_a_gzip_bomb_ends_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FREE", 1000)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' * 50_000))
    with pytest.raises(SpecError, match="unpacks to more than"):
        rows_of(path)
    whole = gzip.compress(b'{"text": "a"}\n' * 10)
    path.write_bytes(whole[:-8])
    with pytest.raises(DataError, match="cut off or damaged"):
        rows_of(path)
