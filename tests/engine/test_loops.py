"""Loops in tokens: when they are found, what is kept, what is forbidden."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.engine.loops import FoundLoop, LoopWatch, find, forbidden, kept, unfinished
from ethogram.spec import Decoding
from ethogram.spec.wrapper import LoopBreaker

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


def plain_unfinished(tokens: list[int], rule: LoopBreaker) -> FoundLoop | None:
    """What the limit cut, by its definition: two copies and half the rule's tokens at the end."""
    written = len(tokens)
    for period in range(1, min(rule.period, written // 2) + 1):
        length = period
        while length < written and tokens[-1 - length] == tokens[-1 - length + period]:
            length += 1
        if length >= max(2 * period, rule.tokens / 2):
            return FoundLoop(written - length, period, written)
    return None


@pytest.mark.parametrize(
    ("tokens", "found"),
    [
        (START + list(range(20)) * 2, FoundLoop(10, 20, 50)),
        (START + list(range(20)) * 2 + [0, 1, 2], FoundLoop(10, 20, 53)),
        (START + list(range(20)) * 2 + [99], None),  # It does not reach the end.
        (START + list(range(20)) + list(range(19)), None),
        (START + [1, 2] * 12, FoundLoop(10, 2, 34)),
        (START + [1, 2] * 11, None),  # Fewer than half of the rule's 48 tokens.
        (list(range(128)) * 2, FoundLoop(0, 128, 256)),
        (list(range(129)) * 2, None),  # Longer than the longest period.
        ([], None),
        ([5], None),
    ],
)
def test_a_loop_that_the_limit_cut_needs_two_copies_at_the_end(
    tokens: list[int], found: FoundLoop | None
) -> None:
    assert unfinished(tokens, RULE) == found


@given(st.lists(st.integers(0, 2), max_size=40), st.integers(4, 20), st.integers(1, 8))
def test_unfinished_loops_are_those_of_the_definition(
    tokens: list[int], least: int, period: int
) -> None:
    rule = LoopBreaker(tokens=least, period=period)
    assert unfinished(tokens, rule) == plain_unfinished(tokens, rule)


def test_a_watch_that_splits_goes_on_alone() -> None:
    watch = LoopWatch(RULE)
    for token in [7] * 46:
        assert watch.push(token) is None
    other = watch.fork()
    assert other.push(8) is None
    assert watch.push(7) is None
    assert watch.push(7) == FoundLoop(0, 1, 48)
    assert other.push(7) is None


def test_an_output_ends_where_its_loop_is_found_and_others_keep_their_bits() -> None:
    from tests.engine import tiny
    from tests.engine.test_engine import PROMPTS

    from ethogram.engine import Engine

    rule = LoopBreaker(copies=2, tokens=8, period=16)
    greedy = Decoding(strategy="greedy", max_new_tokens=60)
    sampled = Decoding(temperature=1.0, max_new_tokens=60)
    requests = [
        tiny.request(prompt, decoding, key=i, name=f"{i}-{decoding.resolved_strategy}")
        for i, prompt in enumerate(PROMPTS)
        for decoding in (greedy, sampled)
    ]
    engine = Engine(tiny.loaded("llama"))
    free = {made.identity: made for made in engine.generate(requests)}
    watched = [replace(request, stop_at_loop=rule) for request in requests]
    stopped = {made.identity: made for made in engine.generate(watched)}
    ends = set()
    for name, made in free.items():
        loop = find(made.token_ids, rule)
        at = len(made.token_ids) if loop is None else loop.at
        reason = made.finish_reason if loop is None else "loop"
        ends.add(reason)
        assert stopped[name].token_ids == made.token_ids[:at]
        assert stopped[name].logprobs == made.logprobs[:at]
        assert stopped[name].finish_reason == reason
    assert {"loop", "length"} <= ends or {"loop", "eos"} <= ends
