"""Files of others cannot ask for more memory or time than they are long."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from ethogram.errors import ModelError, SpecError
from ethogram.models.gguf import check_gguf
from ethogram.spec.source import parse_yaml, read_yaml
from ethogram.spec.space import parse_axis


def text(words: str) -> bytes:
    """A text as GGUF has it."""
    return struct.pack("<Q", len(words)) + words.encode()


def header(pairs: bytes = b"", *, tensors: int = 0, count: int = 1, rest: bytes = b"") -> bytes:
    """A GGUF file."""
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, count) + pairs + rest + bytes(64)


def array(kind: int, count: int) -> bytes:
    """A key whose value is an array."""
    return text("a") + struct.pack("<IIQ", 9, kind, count)


@pytest.mark.fault("a GGUF header states an array of more elements than the file has bytes")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (header(array(0, 2**64 - 1)), "18,446,744,073,709,551,615 elements of 'a'"),
        (header(array(4, 2**40)), "1,099,511,627,776 elements of 'a'"),
        (header(array(8, 2**63)), "elements of 'a'"),
        (header(array(9, 1) + struct.pack("<IQ", 9, 2**64 - 1)), "arrays in an array"),
        (header(count=2**64 - 1), "18,446,744,073,709,551,615 keys"),
        (header(count=0, tensors=2**62), "4,611,686,018,427,387,904 tensors"),
        (header(struct.pack("<Q", 2**63)), "a name of"),
        (header(text("a") + struct.pack("<IQ", 8, 2**63)), "characters"),
        (header(text("a") + struct.pack("<I", 99)), "unknown type 99"),
        (
            header(count=0, tensors=1, rest=text("w") + struct.pack("<I", 2**31)),
            "2,147,483,648 dimensions",
        ),
        (
            header(
                count=0,
                tensors=1,
                rest=text("w") + struct.pack("<IQQIQ", 2, 2**32, 2**32, 0, 0),
            ),
            "'w' ends behind the end",
        ),
        (header(array(0, 4_000_000) + bytes(4_000_000)), "more than 3,000,000 elements"),
    ],
)
def test_a_gguf_header_states_no_more_than_the_file_holds(
    tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(content)
    began = time.monotonic()
    with pytest.raises(ModelError, match="not a GGUF file") as caught:
        check_gguf(file)
    assert said in str(caught.value)
    assert time.monotonic() - began < 5


def laughs(levels: int) -> str:
    """A YAML text whose aliases stand for ten to the power of `levels` values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        laughs(6),
        laughs(12),
        "a0: &a0 {k: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)),
        f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1000)}]\n",
    ],
)
def test_aliases_of_yaml_do_not_stand_for_more_than_memory_holds(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "version.yaml"
    file.write_text(content)
    began = time.monotonic()
    with pytest.raises(SpecError, match=r"version\.yaml: its aliases stand for more than"):
        read_yaml(file)
    assert time.monotonic() - began < 5


def test_some_aliases_are_read() -> None:
    found = parse_yaml("a: &a {x: [1, 2]}\nb: *a\nc: {<<: *a, y: 3}\n")
    assert found == {"a": {"x": [1, 2]}, "b": {"x": [1, 2]}, "c": {"x": [1, 2], "y": 3}}
    assert len(parse_yaml(laughs(4))["a3"]) == 10


def test_aliases_of_an_option_are_bounded_too() -> None:
    inside = ", ".join(["*a"] * 1000)
    with pytest.raises(SpecError, match="cannot parse these values"):
        parse_axis(f"decoding.stop=[&a {'x' * 10_000}, {inside}]")
