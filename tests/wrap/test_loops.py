"""Loops in tokens: when they are found, what is kept, what is forbidden."""

from hypothesis import given
from hypothesis import strategies as st

from ethogram.spec.wrapper import LoopBreaker
from ethogram.wrap.loops import FoundLoop, find, forbidden, kept

RULE = LoopBreaker()
START = list(range(100, 110))


def test_a_loop_is_found_at_its_third_copy_and_48_tokens() -> None:
    phrase = list(range(20))
    assert find(START + phrase * 3, RULE) == FoundLoop(10, 20, 70)
    assert find(START + phrase * 2 + phrase[:19], RULE) is None
    assert find(START + [1, 2] * 23 + [1], RULE) is None
    assert find(START + [1, 2] * 24, RULE) == FoundLoop(10, 2, 58)
    assert find([7] * 47, RULE) is None
    assert find([7] * 48, RULE) == FoundLoop(0, 1, 48)


def test_a_phrase_longer_than_the_longest_period_is_no_loop() -> None:
    phrase = list(range(129))
    assert find(phrase * 4, RULE) is None
    assert find(phrase[:128] * 3, RULE) == FoundLoop(0, 128, 384)


def test_what_is_kept_and_what_is_forbidden() -> None:
    tokens = [9, 9, 1, 2, 3, 1, 2, 3, 1, 2, 3]
    loop = FoundLoop(2, 3, 11)
    assert kept(tokens, loop) == (9, 9, 1, 2, 3)
    assert forbidden(tokens, loop, 2) == ((1, 2), (2, 3), (3, 1))
    assert forbidden(tokens, loop, 6) == (
        (1, 2, 3, 1, 2, 3),
        (2, 3, 1, 2, 3, 1),
        (3, 1, 2, 3, 1, 2),
    )
    assert forbidden([5] * 60, FoundLoop(0, 1, 48), 6) == ((5, 5),)


def plain(tokens: list[int], rule: LoopBreaker) -> FoundLoop | None:
    """The rule as it is defined, tried at every length and period."""
    for at in range(1, len(tokens) + 1):
        for period in range(1, min(rule.period, at - 1) + 1):
            length = period
            while length < at and tokens[at - 1 - length] == tokens[at - 1 - length + period]:
                length += 1
            if length >= max(rule.copies * period, rule.tokens):
                return FoundLoop(at - length, period, at)
    return None


@given(
    st.lists(st.integers(0, 2), max_size=40),
    st.integers(2, 4),
    st.integers(4, 12),
    st.integers(1, 8),
)
def test_the_watch_finds_what_the_definition_finds(
    tokens: list[int], copies: int, least: int, period: int
) -> None:
    rule = LoopBreaker(copies=copies, tokens=least, period=period)
    assert find(tokens, rule) == plain(tokens, rule)
