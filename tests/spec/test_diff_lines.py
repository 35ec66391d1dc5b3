"""A changed text of several lines is shown as the lines that differ."""

from __future__ import annotations

import re

import pytest

from ethogram.report.entry import render_changes
from ethogram.spec import Change, Diff

QUESTION = "Q: {{ input }}\nA:"


@pytest.mark.parametrize(
    ("before", "after", "words", "lines"),
    [
        (QUESTION, "Q: {{ input }}\nAnswer:", "1 line removed, 1 added", ["-A:", "+Answer:"]),
        (QUESTION, QUESTION + "\n", "1 line added", ["+"]),
        (None, QUESTION, "2 lines added", ["+Q: {{ input }}", "+A:"]),
        (QUESTION, "", "2 lines removed", ["-Q: {{ input }}", "-A:"]),
        ("a\nb", "a\x1b[1m\nb", "1 line removed, 1 added", ["-a", "+a\\x1b[1m"]),
    ],
)
def test_a_text_of_several_lines(
    before: str | None, after: str, words: str, lines: list[str]
) -> None:
    change = Change("prompt.template", before, after)
    assert change.plain == f"prompt.template {words}"
    assert [line for line in change.lines if line[0] in "+-"] == lines
    assert change.to_json()["lines"] == list(change.lines)
    assert all(f"\n  {line}" in Diff("v1", "v2", [change]).to_text() for line in lines)


def test_one_line_stays_one_line() -> None:
    change = Change("prompt.template", "{{ input }}", "Q: {{ input }}")
    assert change.lines == ()
    assert change.plain == "prompt.template '{{ input }}' → 'Q: {{ input }}'"
    assert "lines" not in change.to_json()


def test_a_template_with_a_fence_cannot_close_the_fence_of_the_log() -> None:
    change = Change("prompt.template", "```\n{{ input }}", "```\n{{ input }}!\n````")
    block = render_changes([change])
    fences = [line.strip() for line in block if re.match(r" {4}`", line)]
    assert fences == ["`````diff", "`````"]
