"""Data of a report, packed: rows of charts by column, equal columns once, all of it compressed.

Charts of one sweep or training draw the same values many times over, and their specifications are
alike. `web/src/offline.ts` unpacks them.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

#: Rows from which on a table is packed.
_FEW = 4


class Columns:
    """The columns of all tables, equal ones once."""

    def __init__(self) -> None:
        self.all: list[list[Any]] = []
        self._places: dict[str, int] = {}

    def pack(self, value: Any) -> Any:
        """JSON in which each `{"values": [rows]}` is `{"packed": {column: place in all}}`."""
        if isinstance(value, list):
            return [self.pack(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"values"} and _is_table(value["values"]):
            return {"packed": self._table(value["values"])}
        return {key: self.pack(each) for key, each in value.items()}

    def _table(self, rows: list[dict[str, Any]]) -> dict[str, int]:
        return {name: self._place([row[name] for row in rows]) for name in rows[0]}

    def _place(self, column: list[Any]) -> int:
        text = json.dumps(column)
        if text not in self._places:
            self._places[text] = len(self.all)
            self.all.append(column)
        return self._places[text]


def _is_table(value: Any) -> bool:
    """Whether it is a list of rows that have the same columns."""
    if not isinstance(value, list) or len(value) < _FEW or not isinstance(value[0], dict):
        return False
    names = list(value[0])
    return bool(names) and all(isinstance(row, dict) and list(row) == names for row in value)


def compressed(data: Any) -> str:
    """JSON as text of letters and digits, the same for equal data."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()
