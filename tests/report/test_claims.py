"""Claims: pieces of a text and the evidence that they lie in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.metrics import Span
from ethogram.report.claims import marked

PLACES = st.integers(-3, 15)
SPANS = st.lists(st.builds(Span, PLACES, PLACES, st.sampled_from(["loop", "echo"])), max_size=6)


@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        ([], ["abcdef"]),
        ([(1, 3)], ["a", "[bc]", "def"]),
        ([(3, 4), (0, 1)], ["[a]", "bc", "[d]", "ef"]),
        ([(0, 3), (3, 6)], ["[abc]", "[def]"]),
        ([(0, 4), (2, 6)], ["[abcd]", "[ef]"]),
        ([(0, 5), (1, 2), (4, 6)], ["[abcde]", "[f]"]),
        ([(4, 99)], ["abcd", "[ef]"]),
    ],
)
def test_pieces(spans: list[tuple[int, int]], pieces: list[str]) -> None:
    found = marked("abcdef", [Span(start, end, "loop") for start, end in spans])
    assert [f"[{piece}]" if span else piece for piece, span in found] == pieces


@given(st.text(max_size=12), SPANS)
def test_pieces_join_to_the_text_and_mark_what_the_spans_cover(
    text: str, spans: list[Span]
) -> None:
    found = marked(text, spans)
    assert "".join(piece for piece, _ in found) == text
    inside = [span is not None for piece, span in found for _ in piece]
    covered = [any(s.start <= place < s.end for s in spans) for place in range(len(text))]
    assert inside == covered
