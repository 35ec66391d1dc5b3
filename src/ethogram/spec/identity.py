"""Identity: one digest per behaviour, from canonical JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest(form: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of `form`: sorted keys, no spaces, shortest floats."""
    text = json.dumps(_numbers_agree(form), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def noise_key(*parts: str | int) -> int:
    """A 64-bit key from the parts, unsigned: the start of a stream of sampling noise."""
    return int(digest(list(parts))[:16], 16)


def _numbers_agree(form: Any) -> Any:
    """1 and 1.0 are one setting, so whole floats are written as integers."""
    if isinstance(form, float) and form.is_integer():
        return int(form)
    if isinstance(form, dict):
        return {key: _numbers_agree(value) for key, value in form.items()}
    if isinstance(form, list | tuple):
        return [_numbers_agree(value) for value in form]
    return form
