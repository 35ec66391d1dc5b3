"""Loop rules against released vectors, brute force and constructions; evidence against the text."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.metrics import Output, get
from ethogram.metrics.loops import common_suffixes, find_escaped_loops, find_loop, find_loop_degen

#: Few symbols, so that loops are common.
SEQUENCES = st.lists(st.integers(0, 2), max_size=24)


def copies_at_end(units: Sequence[int], period: int) -> int:
    """Whole copies of the last `period` units at the end, by comparing slices."""
    phrase, copies = list(units[len(units) - period :]), 0
    while len(units) >= (copies + 1) * period:
        end = len(units) - copies * period
        if list(units[end - period : end]) != phrase:
            break
        copies += 1
    return copies


def looping_by_definition(units: Sequence[int]) -> bool:
    """The rule as the paper words it: a phrase of two or more, three times or more at the end."""
    return any(copies_at_end(units, period) >= 3 for period in range(2, len(units) // 3 + 1))


def loops_by_definition(units: Sequence[int]) -> list[tuple[int, int]]:
    """All (onset, period) of loops that reach the end, by trying every start."""
    found = []
    for onset in range(len(units)):
        for period in range(1, (len(units) - onset) // 3 + 1):
            enough = len(units) - onset >= 3 * max(2, period)
            if enough and all(
                units[i] == units[i + period] for i in range(onset, len(units) - period)
            ):
                found.append((onset, period))
    return found


@pytest.mark.parametrize(
    ("units", "length", "copies", "degen", "paper"),
    [
        ([9, 1, 2, 3, 1, 2, 3], 3, 2, True, False),
        ([9, 1, 2, 1, 2, 1, 2], 2, 3, False, True),
        ([9, 1, 2, 1, 2], 2, 2, False, False),
        ([9] + [1] * 10, 1, 10, False, True),
        ([9] + [1] * 51, 1, 51, True, True),
        ([9] + [1, 2, 3] * 3 + [1], 3, 3, True, True),
        ([1, 2, 3, 4] * 4, 4, 4, True, True),
    ],
)
def test_released_vectors(
    units: list[int], length: int, copies: int, degen: bool, paper: bool
) -> None:
    assert find_loop_degen(units) == (length, copies, degen)
    assert (find_loop(units) is not None) == paper
    output = Output("", token_ids=tuple(units))
    assert get("loop_rate_exact").measure(output).value == paper
    assert get("loop_rate_degen").measure(output).value == degen


@given(SEQUENCES)
def test_paper_rule_is_the_definition(units: list[int]) -> None:
    assert (find_loop(units) is not None) == looping_by_definition(units)


@given(SEQUENCES)
def test_onset_and_period_are_the_first_of_all_loops(units: list[int]) -> None:
    loop, expected = find_loop(units), loops_by_definition(units)
    assert (loop is None) == (not expected)
    if loop:
        assert (loop.onset, loop.period) == min(expected)
        assert loop.cycles == (len(units) - loop.onset) / loop.period


@given(SEQUENCES)
def test_released_rule_is_its_definition(units: list[int]) -> None:
    counts = [copies_at_end(units, period) for period in range(1, len(units))]
    period, copies, verdict = find_loop_degen(units)
    if counts:
        assert copies == max(counts)
        assert period == counts.index(copies) + 1
    assert verdict == (copies > 1 and (period >= 3 or copies > 50))


@given(SEQUENCES)
def test_common_suffixes_by_brute_force(units: list[int]) -> None:
    for period, same in enumerate(common_suffixes(units)):
        matching = 0
        while (
            matching < len(units) - period and units[-1 - matching] == units[-1 - matching - period]
        ):
            matching += 1
        assert same == matching


@given(st.lists(st.integers(10, 99), max_size=20), st.integers(1, 9), st.integers(0, 8))
def test_constructed_loop(before: list[int], period: int, cut: int) -> None:
    phrase = list(range(period))
    units = before + phrase * 6 + phrase[: cut % period]
    loop = find_loop(units)
    assert loop is not None
    assert (loop.onset, loop.period) == (len(before), period)


def test_long_text_takes_little_time() -> None:
    units = [5, 6] + [1, 2, 3] * 5000
    assert find_loop(units) is not None
    output = Output("x y " + "a b c " * 5000, token_ids=tuple(units))
    assert get("loop_rate_exact").measure(output).value == 1.0


def test_an_ending_token_does_not_hide_a_loop() -> None:
    ids = (7, *(1, 2, 3) * 4)
    loop_rate = get("loop_rate_exact").measure
    assert loop_rate(Output("", token_ids=(*ids, 50256), finish_reason="eos")).value == 1.0
    assert loop_rate(Output("", token_ids=(*ids, 50256), finish_reason="length")).value == 0.0


def test_words_count_where_a_stop_string_cut_the_text() -> None:
    output = Output("no no a b c a b c a b c", token_ids=(1, 2, 3, 4), finish_reason="stop")
    assert get("loop_onset").measure(output).value == 2.0


def test_only_looping_outputs_have_an_onset() -> None:
    output = Output("the tide came in and went out")
    for name in ("loop_onset", "loop_period", "loop_cycles"):
        score = get(name).measure(output)
        assert (score.value, score.parts) == (None, (0.0, 0.0))


def test_loop_in_numbers() -> None:
    output = Output("A gull cried. It was dark and cold, dark and cold, dark and cold, dark and")
    values = {name: get(f"loop_{name}").measure(output).value for name in ("onset", "period")}
    assert values == {"onset": 5, "period": 3}
    assert get("loop_cycles").measure(output).value == pytest.approx(11 / 3)


@pytest.mark.parametrize("with_ids", [False, True])
def test_evidence_marks_each_repetition(with_ids: bool) -> None:
    text = "A gull cried. It was dark and cold, dark and cold, dark and cold, dark and"
    ids = (11, 12, 13, 14, 15, *(1, 2, 3, 4) * 3, 1, 2)
    spans = get("loop_rate_exact").measure(Output(text, token_ids=ids if with_ids else None)).spans
    phrases = [text[span.start : span.end].strip() for span in spans]
    assert len(phrases) == 4
    assert len(set(phrases[:3])) == 1
    assert "dark" in phrases[0]
    assert phrases[0].startswith(phrases[3])
    assert spans[0].label.startswith("loop starts")
    assert spans[3].label == "repetition 4, cut off"
    assert text[: spans[0].start].rstrip().endswith("It was")


@given(st.text("ab ", max_size=8), st.text("ab ", min_size=2, max_size=6), st.integers(3, 6))
def test_evidence_of_a_loop_of_ids_is_in_the_text(before: str, phrase: str, times: int) -> None:
    text = before + phrase * times
    score = get("loop_rate_exact").measure(Output(text, token_ids=tuple(map(ord, text))))
    assert score.value == 1.0
    pieces = [text[span.start : span.end] for span in score.spans]
    whole = [piece for piece in pieces if len(piece) == len(pieces[0])]
    assert len(whole) >= 3
    assert len(set(whole)) == 1
    assert "".join(pieces) == text[score.spans[0].start :]


def test_no_evidence_is_made_up() -> None:
    """Ids may loop while the text given with them does not; then nothing is marked."""
    score = get("loop_rate_exact").measure(Output("nothing like it", token_ids=(1, 2) * 5))
    assert score.value == 1.0
    assert score.spans == ()


def test_evidence_of_the_released_rule_shows_two_copies() -> None:
    text = "So it was. one two three one two three"
    spans = get("loop_rate_degen").measure(Output(text)).spans
    assert [text[span.start : span.end] for span in spans] == ["one two three"] * 2


def escaped_by_trying(units: list[int]) -> set[tuple[int, int, int]]:
    """(onset, end, period) of the maximal runs of three phrases that end early, by trying all."""
    runs = []
    for period in range(1, len(units) // 3 + 1):
        for onset in range(len(units) - period):
            end = onset + period
            while end < len(units) and units[end] == units[end - period]:
                end += 1
            maximal = onset == 0 or units[onset - 1] != units[onset - 1 + period]
            if maximal and end - onset >= 3 * max(period, 2):
                runs.append((onset, end, period))
    kept = [
        run
        for run in runs
        if not any(
            other[0] <= run[0] and run[1] <= other[1]
            for other in runs
            if (other[1] - other[0], -other[2]) > (run[1] - run[0], -run[2])
        )
    ]
    return {run for run in kept if run[1] < len(units)}


@given(st.lists(st.integers(0, 2), max_size=30))
def test_escaped_loops_are_those_found_by_trying(units: list[int]) -> None:
    found = {(loop.onset, end, loop.period) for end, loop in find_escaped_loops(units)}
    assert found == escaped_by_trying(units)


def test_an_escaped_loop_is_shown_where_it_stands() -> None:
    text = "Then we go on and on and on and on, until  it stops.\nha ha ha ha ha ha ho"
    score = get("escaped_loops").measure(Output(text))
    assert score.value == 2
    shown = [text[span.start : span.end] for span in score.spans]
    assert shown == ["on and on and on and", "ha ha ha ha ha ha"]
    text = "We go on and on and on and on until it stops"
    score = get("escaped_loops").measure(Output(text))
    assert text[score.spans[0].start : score.spans[0].end] == "on and on and on and on"
    assert score.spans[0].label == "escaped loop: 3.5 times a phrase of 2"


def test_a_loop_at_the_end_has_not_been_escaped() -> None:
    assert get("escaped_loops").measure(Output("so on and on and on and on")).value == 0


def test_a_loop_within_a_loop_is_part_of_it() -> None:
    phrase = "we say no no no no no no and then we say it again"
    assert get("escaped_loops").measure(Output(f"{phrase} " * 4 + "but no more")).value == 1
    assert get("escaped_loops").measure(Output(f"{phrase} " * 4)).value == 0
