"""Conversions: each shape as a literal row, and what has no such shape."""

import json
from pathlib import Path
from typing import Any

import pytest

from ethogram.corpus import SHAPES, BadRowsError, FixCounter, convert

ASK, TELL = {"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}
NO = {"role": "assistant", "content": "No."}
ROWS: dict[str, dict[str, Any]] = {
    "text": {"text": "A tale."},
    "messages": {"instruction": "Hi?", "output": "Hello."},
    "preference": {"prompt": "Hi?", "chosen": "Hello.", "rejected": "No."},
    "vote": {"prompt": "Hi?", "completion": "Hello.", "label": False},
}
#: Shape, kind of the row, and what is written; no entry where a kind has no such shape.
WRITTEN: dict[tuple[str, str], dict[str, Any]] = {
    ("messages", "messages"): {"messages": [ASK, TELL]},
    ("pairs", "messages"): {"prompt": "Hi?", "completion": "Hello."},
    ("preference", "preference"): {"prompt": [ASK], "chosen": [TELL], "rejected": [NO]},
    ("text", "text"): {"text": "A tale."},
    ("text", "messages"): {"text": "Hi?\nHello."},
    ("vote", "vote"): {"prompt": [ASK], "completion": [TELL], "label": False},
}


@pytest.mark.parametrize("to", SHAPES)
@pytest.mark.parametrize("kind", ROWS)
def test_each_kind_in_each_shape(tmp_path: Path, to: Any, kind: str) -> None:
    path, out = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    about = {"license": "MIT", "source": "me", "id": 7}
    path.write_text(json.dumps(ROWS[kind] | about) + "\n")
    if (to, kind) not in WRITTEN:
        with pytest.raises(BadRowsError, match=r"a\.jsonl:1: .* is not "):
            convert([path], out, to=to)
        assert not out.exists()
        return
    assert convert([path], out, to=to).rows == 1
    assert json.loads(out.read_text()) == WRITTEN[to, kind] | about
    again = tmp_path / "again.jsonl"
    convert([out], again, to=to)
    assert again.read_bytes() == out.read_bytes()


def test_pairs_refuse_longer_conversations_and_keep_the_system_text(tmp_path: Path) -> None:
    path, out = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    system = {"role": "system", "content": "Be kind."}
    rows = [{"messages": [system, ASK, TELL]}, {"messages": [ASK, TELL, ASK, TELL]}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = convert([path], out, to="pairs", fixes=FixCounter(["drop-bad-rows"]))
    assert json.loads(out.read_text()) == {
        "system": "Be kind.",
        "prompt": "Hi?",
        "completion": "Hello.",
    }
    [dropped] = done.dropped
    assert list(dropped.lines) == [2]
    assert "a conversation of 4 turns" in dropped.example
