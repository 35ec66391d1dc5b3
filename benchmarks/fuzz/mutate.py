"""Mutations: broken and hostile variants of a valid input, from a seeded generator."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

#: Pieces that have broken parsers: of YAML, JSON, Jinja, Unicode, numbers and paths.
PIECES = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r\n", b"\t", b"\x1f\x8b", b"PK"),
    *(b"&a ", b"*a", b"<<: *a", b"!!set ", b"!!python/name:os.system ", b"!x ", b"? ", b"---\n"),
    *(
        b"- ",
        b": ",
        b"|\n",
        b">-\n",
        b"{",
        b"}",
        b"[",
        b"]",
        b"[" * 200,
        b'{"a":' * 200,
        b'"',
        b"'",
    ),
    *(b"{{ 9 ** 9 ** 9 }}", b"{{ 'a' * 999999999 }}", b"{% for a in range(99999) %}", b"{{ x.y }}"),
    *(b"1e999", b"-1", b"0x7f", b".nan", b".inf", b"9" * 5000, b"1_000", b"null", b"true", b"~"),
    *(b"2001-01-01", b"12:30:45", b"../../../etc/passwd", b"\\ud800", b"\\u0000", b"(a|a)*$"),
)
#: Values in place of one of a JSON document.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 0.5, 1e308, -1e-308),
    *("", "a", "\x00", "\ud800", "é" * 50, "9" * 5000, "x" * 20_000, "v0.0.1", "../x", "{{ x }}"),
    *([], [[]], {}, {"": 0}, [None], ["a", 1], {"a": {"b": {}}}, [[[[[[]]]]]]),
)
_NUMBERS = (0, 1, 127, 255, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1)


def mutated(seeds: list[bytes], chance: random.Random) -> bytes:
    """A variant of one of the seeds: of its bytes, or of its values if it is JSON."""
    seed = chance.choice(seeds)
    if chance.random() < 0.4:
        changed = _other_values(seed, chance)
        if changed is not None:
            return changed
    data = bytearray(seed)
    for _ in range(1 + int(chance.expovariate(0.5))):
        _change(data, seeds, chance)
    return bytes(data[:1_000_000])


def _change(data: bytearray, seeds: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + 1 + int(chance.expovariate(0.1)))
    kind = chance.randrange(7)
    if kind == 0:
        data[at:at] = chance.choice(PIECES)
    elif kind == 1:
        data[at:end] = chance.choice(PIECES)
    elif kind == 2:
        del data[at:end]
    elif kind == 3:
        data[at:at] = data[at:end] * chance.choice((1, 2, 50))
    elif kind == 4 and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 5:
        form = chance.choice(("<I", "<Q"))
        number = chance.choice(_NUMBERS) % 2 ** (8 * struct.calcsize(form))
        data[at : at + struct.calcsize(form)] = struct.pack(form, number)
    else:
        other = chance.choice(seeds)
        start = chance.randrange(len(other) + 1)
        data[at:end] = other[start : start + 200]


def _other_values(seed: bytes, chance: random.Random) -> bytes | None:
    """A JSON document, or a line of JSON lines, with some of its values replaced."""
    try:
        lines = [json.loads(line) for line in seed.splitlines() if line.strip()]
    except ValueError:
        try:
            lines = [json.loads(seed)]
        except ValueError:
            return None
    if not lines:
        return None
    at = chance.randrange(len(lines))
    for _ in range(chance.choice((1, 1, 2, 4))):
        lines[at] = _replaced(lines[at], chance)
    return "\n".join(map(json.dumps, lines)).encode()


def _replaced(value: Any, chance: random.Random) -> Any:
    """A value in which one part, at any depth, is another or is gone."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.1:
        return chance.choice(VALUES)
    key: Any = (
        chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
    )
    changed: Any = dict(value) if isinstance(value, dict) else list(value)
    if chance.random() < 0.1:
        del changed[key]
    else:
        changed[key] = _replaced(changed[key], chance)
    return changed
