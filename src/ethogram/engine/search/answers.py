"""The answer in an output's text, and which answer has the majority."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from ethogram.spec.decoding import Decoding
from ethogram.spec.patterns import Pattern

#: A number as people write it: a sign, thousands separated by commas, decimals; not inside a word.
_NUMBER = re.compile(r"(?<![\w.])([-+\u2212]?)((?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)")


def answer_of(text: str, decoding: Decoding) -> str | None:
    """The answer that an output gives, in a form in which equal answers are equal strings.

    Args:
        text: the output.
        decoding: its `answer` is the rule: the last number, the last match of
            `answer_pattern` (its first group, where it has one), or the whole text.

    Returns:
        The answer, or None where there is none.

    Raises:
        SpecError: `answer_pattern` takes too long.
    """
    if decoding.answer == "last_number":
        numbers = _NUMBER.findall(text)
        return _plain_number(*numbers[-1]) if numbers else None
    if decoding.answer == "pattern":
        pattern = Pattern(decoding.answer_pattern or "", where="decoding.answer_pattern")
        match = pattern.last(text)
        text = match.group(match.re.groups and 1) or "" if match else ""
    return _plain_text(text) or None


def _plain_number(sign: str, digits: str) -> str:
    """1,234.50 and 1234.5 are one number; digits are kept as text, so that none is rounded."""
    whole, _, part = digits.replace(",", "").partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    size = f"{whole}.{part}" if part else whole
    return size if sign in ("", "+") or size == "0" else f"-{size}"


def _plain_text(text: str) -> str:
    """Without differences of case, of spaces and of signs at the ends."""
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return " ".join(words).strip(" .,;:!?\"'()[]{}*_`")


def majority(answers: Sequence[str | None]) -> int:
    """The candidate that a majority vote chooses.

    Of several answers with most votes the one wins that reaches their number first, in the order
    of the candidates; of the candidates that gave it, the first. Candidates without an answer do
    not vote; where none has one, the first candidate is chosen.
    """
    votes = Counter(answer for answer in answers if answer is not None)
    most = max(votes.values(), default=0)
    seen: Counter[str] = Counter()
    for answer in answers:
        if answer is not None:
            seen[answer] += 1
            if seen[answer] == most:
                return answers.index(answer)
    return 0
