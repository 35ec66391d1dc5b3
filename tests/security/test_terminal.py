"""Model output cannot drive the terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ethogram.report.printing import excerpt, inactive


@given(st.text(st.characters(codec=None), max_size=60))
def test_no_control_character_is_printed(text: str) -> None:
    shown = inactive(text + "\x1b[2J\x1b]8;;http://a\x07\x9b31m\u202e\x00")
    assert all(each == "\n" or each.isprintable() for each in shown)
    assert "\x1b" not in excerpt("\x1b[31mred")
