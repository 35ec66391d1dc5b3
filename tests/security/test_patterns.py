"""A regular expression, or a constraint on hostile outputs, takes no time without end."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ethogram.engine.search.answers import answer_of
from ethogram.errors import SpecError
from ethogram.metrics.constraints import follows
from ethogram.spec import Decoding, patterns
from ethogram.spec.suite import Constraint

#: Takes 2ⁿ steps on n letters without the last one.
SLOW = r"(a|aa)+\d$"


def decoding(pattern: str) -> Decoding:
    """Self-consistency over answers of a pattern."""
    return Decoding(temperature=1.0, self_consistency=3, answer="pattern", answer_pattern=pattern)


def test_an_answer_pattern_has_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(SpecError, match=r"takes longer than 0\.2 s") as caught:
        answer_of("a" * 60, decoding(SLOW))
    assert str(caught.value).startswith(f"decoding.answer_pattern: the regular expression {SLOW!r}")
    assert time.monotonic() - began < 5


def test_patterns_find_what_python_finds() -> None:
    text = "so x = 12, then ANSWER: 7\nAnswer:  -3.5 apples"
    for pattern, answer in [
        (r"(?i)answer:\s*(-?[\d.]+)", "-3.5"),
        (r"\d+", "5"),
        (r"x = (\d+)|y", "12"),
        (r"nothing", None),
        (r"(?m)^\w+", "answer"),
    ]:
        assert answer_of(text, decoding(pattern)) == answer
        found = list(re.finditer(pattern, text))
        assert bool(found) == (answer is not None)


@pytest.mark.parametrize("pattern", ["(", "a{99999999999}", "(" * 500, "(?<"])
def test_a_pattern_that_is_none_is_one_line(pattern: str) -> None:
    with pytest.raises(ValidationError, match="answer_pattern is not a regular expression"):
        decoding(pattern)


HOSTILE = ["[" * 200_000, "]" + "[" * 200_000, "\n" * 200_000, " \n" * 100_000, "<" * 200_000]


@pytest.mark.parametrize("text", [*HOSTILE, ">>" + "<" * 200_000, "*" * 200_000])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("detectable_content:number_placeholders", {"num_placeholders": 1}),
        ("detectable_format:number_bullet_lists", {"num_bullets": 1}),
        ("detectable_format:title", {}),
        ("detectable_format:number_highlighted_sections", {"num_highlights": 1}),
    ],
)
def test_constraints_read_hostile_outputs_in_linear_time(
    name: str, arguments: dict[str, int], text: str
) -> None:
    began = time.monotonic()
    follows(Constraint(type=name, kwargs=arguments), f"x{text}")
    assert time.monotonic() - began < 3


@given(st.text(alphabet="[]<>*- \n\ta", max_size=40))
def test_constraints_count_what_the_checkers_count(text: str) -> None:
    if not text.strip():
        return
    bullets = len(re.findall(r"^\s*\*[^\*].*$", text, re.M)) + len(
        re.findall(r"^\s*-.*$", text, re.M)
    )
    places = len(re.findall(r"\[.*?\]", text))
    titles = re.findall(r"<<[^\n]+>>", text)
    expected = {
        ("detectable_format:number_bullet_lists", "num_bullets", bullets): True,
        ("detectable_content:number_placeholders", "num_placeholders", places): True,
        ("detectable_content:number_placeholders", "num_placeholders", places + 1): False,
    }
    for (name, argument, number), holds in expected.items():
        if number:
            assert follows(Constraint(type=name, kwargs={argument: number}), text) is holds
    titled = any(title.lstrip("<").rstrip(">").strip() for title in titles)
    assert follows(Constraint(type="detectable_format:title", kwargs={}), text) is titled
