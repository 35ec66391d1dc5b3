"""How much a template may make: sizes of values, and what an operation would make of them.

A single operation can make a text of any length, so its size is estimated before it runs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Set, ValuesView
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.utils import Namespace

#: Characters of one value or of the rendered text: some two million tokens.
MOST_TEXT = 10_000_000
#: Characters of all values that a rendering makes, which bounds its memory.
MOST_WORK = 150_000_000
#: Operations and passes of loops, and values that are measured.
MOST_STEPS = 5_000_000
#: Seconds of one rendering. Templates take milliseconds; a busy machine is many times slower.
MOST_SECONDS = 10.0
#: Characters for filters that take quadratic time.
MOST_SLOW = 100_000
_VALUE = 64  # What a value counts beside its characters: its bytes in Python.
_SLOW = {"pprint", "striptags", "title", "urlize", "wordwrap", "xmlattr"}
_PERCENT = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(\d+|\*)?(?:\.(\d+|\*))?")
_BRACES = re.compile(r"\{[^{}:]*:([^{}]*)(\{)?")


class TooMuchError(SecurityError):
    """A template takes too long or makes too much."""


class Spent:
    """What one rendering has used so far."""

    def __init__(self) -> None:
        self._steps = self._work = 0
        self._until = time.monotonic() + MOST_SECONDS

    def step(self, count: int = 1) -> None:
        """Count operations.

        Raises:
            TooMuchError: there are too many, or they take too long.
        """
        self._steps += count
        if self._steps > MOST_STEPS:
            raise TooMuchError(f"it takes more than {MOST_STEPS:,} steps")
        if time.monotonic() > self._until:
            raise TooMuchError(f"it takes longer than {MOST_SECONDS:g} s")

    def made(self, value: Any) -> Any:
        """Count a value that the template made; returns it.

        Raises:
            TooMuchError: it is too large, or all of them together are.
        """
        self.step()
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, str | bytes):
            self._work += len(value)
            check(len(value))
        else:
            self._work += self.size(value)[1]
        if self._work > MOST_WORK:
            raise TooMuchError(f"it makes more than {MOST_WORK:,} characters in all")
        return value

    def size(self, value: Any, *, outermost: bool = True) -> tuple[int, int]:
        """Characters of a value with all that it holds, and what of them is not shared text.

        Raises:
            TooMuchError: there are too many, or a namespace is within another value: it can
                change later, so that its size would not be known.
        """
        total = own = count = 0
        pending = [value]
        while pending:
            each = pending.pop()
            count += 1
            own += _VALUE
            if isinstance(each, str | bytes):
                total += len(each)
            elif isinstance(each, int):
                total += each.bit_length() // 8
            elif isinstance(each, Mapping):
                pending += [*each.keys(), *each.values()]
            elif isinstance(each, range):
                own += _VALUE * len(each)
            elif isinstance(each, list | tuple | Set | ValuesView):
                pending += each
            elif isinstance(each, Namespace):
                if count > 1 or not outermost:
                    raise TooMuchError("it puts a namespace into another value")
                pending += _attributes(each).values()
            if total + own > MOST_TEXT:
                check(total + own)
        self.step(count)
        return total + own, own


def _attributes(namespace: Namespace) -> dict[str, Any]:
    found: dict[str, Any] = object.__getattribute__(namespace, "_Namespace__attrs")
    return found


def check(size: float) -> None:
    """Refuse a size that no text of a template needs.

    Raises:
        TooMuchError: it is too large.
    """
    if size > MOST_TEXT:
        raise TooMuchError(f"it makes a text of more than {MOST_TEXT:,} characters")


def check_operation(operator: str, left: Any, right: Any, spent: Spent) -> None:
    """Estimate what an operator would make.

    Raises:
        TooMuchError: it is too large.
    """
    if isinstance(left, int) and isinstance(right, int):
        if operator == "**" and abs(left) > 1:
            check(left.bit_length() * max(right, 0))
        elif operator == "*":
            check(left.bit_length() + right.bit_length())
    elif operator == "*":
        times, what = (left, right) if isinstance(left, int) else (right, left)
        if isinstance(times, int) and isinstance(what, str | bytes):
            check(times * len(what))
        elif isinstance(times, int) and not isinstance(what, float):
            check(times * spent.size(what)[0])
    elif operator == "%" and isinstance(left, str | bytes):
        text = left if isinstance(left, str) else left.decode("latin-1")
        check_percent(text, right, spent)
    elif operator == "+" and not isinstance(left, int | float):
        check(spent.size(left)[0] + spent.size(right)[0])


def check_percent(text: str, values: Any, spent: Spent) -> None:
    """Estimate what a text with percent signs makes of values."""
    fields = _PERCENT.findall(text)
    widths = [part for field in fields for part in field if part]
    check(len(text) + max(len(fields), 1) * _largest(widths, "*" in widths, values, spent))


def check_braces(text: str, values: Any, spent: Spent) -> None:
    """Estimate what `format` makes of values."""
    fields = _BRACES.findall(text)
    widths = [width for spec, _ in fields for width in re.findall(r"\d+", spec)]
    nested = any(inner for _, inner in fields)
    check(len(text) + max(text.count("{"), 1) * _largest(widths, nested, values, spent))


def _largest(widths: list[str], computed: bool, values: Any, spent: Spent) -> float:
    """The most characters of one field: its width, or its value."""
    written = [float(width[:12]) for width in widths if width != "*"]
    given = _numbers(values) if computed else []
    return max([spent.size(values)[0], *written, *given])


def _numbers(values: Any) -> list[float]:
    listed = values.values() if isinstance(values, Mapping) else values
    if not isinstance(listed, list | tuple) and not hasattr(listed, "__iter__"):
        listed = [listed]
    found: list[float] = []
    for each in listed:
        if isinstance(each, list | tuple | Mapping):
            found += _numbers(each)
        elif isinstance(each, int):
            found.append(float(min(abs(each), 10**12)))
        elif isinstance(each, str) and each.isdecimal():
            found.append(float(each[:12]))
    return found


def check_text_method(text: str | bytes, name: str, args: list[Any], spent: Spent) -> None:
    """Estimate what a method of a text would make."""
    numbers = [each for each in args if isinstance(each, int)]
    first = args[0] if args else ""
    if name in ("center", "ljust", "rjust", "zfill"):
        check(max([len(text), *numbers]))
    elif name == "expandtabs":
        check(len(text) * max([8, *numbers]))
    elif name == "replace" and len(args) > 1 and isinstance(first, type(text)):
        times = text.count(first) if isinstance(text, str) else len(text)  # type: ignore[arg-type]
        check(len(text) + times * spent.size(args[1])[0])
    elif name == "join":
        check(spent.size(first)[0] * (1 + len(text) / _VALUE))
    elif name == "translate":
        check(len(text) * (1 + spent.size(first)[0] / (2 * _VALUE)))


def check_filter(name: str, value: Any, args: list[Any], spent: Spent) -> None:
    """Estimate what a filter would make of a value.

    Raises:
        TooMuchError: it is too large, or would take too long.
    """
    if name in _SLOW and spent.size(value)[0] > MOST_SLOW:
        raise TooMuchError(f"{name} gets more than {MOST_SLOW:,} characters")
    numbers = [abs(each) for each in args if isinstance(each, int)]
    texts = [len(each) for each in args if isinstance(each, str)]
    if name == "center":
        check(max(numbers, default=0))
    elif name == "round" and max(numbers, default=0) > 400:
        raise TooMuchError("round gets more than 400 digits")
    elif name == "sum" and any(not isinstance(each, str | int | float) for each in args):
        raise TooMuchError("sum adds numbers only")
    elif name in ("batch", "slice"):
        check(_VALUE * (spent.size(value)[0] + max(numbers, default=0)))
    elif name in ("indent", "wordwrap", "tojson", "join"):
        most = max([*numbers, *texts, *(spent.size(each)[0] for each in args), 1])
        pieces = value.count("\n") + 1 if name == "indent" and isinstance(value, str) else None
        size = spent.size(value)[0]
        check(size + (size / _VALUE if pieces is None else pieces) * most)
    elif name == "replace" and len(args) > 1 and isinstance(args[0], str):
        check_text_method(str(value), "replace", args, spent)
    elif name == "format":
        check_percent(str(value), args, spent)
