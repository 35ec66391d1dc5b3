"""Traces as bytes: the arrays one after the other, compressed.

The bytes are zlib over the little-endian arrays of `Trace` in the order of `_FIELDS`. Each array is
contiguous, because values of one kind compress best together.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from ethogram.spec.generation import Trace
from ethogram.spec.steps import current_name

#: Field, type, and the name of its second dimension.
_FIELDS = (
    ("entropy", "<f4", None),
    ("rank", "<i4", None),
    ("probability", "<f4", None),
    ("alternatives", "<i4", "alternatives"),
    ("alternative_logprobs", "<f4", "alternatives"),
    ("kept", "<i4", "steps"),
)


def pack(trace: Trace) -> bytes:
    """The arrays of a trace as bytes."""
    parts = (np.asarray(getattr(trace, name), kind).tobytes() for name, kind, _ in _FIELDS)
    return zlib.compress(b"".join(parts))


def unpack(data: bytes, *, tokens: int, alternatives: int, steps: tuple[str, ...]) -> Trace:
    """The trace of packed bytes.

    Args:
        data: made by `pack`.
        tokens: length of the output.
        alternatives: per token.
        steps: names of the sampling steps recorded.

    Raises:
        ValueError: the bytes are damaged, or have another shape.
    """
    widths = {None: 1, "alternatives": alternatives, "steps": len(steps)}
    sizes = [4 * tokens * widths[across] for _, _, across in _FIELDS]
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(data, sum(sizes) + 1)
    except zlib.error as error:
        raise ValueError(f"a stored trace is damaged: {error}") from None
    if len(raw) != sum(sizes):
        raise ValueError(f"a stored trace has {len(raw)} bytes, not {sum(sizes)}")
    arrays: dict[str, Any] = {}
    start = 0
    for (name, kind, across), size in zip(_FIELDS, sizes, strict=True):
        values = np.frombuffer(raw, kind, size // 4, start)
        arrays[name] = values if across is None else values.reshape(tokens, widths[across])
        start += size
    return Trace(steps=tuple(map(current_name, steps)), **arrays)
