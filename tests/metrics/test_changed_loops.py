"""Changed loops: no run is lost by what is not tried, and the work grows about as the text."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from ethogram.metrics.pitfalls import near_loops as changed_loops
from ethogram.metrics.pitfalls.near_loops import find_changed_loop


def _text_with_runs(source: random.Random) -> str:
    """Random words between phrases that stand two to four times, with a word or two changed."""
    known = [f"{chr(97 + letter)}o" for letter in range(source.choice((2, 3, 8, 20)))]
    words: list[str] = []
    while len(words) < 300:
        words += source.choices(known, k=source.randrange(40))
        phrase = source.choices([*known, "un", "B:", "3"], k=source.randrange(1, 90))
        for _ in range(source.randrange(2, 5)):
            copy = list(phrase)
            for _ in range(source.choice((0, 0, 1, 1, 2))):
                copy[source.randrange(len(copy))] = source.choice(("is", "at", "in"))
            words += copy
    return " ".join(words)


def test_trying_every_period_finds_no_other_run(monkeypatch: pytest.MonkeyPatch) -> None:
    source = random.Random(3)
    texts = [_text_with_runs(source) for _ in range(80)]
    both = [(text, exact) for text in texts for exact in (False, True)]
    found = [find_changed_loop(text, cut=True, exact=exact) for text, exact in both]
    monkeypatch.setattr(
        changed_loops, "_possible_periods", lambda numbers: list(range(1, len(numbers) // 3 + 1))
    )
    every = [find_changed_loop(text, cut=True, exact=exact) for text, exact in both]
    assert found == every
    assert sum(run is not None and run.period >= 16 for run in found) > 40, "the blocks matter"


def _calls(work: Callable[[], object]) -> int:
    """Functions called in the meantime, numpy's among them."""
    calls = 0

    def count(_: Any, event: str, __: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("known", ["ant bee cat dog eel fox gnu hen", "the " * 32 + "ant bee"])
def test_few_different_words_cost_no_more_than_their_number(known: str) -> None:
    source = random.Random(8)
    words = source.choices(known.split(), k=8000)
    texts = [" ".join(words[:size]) for size in (1000, 8000)]
    short, long = (_calls(partial(find_changed_loop, text, cut=False)) for text in texts)
    assert long < 16 * short, "8 times as many words"
