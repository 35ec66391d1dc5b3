"""Text for streams: characters are whole, stop strings never show, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine import tiny

from ethogram.engine.stopping import StopRules, StopWatch, final_text
from ethogram.serve.stream import StopFilter, TextStream


@pytest.mark.parametrize(
    ("pieces", "stops", "shown"),
    [
        (["one st", "op two"], ["stop"], ["one ", ""]),
        (["one st", "ill"], ["stop"], ["one ", "still"]),
        (["aab", "aac"], ["aabaac"], ["", ""]),
        (["a\n", "\nb"], ["\n\n"], ["a", ""]),
        (["beta ", "gamma"], ["beta gamma", "gam"], ["", ""]),
        (["x", "y"], [], ["x", "y"]),
    ],
)
def test_what_may_begin_a_stop_string_is_held_back(
    pieces: list[str], stops: list[str], shown: list[str]
) -> None:
    stream = StopFilter(stops)
    assert [stream.push(piece) for piece in pieces] == shown


@given(
    tokens=st.lists(st.integers(2, len(tiny.tokenizer()) - 1), max_size=40),
    stops=st.lists(st.text("abehnot .\n", min_size=1, max_size=4), max_size=3),
    chunk=st.integers(1, 4),
)
def test_the_joined_stream_is_the_final_text(
    tokens: list[int], stops: list[str], chunk: int
) -> None:
    tokenizer = tiny.tokenizer()
    rules = StopRules(frozenset({1}), frozenset(), tuple(stops), 1000)
    watch = StopWatch(rules, tokenizer)
    written = []
    for token in tokens:
        written.append(token)
        if watch.push(token) is not None:
            break
    final = final_text(tokenizer, written, rules)
    stream = TextStream(tokenizer, stops, rules.ending_ids)
    pieces = [stream.push(written[at : at + chunk]) for at in range(0, len(written), chunk)]
    shown = "".join(pieces)
    assert final.startswith(shown)
    assert shown + stream.finish(final) == final
    assert stream.sent == final
