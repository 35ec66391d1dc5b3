"""Loops: whether, where and how an output repeats itself at its end.

`loop_rate`, the default metric, is the rule of the pitfall: see `metrics/pitfalls/rules.py`.

Units are token ids when the output has them, else words, or characters in text without spaces.
Two adjustments keep the end of the ids at
the end of the text: the id that ended the output (finish_reason eos) is left out, as the released
code of Holtzman et al. does with its end-of-text token; and after a stop string (finish_reason
stop) words are used, since the ids then run past the text by a number nobody knows.

Evidence needs characters. For words it is exact. For token ids no tokenizer is at hand, but equal
ids decode to equal characters, so a loop of ids is a loop of characters too: the evidence is the
longest run of equal phrases at the end of the text itself. Every phrase it marks therefore does
stand there that often, though the run may begin a few characters before the first looping token.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ethogram.metrics.base import NOT_APPLICABLE, Integers, Output, Score, Span, mean_score, metric
from ethogram.metrics.units import CYCLES, LOOPS, SHARE, TEXT_UNITS

#: The paper's rule: a phrase of at least two units, at least three times.
MIN_PHRASE, MIN_COPIES = 2, 3
#: Characters of a word, on average, above which white space does not separate words.
LONG_WORDS = 24
#: Letters of scripts that are written without spaces.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
Kind = Literal["tokens", "words", "characters"]
#: Pairs of equal units, for each unit, up to which their distances are counted one by one.
PAIRS_A_UNIT = 40
#: The released code's rule: longest phrase tried, and the copies a shorter phrase than 3 needs.
DEGEN_LONGEST, DEGEN_SHORT, DEGEN_MANY = 90, 3, 50


_HOLTZMAN = "Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, arXiv:1904.09751"
_DERIVED = f"derived for Ethogram from the loop rule of {_HOLTZMAN}"
_ONLY_LOOPING = "Covers only outputs that loop: read it together with loop_rate. "
_UNITS = (
    "Counts token ids if known, otherwise words, or characters in text without spaces: never "
    "compare two kinds."
)


@dataclass(frozen=True)
class Loop:
    """A run of equal phrases that reaches the end of a sequence.

    Attributes:
        onset: index of the unit where it begins.
        period: units in one phrase.
        cycles: phrases in the run; the last one may be cut, so not always whole.
    """

    onset: int
    period: int
    cycles: float


def common_suffixes(units: Sequence[Hashable]) -> list[int]:
    """For each p, how many last units equal those p before them: x[-i] == x[-i-p], i = 1, 2, ….

    The Z function of the reversed sequence (Gusfield 1997, section 1.3), O(T).
    """
    sequence = units[::-1]
    length = len(sequence)
    found = [length, *([0] * (length - 1))] if length else []
    left = right = 0
    for i in range(1, length):
        same = min(right - i, found[i - left]) if i < right else 0
        while i + same < length and sequence[same] == sequence[i + same]:
            same += 1
        found[i] = same
        if i + same > right:
            left, right = i, i + same
    return found


def find_loop(units: Sequence[Hashable]) -> Loop | None:
    """The loop at the end of a sequence: the one that begins first, with its smallest period.

    A phrase is at least `MIN_PHRASE` units; a run of one unit loops when it holds three such
    phrases, and its period is then 1. A loop cut in the middle of a phrase is found, since the
    last units of any rotation of the phrase repeat as well.
    """
    return _longest_run(units, MIN_COPIES, MIN_PHRASE)


def _longest_run(units: Sequence[Hashable], copies: int, least: int) -> Loop | None:
    """The run at the end that covers most of it: so many equal phrases of at least `least` units.

    A phrase of fewer units counts if the run is as long as one of `least` units has to be.
    """
    same = common_suffixes(units)
    best: tuple[int, int] | None = None
    for period in range(1, len(units) // copies + 1):
        length = period + same[period]
        if length >= copies * max(period, least) and (best is None or length > best[0]):
            best = (length, period)
    if best is None:
        return None
    length, period = best
    return Loop(len(units) - length, period, length / period)


def find_loop_degen(units: Sequence[Hashable]) -> tuple[int, int, bool]:
    """The rule of the released code: (phrase length, copies, verdict).

    The phrase is the one of 1..90 units with most whole copies at the end, the shortest of equals;
    it counts from two copies on if it has three units or more, else from 51 copies on.
    """
    same = common_suffixes(units)
    period, copies = 0, 0
    for candidate in range(1, min(DEGEN_LONGEST, len(units) - 1) + 1):
        whole = 1 + same[candidate] // candidate
        if whole > copies:
            period, copies = candidate, whole
    return period, copies, copies > 1 and (period >= DEGEN_SHORT or copies > DEGEN_MANY)


def _possible_periods(numbers: Integers) -> list[int]:
    """Periods at which enough units equal those before them for three phrases, wherever these are.

    Counts the distances between equal units, which prose has few of; a monotonous sequence has so
    many that trying every period is cheaper.
    """
    length = len(numbers)
    periods = range(1, length // MIN_COPIES + 1)
    places: dict[int, list[int]] = {}
    for place, number in enumerate(numbers.tolist()):
        places.setdefault(number, []).append(place)
    if sum(len(found) ** 2 for found in places.values()) > PAIRS_A_UNIT * length:
        return list(periods)
    distances = Counter(
        later - place
        for found in places.values()
        for at, place in enumerate(found)
        for later in found[at + 1 :]
    )
    needed = ((period, MIN_COPIES * max(period, MIN_PHRASE) - period) for period in periods)
    return [period for period, count in needed if distances[period] >= count]


def find_escaped_loops(units: Sequence[Hashable]) -> list[tuple[int, Loop]]:
    """The loops that end before the sequence does: (index after the last unit, loop), by onset.

    Maximal runs x[i] == x[i+p] (Kolpakov and Kucherov 1999) of three phrases or more, each with its
    smallest period; one that lies within another is left out. O(length² / 3) comparisons.
    """
    if len(units) < MIN_COPIES * MIN_PHRASE or max(Counter(units).values()) < MIN_COPIES:
        return []
    known: dict[Hashable, int] = {}
    numbers = np.array([known.setdefault(unit, len(known)) for unit in units])
    found: list[tuple[int, Loop]] = []
    for period in _possible_periods(numbers):
        same = np.flatnonzero(numbers[:-period] != numbers[period:])
        edges = np.concatenate(([-1], same, [len(units) - period]))
        needed = MIN_COPIES * max(period, MIN_PHRASE) - period
        for at in np.flatnonzero(np.diff(edges) > needed):
            onset, end = int(edges[at]) + 1, int(edges[at + 1]) + period
            found.append((end, Loop(onset, period, (end - onset) / period)))
    # The longest first, of equals the one with the smallest period: what lies within goes.
    found.sort(key=lambda item: (item[1].onset - item[0], item[1].period))
    outermost: list[tuple[int, Loop]] = []
    for end, loop in found:
        if not any(other.onset <= loop.onset and end <= stop for stop, other in outermost):
            outermost.append((end, loop))
    escaped = [(end, loop) for end, loop in outermost if end < len(units)]
    return sorted(escaped, key=lambda item: item[1].onset)


def loop_units(output: Output) -> tuple[Sequence[Hashable], Kind]:
    """Token ids where they are known and end where the text does, else words; and which."""
    if not output.token_ids or output.finish_reason == "stop":
        return output.words, "words"
    ids = output.token_ids
    return (ids[:-1] if output.finish_reason == "eos" else ids), "tokens"


def _units(output: Output) -> tuple[Sequence[Hashable], Kind]:
    """`loop_units`, but characters in place of words where spaces do not tell the words."""
    units, kind = loop_units(output)
    if kind == "words" and lacks_spaces(output.text):
        return output.text.rstrip(), "characters"
    return units, kind


def is_unspaced(text: str) -> bool:
    """Whether half of a text is of a script without spaces between words.

    Chinese, Japanese, Thai, Lao, Khmer and Burmese.
    """
    return 2 * len(_UNSPACED.findall(text)) > sum(map(len, text.split()))


def lacks_spaces(text: str) -> bool:
    """Whether spaces do not tell the words of a text.

    It `is_unspaced`, or its words are of more than `LONG_WORDS` characters on average, as rows of
    emoji or `hahaha…` are.
    """
    words = text.split()
    return is_unspaced(text) or sum(map(len, words)) > LONG_WORDS * len(words)


def _evidence(output: Output, loop: Loop, kind: Kind, copies: int) -> tuple[Span, ...]:
    """A span for each repetition, the first labelled as the onset."""
    text = output.text
    spans, run = output.word_spans, loop
    if kind == "characters":
        spans = [(index, index + 1) for index in range(len(text.rstrip()))]
    if kind == "tokens":
        spans = [(index, index + 1) for index in range(len(text))]
        found = _longest_run(text, copies, 1)
        if found is None:
            return ()
        run = found
    starts = range(run.onset, len(spans), run.period)
    return tuple(
        Span(
            spans[start][0],
            spans[min(start + run.period, len(spans)) - 1][1],
            _label(number, loop, cut=start + run.period > len(spans)),
        )
        for number, start in enumerate(starts, start=1)
    )


def _label(number: int, loop: Loop, *, cut: bool) -> str:
    if number == 1:
        return f"loop starts: {loop.cycles:.1f} times a phrase of {loop.period}"
    return f"repetition {number}, cut off" if cut else f"repetition {number}"


def _final_loop(output: Output) -> Loop | None:
    return find_loop(_units(output)[0])


def repetitions(output: Output) -> tuple[Span, ...]:
    """Where each repetition of the exact loop at the end is; none where there is no such loop."""
    loop = output.once(_final_loop)
    return _evidence(output, loop, _units(output)[1], MIN_COPIES) if loop else ()


@metric(
    "loop_rate_exact",
    title="Loop rate, exact",
    unit=SHARE,
    direction="lower",
    formula="share of outputs that end with a phrase of >= 2 units that occurs >= 3 times (the "
    "last may be cut off)",
    source=_HOLTZMAN,
    reference="the rule as the paper words it; brute force in tests/metrics",
    pitfalls="Finds only exact loops at the very end; loop_rate finds what a reader calls a "
    "loop. " + _UNITS,
)
def _loop_rate_exact(output: Output) -> Score:
    return mean_score(output.once(_final_loop) is not None, output.once(repetitions))


@metric(
    "loop_rate_degen",
    title="Loop rate, released rule",
    unit=SHARE,
    direction="lower",
    formula="share of outputs whose most repeated final phrase of 1..90 units occurs > 1 times, "
    "or > 50 times if shorter than 3 units",
    source=_HOLTZMAN,
    reference="ari-holtzman/degen, metrics/repetition.py (the rule behind the paper's table 1)",
    pitfalls="Two copies of three units are enough, but 'ab ab ab' is missed. Counts token ids "
    "if known, otherwise words; does not apply to words of scripts without spaces.",
)
def _loop_rate_degen(output: Output) -> Score:
    units, kind = loop_units(output)
    if kind == "words" and is_unspaced(output.text):
        return NOT_APPLICABLE
    period, copies, verdict = find_loop_degen(units)
    if not verdict:
        return mean_score(0.0)
    loop = Loop(len(units) - period * copies, period, copies)
    return mean_score(1.0, _evidence(output, loop, kind, 2))


@metric(
    "loop_onset",
    title="Loop onset",
    unit=TEXT_UNITS,
    direction="higher",
    formula="units before the loop at the end; mean over the outputs that loop",
    source=_DERIVED,
    reference="brute force in tests/metrics",
    pitfalls=_ONLY_LOOPING + _UNITS,
)
def _loop_onset(output: Output) -> Score:
    loop = output.once(_final_loop)
    return NOT_APPLICABLE if loop is None else mean_score(loop.onset, output.once(repetitions))


@metric(
    "loop_period",
    title="Loop period",
    unit=TEXT_UNITS,
    direction="none",
    formula="units in the phrase that repeats; mean over the outputs that loop",
    source=_DERIVED,
    reference="brute force in tests/metrics",
    pitfalls=_ONLY_LOOPING + _UNITS,
)
def _loop_period(output: Output) -> Score:
    loop = output.once(_final_loop)
    return NOT_APPLICABLE if loop is None else mean_score(loop.period)


@metric(
    "loop_cycles",
    title="Loop cycles",
    unit=CYCLES,
    direction="none",
    formula="(units - onset) / period; mean over the outputs that loop",
    source=_DERIVED,
    reference="brute force in tests/metrics",
    pitfalls=_ONLY_LOOPING + "Grows with the length allowed.",
)
def _loop_cycles(output: Output) -> Score:
    loop = output.once(_final_loop)
    return NOT_APPLICABLE if loop is None else mean_score(loop.cycles)


@metric(
    "escaped_loops",
    title="Escaped loops",
    unit=LOOPS,
    direction="lower",
    formula="runs of a phrase of >= 2 words, >= 3 times, that end before the output does; mean "
    "over outputs",
    source=f"{_DERIVED}; maximal runs of Kolpakov and Kucherov 1999",
    reference="brute force in tests/metrics",
    pitfalls="Always counts words, even if token ids are known, so that its evidence is exact. "
    "Refrains, counting and tables repeat legitimately. A loop at the end counts only in "
    "loop_rate.",
)
def _escaped_loops(output: Output) -> Score:
    if lacks_spaces(output.text):
        return NOT_APPLICABLE
    escaped = find_escaped_loops(output.words)
    spans = output.word_spans
    evidence = tuple(
        Span(
            spans[loop.onset][0],
            spans[end - 1][1],
            f"escaped loop: {loop.cycles:.1f} times a phrase of {loop.period}",
        )
        for end, loop in escaped
    )
    return mean_score(len(escaped), evidence)
