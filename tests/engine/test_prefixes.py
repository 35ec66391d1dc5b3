"""Shared prefixes: one copy is read for all rows that hold it, and no bit changes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine import tiny
from tests.engine.sweeps import PROMPTS, run, sweep
from tests.profiles import examples

from ethogram.engine import Engine, native
from ethogram.engine.forward.decode_attention import attend
from ethogram.engine.forward.kv_cache import SlotCache
from ethogram.engine.forward.shared_prefixes import PrefixGroups, PrefixReads

SLOTS, ROOM = 6, 12
SLOT, LENGTH = st.integers(0, SLOTS - 1), st.integers(1, ROOM)
#: What a batch does with its slots; each is a name and numbers, read as far as it needs them.
ACTS = st.lists(
    st.tuples(st.sampled_from(["begin", "join", "copy", "swap", "write"]), SLOT, SLOT, LENGTH),
    max_size=40,
)


class Mirror:
    """Slots of plain numbers beside the prefix groups, every number written once."""

    def __init__(self) -> None:
        self.prefixes = PrefixGroups(SLOTS)
        self.held = np.arange(SLOTS * ROOM).reshape(SLOTS, ROOM)
        self.next = SLOTS * ROOM
        self.last: tuple[int, np.ndarray[Any, Any]] | None = None

    def fresh(self, count: int) -> np.ndarray[Any, Any]:
        self.next += count
        return np.arange(self.next - count, self.next)

    def act(self, name: str, one: int, two: int, length: int) -> None:
        if name == "begin":
            prompt = self.fresh(length)
            self.held[one, :length] = prompt
            self.last = (self.prefixes.begin(one, length), prompt)
        elif name == "join" and self.last:
            group, prompt = self.last
            self.held[one, : len(prompt)] = prompt
            self.prefixes.join(one, group, len(prompt))
        elif name == "copy":
            self.held[two, :length] = self.held[one, :length]
            self.prefixes.follow(one, two, length)
        elif name == "swap" and one != two:
            self.held[[one, two], :length] = self.held[[two, one], :length]
            self.prefixes.reorder([two, one], [one, two], length)
        elif name == "write":
            first, count = min(one, two), abs(one - two) + 1
            places = [(length + 5 * row) % ROOM for row in range(count)]
            self.held[range(first, first + count), places] = self.fresh(count)
            self.prefixes.write(first, places)


@settings(max_examples=examples(300))
@given(ACTS, SLOT, SLOT)
def test_a_row_reads_what_it_holds(acts: list[Any], one: int, two: int) -> None:
    mirror = Mirror()
    for act in acts:
        mirror.act(*act)
    first, rows, heads = min(one, two), abs(one - two) + 1, 3
    reads = mirror.prefixes.reads(first, rows, heads)
    if reads is None:
        return
    held = mirror.held[first : first + rows]
    for row, (source, length) in enumerate(zip(reads.rows, reads.lengths, strict=True)):
        assert (held[source, :length] == held[row, :length]).all()
    assert sorted(reads.order.tolist()) == list(range(rows * heads))
    # Those that read one head of one copy stand side by side.
    read = [(int(reads.rows[task // heads]), task % heads) for task in reads.order.tolist()]
    changes = sum(before != after for before, after in itertools.pairwise(read))
    assert changes == len(set(read)) - 1


def test_rows_of_one_prompt_share_all_of_it() -> None:
    """What the property test would also pass without: that anything is shared at all."""
    prefixes = PrefixGroups(5)
    group = prefixes.begin(0, 7)
    prefixes.join(1, group, 7)
    prefixes.begin(2, 4)
    prefixes.follow(1, 3, 9)  # Two tokens after the prompt, then its outputs part.
    reads = prefixes.reads(0, 4, 1)
    assert reads is not None
    assert reads.lengths.tolist() == [7, 7, 4, 7]
    assert len({int(reads.rows[row]) for row in (0, 1, 3)}) == 1
    assert int(reads.rows[2]) == 2
    assert prefixes.reads(1, 2, 1) is None
    assert prefixes.reads(0, 4, 1) is reads  # found once for as long as it holds
    prefixes.write(0, [7, 7, 4, 9])
    assert prefixes.reads(0, 4, 1) is reads
    prefixes.write(3, [0])  # what padding does to a slot that nobody holds
    again = prefixes.reads(0, 4, 1)
    assert again is not None
    assert again.lengths.tolist() == [7, 7, 4, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("shape", [(9, 3, 64), (4, 4, 16), (8, 2, 128), (3, 1, 20)], ids=str)
def test_only_the_shared_copy_is_read(shape: tuple[int, int, int], dtype: torch.dtype) -> None:
    """To the bit what each row's own copy gives, with the others' prefixes made unreadable."""
    library = native.library()
    if library is None:
        pytest.skip("no C++ compiler here")
    heads, kv_heads, dim = shape
    rows, places = 7, 90
    generator = torch.Generator().manual_seed(dim)
    query = torch.randn(rows, heads, 1, dim, generator=generator).to(dtype)
    key, value = (
        torch.randn(rows, kv_heads, places, dim, generator=generator).to(dtype) for _ in "kv"
    )
    prefixes = PrefixGroups(rows)
    families = [prefixes.begin(row, length) for row, length in ((0, 33), (1, 50))]
    for row in range(2, rows):
        prefixes.join(row, families[row % 2], (33, 50)[row % 2])
    reads = prefixes.reads(0, rows, kv_heads)
    assert reads is not None
    unread = [row for row in range(rows) if int(reads.rows[row]) != row]
    assert len(unread) == rows - 2
    for row in unread:
        source, length = int(reads.rows[row]), int(reads.lengths[row])
        key[row, :, :length], value[row, :, :length] = (
            key[source, :, :length],
            value[source, :, :length],
        )
    lengths = torch.linspace(51, places, rows).round().long()
    own = attend(library, query, key, value, lengths, 0.2)
    for row in unread:
        key[row, :, : int(reads.lengths[row])] = value[row, :, : int(reads.lengths[row])] = (
            torch.nan
        )
    assert torch.equal(attend(library, query, key, value, lengths, 0.2, None, reads), own)
    assert attend(library, query, key, value, lengths, 0.2)[unread].isnan().all()


@pytest.mark.parametrize("merging", [True, False], ids=["merged", "apart"])
@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5"])
@pytest.mark.long
def test_reading_one_copy_changes_no_bit(
    kind: str, merging: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sweeps with beams and endings, more of them than slots, beside each row reading its own."""
    engine = Engine(tiny.loaded(kind, torch.bfloat16), max_rows=9, merging=merging)
    found: list[PrefixReads | None] = []
    reads = SlotCache.prefix_reads

    def noted(cache: SlotCache) -> PrefixReads | None:
        found.append(reads(cache))
        return found[-1]

    monkeypatch.setattr(SlotCache, "prefix_reads", noted)
    shared = run(engine, sweep())
    monkeypatch.setattr(SlotCache, "prefix_reads", lambda cache: None)
    assert run(engine, sweep()) == shared
    shares = [read for read in found if read is not None]
    assert len(shares) > len(found) / 2
    longest = max(len(prompt) for prompt in PROMPTS)
    assert all(int(read.lengths.max()) <= 2 * longest for read in shares)
