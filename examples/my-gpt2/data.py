"""The text of this example: fetched, checked by SHA-256, and written to `data/` as JSONL.

Conversations come from the wheel of chitchat-dataset, which pip fetches and nothing installs.
WikiText-2 comes from the folder that ETHOGRAM_DATA names, from the cache, or from its publisher.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from ethogram.errors import DataError, EthogramError, ModelError
from ethogram.files import write_whole
from ethogram.models.wheel import shipped
from ethogram.replications.data import DataFolders

FOLDER = Path(__file__).parent / "data"
#: Origin and licence of each source; written beside the data.
SOURCES = (
    "chitchat-dataset 0.9.0: conversations of students, BYU PCC Lab, licence MIT, "
    "https://pypi.org/project/chitchat-dataset/0.9.0/",
    "WikiText-2, test and valid parts: articles of Wikipedia, licence CC BY-SA 3.0, "
    "https://github.com/pytorch/examples/tree/main/word_language_model",
)
_PACKAGE = "chitchat-dataset==0.9.0"
_MEMBERS = {
    "chitchat_dataset/dataset.json": "d2a5d0bf6acf354fef51f3af39cbece2"
    "220d3b8f6086b658c3d335105798312a",
    "chitchat_dataset-0.9.0.dist-info/LICENSE": "941d08ac6b5b3f000c1339ed66a96b0e"
    "28f66c6d100ed193360e91f120b5e7c7",
}
#: One of so many conversations, and of articles, is held out.
_TALKS, _ARTICLES = 25, 20
#: Held-out conversations whose loss is measured; a look at all of them takes too long.
_MEASURED = 24
#: Question and reply pairs that are written for tuning the small model, and the built-in one.
_PAIRS, _FEW_PAIRS = 4000, 480
_HEADING = re.compile(r"^ = [^=].* = $")

Row = dict[str, str]


def conversations(raw: bytes) -> dict[str, list[str]]:
    """Turns of each conversation by its id; what one person wrote in a row is one turn.

    Args:
        raw: `dataset.json` of the wheel.
    """
    found = {}
    for name, conversation in sorted(json.loads(raw).items()):
        turns = [
            plain(" ".join(said["text"] for said in turn)) for turn in conversation["messages"]
        ]
        turns = [turn for turn in turns if turn]
        if len(turns) > 1:
            found[name] = turns
    return found


def plain(text: str) -> str:
    """A text with straight quotes and single spaces; empty if characters of it were lost."""
    if "\ufffd" in text or "\x00" in text:
        return ""
    straight = text.translate(str.maketrans("\u2018\u2019\u201c\u201d", "''\"\""))
    return " ".join(straight.split())


def held_out(name: str, one_of: int) -> bool:
    """Whether a conversation or article is held out; decided by its name alone."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % one_of == 0


def questions(turns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Questions of a conversation with the reply to each: a statement of 12 to 160 characters."""
    for asked, reply in pairwise(turns):
        is_statement = "?" not in reply and 12 <= len(reply) <= 160
        if asked.endswith("?") and len(asked) <= 200 and is_statement:
            yield asked, reply


def articles(lines: Iterable[str]) -> list[str]:
    """Articles of WikiText; each begins with a heading of the first level."""
    found: list[list[str]] = []
    for line in lines:
        if _HEADING.match(line.rstrip("\n")) or not found:
            found.append([])
        if line.strip():
            found[-1].append(line.strip())
    return ["\n".join(each) for each in found if each]


def chat_rows(talks: Mapping[str, Sequence[str]]) -> dict[str, list[Row]]:
    """Rows of each file that is made of conversations."""
    kept = {name: turns for name, turns in talks.items() if not held_out(name, _TALKS)}
    left = {name: turns for name, turns in talks.items() if name not in kept}
    pairs = by_digest(pair for turns in kept.values() for pair in questions(turns))
    return {
        "chat.jsonl": [{"text": "\n".join(turns)} for turns in kept.values()],
        "held-out-chat.jsonl": [{"text": "\n".join(turns)} for turns in left.values()][:_MEASURED],
        "questions.jsonl": pair_rows(pairs[:_PAIRS]),
        "few-questions.jsonl": pair_rows(pairs[_PAIRS : _PAIRS + _FEW_PAIRS]),
        "held-out-questions.jsonl": pair_rows(
            by_digest(pair for turns in left.values() for pair in questions(turns))[:200]
        ),
    }


def by_digest(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Distinct pairs in an order that does not depend on their conversations."""
    return sorted(set(pairs), key=lambda pair: hashlib.sha256("\n".join(pair).encode()).digest())


def pair_rows(pairs: Iterable[tuple[str, str]]) -> list[Row]:
    """Pairs as rows of an SFT recipe."""
    return [{"prompt": asked, "response": reply} for asked, reply in pairs]


def wikitext() -> dict[str, list[Row]]:
    """Rows of WikiText-2; none where it cannot be had, which is said in one line."""
    try:
        return wiki_rows(DataFolders(fetch=True, on_fetch=print).files("wikitext-2").values())
    except DataError as error:
        print(f"WikiText-2 is left out: {error}")
        return {}


def wiki_rows(files: Iterable[Path]) -> dict[str, list[Row]]:
    """Rows of the files that are made of articles."""
    rows: dict[str, list[Row]] = {"wiki.jsonl": [], "held-out-wiki.jsonl": []}
    for path in files:
        raw = path.read_bytes()
        lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().split("\n")
        for text in articles(lines):
            side = "held-out-wiki" if held_out(text.split("\n", 1)[0], _ARTICLES) else "wiki"
            rows[f"{side}.jsonl"].append({"text": text})
    return rows


def write(name: str, rows: Sequence[Row]) -> None:
    """Write a JSONL file of the data folder, and say how large it is."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_whole(FOLDER / name, lines)
    print(f"{name}: {len(rows):,} rows, {sum(map(len, lines)) / 1e6:.1f} M characters")


def fail(why: str) -> NoReturn:
    """End with one line and the exit code of errors for users."""
    print(f"data.py: {why}", file=sys.stderr)
    sys.exit(EthogramError.exit_code)


def main() -> None:
    """Fetch what is missing and write the files of the recipes."""
    FOLDER.mkdir(exist_ok=True)
    try:
        with shipped("of this example", _PACKAGE, _MEMBERS, FOLDER / "chitchat") as files:
            talks = conversations(files[0].read_bytes())
            write_whole(FOLDER / "LICENSE-chitchat-dataset", [files[1].read_text("utf-8")])
        rows = chat_rows(talks) | wikitext()
        for name, each in rows.items():
            write(name, each)
    except ModelError as error:
        fail(f"{error.what}; connect to the package index once and run it again")
    except EthogramError as error:
        fail(str(error))
    used = SOURCES if (FOLDER / "wiki.jsonl").exists() else SOURCES[:1]
    print(*used, sep="\n")
    write_whole(FOLDER / "SOURCES", [f"{each}\n" for each in used])


if __name__ == "__main__":
    main()
