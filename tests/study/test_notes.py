"""Notes edited in a version's file: what changes, what stays, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.errors import SpecError
from ethogram.study import Study
from ethogram.study.notes import ChangedOnDiskError, edit_notes, read_notes

START = """\
# Why this version is here.
title:   Colder   # spaces stay
decoding: {temperature: 0.5,   top_p: 0.9}

learned:
    # About loops.
    - It loops.   # seen by hand
    - text: It ends early.
      shown_by: {words: "< 100"}
    - "Quoted: with a colon"
takeaway: Only one sentence.
"""


def study(folder: Path, text: str = START) -> Study:
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text("name: s\n", encoding="utf-8")
    (folder / "versions/v0.1.0.yaml").write_bytes(text.encode())
    return Study(folder)


def edited(folder: Path, text: str, field: str, sentences: list[str]) -> str:
    opened = study(folder, text)
    digest = read_notes(opened, "v0.1.0").digest
    found = edit_notes(opened, "v0.1.0", field, sentences, digest=digest)
    assert list(found.notes[field]) == sentences
    Study(folder)  # The file is still a version.
    return (folder / "versions/v0.1.0.yaml").read_bytes().decode()


@pytest.mark.parametrize(
    ("field", "sentences", "old", "new"),
    [
        (
            "learned",
            ["It loops less.", "It ends early.", "Quoted: with a colon"],
            "- It loops.   # seen",
            "- It loops less.   # seen",
        ),
        (
            "learned",
            ["It loops.", "It ends: early.", "Quoted: with a colon"],
            "text: It ends early.",
            'text: "It ends: early."',
        ),
        (
            "learned",
            ["It loops.", "It ends early.", "Quoted: with a colon", "New."],
            '    - "Quoted: with a colon"\n',
            '    - "Quoted: with a colon"\n    - New.\n',
        ),
        ("learned", ["It loops.", "It ends early."], '    - "Quoted: with a colon"\n', ""),
        (
            "learned",
            ["It loops.", "Quoted: with a colon"],
            '    - text: It ends early.\n      shown_by: {words: "< 100"}\n',
            "",
        ),
        ("takeaway", ["Another."], "takeaway: Only one sentence.", "takeaway: Another."),
        (
            "takeaway",
            ["Only one sentence.", "Two."],
            "takeaway: Only one sentence.",
            "takeaway:\n  - Only one sentence.\n  - Two.",
        ),
        ("takeaway", [], "takeaway: Only one sentence.\n", ""),
        ("limitation", ["Slow."], "sentence.\n", "sentence.\nlimitation:\n  - Slow.\n"),
    ],
)
def test_an_edit_changes_its_sentence_and_no_other_character(
    tmp_path: Path, field: str, sentences: list[str], old: str, new: str
) -> None:
    assert START.count(old) == 1
    assert edited(tmp_path, START, field, sentences) == START.replace(old, new)


def test_line_ends_and_a_missing_last_one_stay(tmp_path: Path) -> None:
    text = START.replace("\n", "\r\n").rstrip("\r\n")
    made = edited(tmp_path, text, "notes", ["One.", "Two."])
    assert made.count("\n") == made.count("\r\n")
    assert made.startswith(text)


def test_folded_sentences_become_one_line_and_what_follows_stays(tmp_path: Path) -> None:
    text = "learned:\n  - >-\n    A long\n    sentence.\n  # Below.\n  - Other.\nnotes: x\n"
    made = edited(tmp_path, text, "learned", ["Short.", "Other."])
    assert made == "learned:\n  - Short.\n  # Below.\n  - Other.\nnotes: x\n"


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    opened = study(tmp_path)
    digest = read_notes(opened, "v0.1.0").digest
    path = tmp_path / "versions/v0.1.0.yaml"
    other = START + "# another editor\n"
    path.write_text(other, encoding="utf-8")
    with pytest.raises(ChangedOnDiskError, match="changed on disk"):
        edit_notes(opened, "v0.1.0", "learned", ["Mine."], digest=digest)
    assert path.read_text(encoding="utf-8") == other
    now = read_notes(opened, "v0.1.0").digest
    assert edit_notes(opened, "v0.1.0", "takeaway", ["Mine."], digest=now).notes["takeaway"]


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("title", START, "holds no notes"),
        ("learned", "takeaway: &a Twice.\nlearned: *a\n", "cannot be edited here|can only be"),
    ],
)
def test_what_cannot_be_edited_is_refused_and_left(
    tmp_path: Path, field: str, text: str, problem: str
) -> None:
    opened = study(tmp_path, text)
    digest = read_notes(opened, "v0.1.0").digest
    with pytest.raises(SpecError, match=problem):
        edit_notes(opened, "v0.1.0", field, ["New."], digest=digest)
    assert (tmp_path / "versions/v0.1.0.yaml").read_text(encoding="utf-8") == text


sentences = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)
    .map(str.strip)
    .filter(bool),
    max_size=4,
)


@settings(max_examples=examples(60), deadline=None)
@given(sentences)
def test_any_sentences_are_read_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[str]
) -> None:
    made = edited(tmp_path_factory.mktemp("s"), START, "learned", wanted)
    assert made.startswith("# Why this version is here.\ntitle:   Colder   # spaces stay\n")
    assert made.endswith("takeaway: Only one sentence.\n")
