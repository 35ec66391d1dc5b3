"""Regular expressions that a file or a person brings, matched within a time.

Python's `re` cannot be stopped, and a pattern of ten characters can take longer than the universe.
The `regex` package reads the same patterns and has a time limit.
"""

from __future__ import annotations

import importlib
import re
import time
from typing import Any

from ethogram.errors import SpecError

#: Seconds of one search of a file's pattern in one text.
SECONDS = 5.0
#: Characters of a pattern, which is compiled without a limit.
LONGEST = 10_000


def fault_of(text: str) -> str | None:
    """Why a text is not a regular expression of Python; None if it is one."""
    if len(text) > LONGEST:
        return f"more than {LONGEST:,} characters"
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None


class Pattern:
    """A regular expression whose searches end.

    Args:
        text: the expression.
        where: it comes from, for messages.
        ignore_case: match letters of either case.

    Raises:
        SpecError: it is not a regular expression.
    """

    def __init__(self, text: str, *, where: str, ignore_case: bool = False) -> None:
        regex: Any = importlib.import_module("regex")
        self._text, self._where = text, where
        try:
            if len(text) > LONGEST:
                raise ValueError(f"more than {LONGEST:,} characters")
            self._compiled: Any = regex.compile(text, regex.IGNORECASE if ignore_case else 0)
        except (regex.error, ValueError, OverflowError, RecursionError) as error:
            raise SpecError(f"not a regular expression: {error}", where=where) from None

    def search(self, text: str, *, seconds: float = SECONDS, limit: float = SECONDS) -> Any:
        """The first match in a text, or None.

        Args:
            text: where to search.
            seconds: how long it may take.
            limit: the time that the message names.

        Raises:
            SpecError: it takes longer.
        """
        try:
            return self._compiled.search(text, timeout=max(seconds, 0.001))
        except TimeoutError:
            raise self._slow(limit) from None

    def last(self, text: str) -> Any:
        """The last match in a text, or None; all searches together take `SECONDS` at most.

        Raises:
            SpecError: they take longer.
        """
        last, until = None, time.monotonic() + SECONDS
        try:
            for found in self._compiled.finditer(text, timeout=SECONDS):
                last = found
                if time.monotonic() > until:
                    raise TimeoutError
        except TimeoutError:
            raise self._slow(SECONDS) from None
        return last

    def _slow(self, seconds: float) -> SpecError:
        shown = self._text if len(self._text) <= 80 else f"{self._text[:80]}…"
        return SpecError(
            f"the regular expression {shown!r} takes longer than {seconds:g} s",
            where=self._where,
            hint="write one without nested repetitions",
        )
