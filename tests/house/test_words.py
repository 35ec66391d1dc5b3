"""The checks of words and sizes find what they should, and pass what they should."""

from __future__ import annotations

import pytest
from scripts.check_sizes import COLUMNS, long_prose, wrapped
from scripts.check_words import every_line, findings, names_and_docstrings, unreleased

LONG = "word " * 30


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the same in any company", ["in any company"]),
        ("def test_same_in_any_company():", ["in any company"]),
        ("how to mend it, mended", ["mend", "mended"]),
        ("amendment, lucky, a company of one's own", []),
        ("Luck decides", ["Luck"]),
        ("computed and delivered are told apart", []),
        ("the batch is told of it", ["told"]),
        ("there is no step here; 'x' is no step", ["is no step"]),
        ("told  # words: allow", []),
    ],
)
def test_words_to_avoid(text: str, found: list[str]) -> None:
    assert [words for _, words, _ in findings(every_line(text))] == found


def test_a_finding_has_its_line_and_what_to_write_instead() -> None:
    assert list(findings(every_line("fine\nwith luck"))) == [
        (2, "luck", "randomness, random stream, noise")
    ]


def test_only_the_unreleased_part_of_the_changelog_counts() -> None:
    text = "# Changelog\n\n## [Unreleased]\n\n- luck\n\n## [0.1.0] - 2026-11-02\n\n- mend\n"
    assert [number for number, _, _ in findings(unreleased(text))] == [5]


def test_of_tests_only_names_and_docstrings_count() -> None:
    text = 'def test_luck() -> None:\n    """A dear one."""\n    assert "told" in ["mend"]\n'
    assert [words for _, words, _ in findings(names_and_docstrings(text))] == ["luck", "dear"]


@pytest.mark.parametrize(
    "text",
    [
        f"| {LONG} |",
        f"# {LONG}",
        f"```\n{LONG}\n```",
        f"text\n\n    {LONG}",
        f"> {LONG}",
        f"[a link](https://example.org/{'x' * COLUMNS})",
    ],
)
def test_tables_headings_code_quotes_and_links_may_be_long(text: str) -> None:
    assert not list(long_prose(text))
    assert wrapped(text) == text + "\n"


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (LONG, ("word", "word")),
        (f"- {LONG}", ("- word", "  word")),
        (f"12. {LONG}", ("12. word", "    word")),
        ("- one\n- " + LONG, ("- one", "- word", "  word")),
    ],
)
def test_prose_is_wrapped(text: str, starts: tuple[str, ...]) -> None:
    assert list(long_prose(text))
    lines = wrapped(text).splitlines()
    assert not list(long_prose("\n".join(lines)))
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())


@pytest.mark.parametrize("mark", ["-", "1.", "#", ">", "+"])
def test_no_line_begins_with_a_mark_by_accident(mark: str) -> None:
    for before in range(90, 104):
        lines = wrapped(f"{'x' * before} {mark} {LONG}").splitlines()
        assert not any(line.startswith(mark) for line in lines)


def test_code_in_a_line_stays_whole() -> None:
    text = f"{'x' * 95} `a b c d` {LONG}"
    assert "`a b c d`" in wrapped(text).splitlines()[1]
