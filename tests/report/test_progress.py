"""PROGRESS.md: derived from the store, kept beside what people write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ethogram.errors import SpecError, WriteError
from ethogram.metrics import find_pitfalls
from ethogram.report import log, verify, write_progress
from ethogram.report.claims import entries
from ethogram.report.printing import printable
from ethogram.report.progress import Block, _differing, find_blocks
from ethogram.study import Study, import_outputs, init, run
from ethogram.study.measure import measure


@pytest.fixture
def study(tiny_study: Path) -> Study:
    opened = Study(tiny_study)
    run(opened)
    return opened


def test_a_fresh_log_matches_the_store(study: Study) -> None:
    path = write_progress(study)
    found = verify(study)
    assert found.holds
    assert found.problems == []
    assert found.checked > 30
    text = path.read_text()
    for name, title in (("v0.0.1", "Greedy"), ("v0.1.0", "Sampled"), ("v1.0.0", "Chat")):
        assert f"### {name} — {title}" in text
    assert "It loops." in text
    assert "**Example**" in text
    assert "95 % interval" in text


def test_the_pitfalls_of_an_entry_are_those_of_its_outputs(study: Study) -> None:
    shown = {entry.version: entry.pitfalls for entry in entries(study)}
    text = write_progress(study).read_text()
    for name in study.versions:
        outputs = measure(study, name, ["words"])["words"].outputs
        rows = [row for row in find_pitfalls(outputs).rows if row.found]
        assert [(one.name, one.found, one.total) for one in shown[name] if one.found] == [
            (row.pitfall.title.lower(), row.found, row.applies_to) for row in rows
        ]
        assert all(one.found or (one.before and one.before[0]) for one in shown[name])
        for one in shown[name]:
            earlier = f"{one.before[0]} of {one.before[1]} → " if one.before else ""
            assert f"{one.name} {earlier}{one.found} of {one.total}" in text
    assert any(one.name == "truncation" for one in shown["v0.0.1"])


def test_every_digit_is_guarded(study: Study) -> None:
    """Change any one digit of a generated block: verify names its line."""
    path = write_progress(study)
    text = path.read_text()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    digits = [
        starts[block.first_line - 1 + offset] + digit.start()
        for block in find_blocks(text, path)
        for offset, line in enumerate(block.lines)
        for digit in re.finditer(r"\d", line)
    ]
    assert len(digits) > 100
    for place in digits[:: max(1, len(digits) // 40)]:
        other = "1" if text[place] != "1" else "2"
        path.write_text(text[:place] + other + text[place + 1 :])
        problems = verify(study).problems
        changed = text.count("\n", 0, place) + 1
        assert [problem.line for problem in problems] == [changed]
    path.write_text(text)
    assert verify(study).holds


def test_hand_written_text_is_never_lost(study: Study) -> None:
    path = write_progress(study)
    before = path.read_text()
    mine = before.replace("## Progress log", "## Progress log\n\nMy own words, 42 of them.")
    mine = mine.replace("<!-- ethogram:end v0.0.1 -->\n", "<!-- ethogram:end v0.0.1 -->\n\nMore.\n")
    path.write_text(mine)
    assert verify(study).holds
    write_progress(study)
    assert path.read_text() == mine


def test_line_ends_and_text_around_the_blocks_stay_to_the_byte(study: Study) -> None:
    path = write_progress(study)
    mine = path.read_bytes().replace(b"\n", b"\r\n") + b"\r\nNo line end after this"
    path.write_bytes(mine)
    assert verify(study).holds
    write_progress(study)
    assert path.read_bytes().endswith(b"\r\nNo line end after this")
    assert path.read_bytes().startswith(b"# Tiny\r\n")


@pytest.mark.fault("the marks of a log are damaged by hand")
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<!-- ethogram:end v0.0.1 -->\n", "", r"PROGRESS\.md:\d+: the block of v0\.0\.1 has no"),
        ("<!-- ethogram:begin v0.1.0 -->\n", "", r"the block of v0\.1\.0 has no begin marker"),
        ("<!-- ethogram:end v1.0.0 -->\n", "", r"put `<!-- ethogram:end v1\.0\.0 -->` back"),
        (
            "<!-- ethogram:begin v1.0.0 -->\n",
            "<!-- ethogram:begin v0.1.0 -->\n<!-- ethogram:end v0.1.0 -->\n"
            "<!-- ethogram:begin v1.0.0 -->\n",
            r"v0\.1\.0 has a second block; remove one",
        ),
    ],
)
def test_broken_markers_stop_before_text_is_lost(
    study: Study, old: str, new: str, message: str
) -> None:
    path = write_progress(study)
    path.write_text(path.read_text().replace(old, f"{new}My own words.\n"))
    before = path.read_bytes()
    for act in (log, verify):
        with pytest.raises(SpecError, match=message):
            act(study)
    assert path.read_bytes() == before


def test_a_log_that_cannot_be_written_stays_as_it_was(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_progress(study)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WriteError, match=r"PROGRESS\.md: cannot be written: No space left"):
        log(study)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.glob(".PROGRESS*")] == []


def test_a_stale_log_fails(study: Study, tiny_study: Path) -> None:
    write_progress(study)
    version = tiny_study / "versions/v0.1.0.yaml"
    version.write_text(version.read_text().replace("1.1", "1.3"))
    with Study(tiny_study) as edited:
        problems = verify(edited).problems
        assert {problem.block for problem in problems} == {"v0.1.0", "v1.0.0"}  # Its child as well.
        assert "Stale: edited since" in problems[0].words
        assert log(edited).unsupported == []
        again = verify(edited)
        assert again.holds
        assert [words.split()[0] for words in again.stale] == ["v0.1.0", "v1.0.0"]
    assert log(study).unsupported == []


def test_an_entry_of_a_missing_version_says_how_to_fix_it(study: Study, tiny_study: Path) -> None:
    write_progress(study)
    (tiny_study / "versions/v1.0.0.yaml").unlink()
    with Study(tiny_study) as less:
        (problem,) = [each for each in verify(less).problems if each.block != "findings"]
        assert [each.words.split(": ", 1)[1] for each in log(less).unsupported] == [
            problem.words.split(": ", 1)[1]
        ]
    assert problem.words.endswith("bring its version file back, or delete the block")


def test_a_line_more_in_a_version_file_is_one_line_in_the_log(
    study: Study, tiny_study: Path
) -> None:
    path = write_progress(study)
    version = tiny_study / "versions/v0.0.1.yaml"
    version.write_text(version.read_text() + "takeaway: [Loops need a remedy., And a test.]\n")
    with Study(tiny_study) as edited:
        problems = verify(edited).problems
        assert [(problem.found, problem.expected) for problem in problems] == [
            (None, "- **Takeaway:** Loops need a remedy."),
            (None, "- **Takeaway:** And a test."),
        ]
        write_progress(edited)
        for problem in problems:
            assert path.read_text().splitlines()[problem.line - 1] == (
                "- **Takeaway:** Loops need a remedy."
            )
            assert "the log lacks a line, the store says" in problem.words
    problems = verify(study).problems
    assert [problem.expected for problem in problems] == [None] * 2
    lines = path.read_text().splitlines()
    assert [lines[problem.line - 1] for problem in problems] == [
        problem.found for problem in problems
    ]
    assert "the store has no such line" in problems[0].words


def test_one_changed_line_amid_equal_ones_is_one_problem() -> None:
    loop = ["> round and round"] * 20
    edited = [*loop[:9], "> a square", *loop[10:]]
    problems = _differing(Block("v0.0.1", 7, edited, 0, 22), loop)
    assert [(problem.line, problem.found) for problem in problems] == [(16, "> a square")]


def test_a_missing_or_removed_log_fails(study: Study, tiny_study: Path) -> None:
    problems = verify(study).problems
    assert [each.block for each in problems] == ["findings", "v0.0.1", "v0.1.0", "v1.0.0"]
    assert all("ethogram log" in problem.words for problem in problems)
    path = write_progress(study)
    lines = path.read_text().splitlines(keepends=True)
    first = find_blocks("".join(lines), path)[1]
    path.write_text("".join(lines[: first.start] + lines[first.end :]))
    assert [problem.block for problem in verify(study).problems] == ["v0.0.1"]


HOSTILE = (
    "<script>alert(1)</script> ![x](http://evil.example/a.png) [click](javascript:alert(1)) "
    "\x1b]0;owned\x07 <img src=x onerror=alert(1)> `code` ethogram:end v3.0.0 -->"
)


def test_model_output_stays_inert(tmp_path: Path) -> None:
    import json

    folder = init(tmp_path / "hostile")
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(
            json.dumps({"prompt_id": f"p{i}", "prompt": HOSTILE, "output": HOSTILE}) + "\n"
            for i in range(3)
        )
    )
    with Study(folder) as study:
        import_outputs(study, rows, "v3.0.0")
    with Study(folder) as study:
        run(study, ["v3.0.0"])
        log = write_progress(study).read_text()
        assert verify(study).holds
    outside_comments = re.sub(r"<!-- ethogram:(begin|end) \S+ -->", "", log)
    outside_folds = re.sub(r"</?(details|summary)>", "", outside_comments)
    assert "<" not in outside_folds.replace("&lt;", "")
    assert not re.search(r"(?<!\\)\]\(", outside_comments)
    assert "\x1b" not in log
    assert "http://" not in outside_comments
    assert "\x1b" not in printable(HOSTILE)


def test_findings_go_above_the_entries_of_a_log_of_0_1(study: Study, tiny_study: Path) -> None:
    path = tiny_study / "PROGRESS.md"
    path.write_text(
        "# My log\n\nWhy I began.\n\n## Progress log\n\n"
        "<!-- ethogram:begin v0.0.1 -->\nold words\n<!-- ethogram:end v0.0.1 -->\n\nAfterwards.\n"
    )
    text = write_progress(study).read_text()
    assert text.startswith("# My log\n\nWhy I began.\n\n<!-- ethogram:begin findings -->\n")
    places = [
        text.index(words)
        for words in ("**What was found**", "## Progress log", "### v0.0.1 — Greedy", "Afterwards.")
    ]
    assert places == sorted(places)
    assert "old words" not in text
    assert verify(study).holds
    assert write_progress(study).read_text() == text


def test_an_unrun_study_has_an_empty_log(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        assert verify(study).checked == 0
