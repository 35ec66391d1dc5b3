"""Identity: one digest per behaviour, from canonical JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any


def digest(form: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of `form`: sorted keys, no spaces, shortest floats."""
    return hashlib.sha256(_canonical(form)).hexdigest()


def digest_of(form: dict[str, Any], field: str) -> Callable[[int | None], str]:
    """`digest({**form, field: number})` as a function of the number.

    The rest of the form is written and hashed once, however many numbers there are.

    Args:
        form: without the field.
        field: its name.
    """
    before = {name: value for name, value in form.items() if name < field}
    after = {name: value for name, value in form.items() if name > field}
    head = _canonical(before)[:-1] + (b"," if before else b"") + json.dumps(field).encode() + b":"
    tail = (b"," if after else b"") + _canonical(after)[1:]
    hashed = hashlib.sha256(head)

    def identify(number: int | None) -> str:
        whole = hashed.copy()
        whole.update((b"null" if number is None else b"%d" % number) + tail)
        return whole.hexdigest()

    return identify


def noise_key(*parts: str | int) -> int:
    """A 64-bit key from the parts, unsigned: the start of a stream of sampling noise."""
    return int(digest(list(parts))[:16], 16)


def noise_keys(*parts: str | int) -> Callable[[int], int]:
    """`noise_key(*parts, index)` as a function of the index."""
    head = _canonical(list(parts))[:-1] + (b"," if parts else b"")

    def key(index: int) -> int:
        hashed = hashlib.sha256(head + b"%d]" % index)
        return int.from_bytes(hashed.digest()[:8], "big")

    return key


def _canonical(form: Any) -> bytes:
    text = json.dumps(_numbers_agree(form), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def _numbers_agree(form: Any) -> Any:
    """1 and 1.0 are one setting, so whole floats are written as integers."""
    if isinstance(form, float) and form.is_integer():
        return int(form)
    if isinstance(form, dict):
        return {key: _numbers_agree(value) for key, value in form.items()}
    if isinstance(form, list | tuple):
        return [_numbers_agree(value) for value in form]
    return form
