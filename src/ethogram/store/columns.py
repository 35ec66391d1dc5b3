"""Columns: types that hold the same values in SQLite and in PostgreSQL, in the same order.

SQLite ignores the length of a string column, orders text by code point and stores NaN as null.
PostgreSQL refuses a longer string and NUL in a text, orders text by a language, and keeps NaN.
"""

from __future__ import annotations

import math
import re
from typing import Any

from sqlalchemy import BigInteger, Dialect, Double, Float, Integer, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

#: Marks an escape in a text of PostgreSQL. Unicode reserves it for internal use, so texts do not
#: have it; one that does is escaped too.
_MARK = "\ufdd0"
_ESCAPES = {_MARK: f"{_MARK}m", "\0": f"{_MARK}0"}
_PLAIN = {escape: plain for plain, escape in _ESCAPES.items()}
_NEEDS_ESCAPE = re.compile(f"[{_MARK}\0]")
_ESCAPED = re.compile(f"{_MARK}[m0]")


class Words(TypeDecorator[str]):
    """A string of any length, ordered by code point.

    Args:
        length: of most values; only the declaration of an SQLite table shows it.
    """

    impl = Text
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type of the database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Text(collation="C"))
        return dialect.type_descriptor(String(self.length) if self.length else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape NUL, which PostgreSQL does not store in a text."""
        if value is None or dialect.name != "postgresql":
            return value
        return _NEEDS_ESCAPE.sub(lambda found: _ESCAPES[found[0]], value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The text as it was."""
        if value is None or dialect.name != "postgresql" or _MARK not in value:
            return value
        return _ESCAPED.sub(lambda found: _PLAIN[found[0]], value)


class Real(TypeDecorator[float]):
    """A number of 64 bits; NaN is stored as null."""

    impl = Float
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type of the database."""
        return dialect.type_descriptor(Double() if dialect.name == "postgresql" else Float())

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        """NaN as null, as SQLite has it."""
        return None if value is None or math.isnan(value) else value


#: A count that may exceed 2³¹.
Count = BigInteger().with_variant(Integer(), "sqlite")
