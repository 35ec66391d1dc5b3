"""Similar: near-duplicates by MinHash, overlap of prompts with training data, splits without leaks.

MinHash (Broder 1997) estimates the Jaccard similarity of two sets of word 5-grams; banding finds
the pairs that are likely alike without comparing all of them.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ethogram.corpus.rows import Row

#: Hash functions, in bands of `ROWS`: pairs of similarity 0.8 share a band with probability 0.9997.
HASHES, ROWS = 128, 4
#: Similarity from which two texts are near-duplicates; that of Lee et al. 2022, arXiv:2107.06499.
ALIKE = 0.8
_SHINGLE = 5
#: N-grams hashed at a time, and words whose hash is kept: both bound memory.
_BLOCK = 2048
_WORDS_KEPT = 500_000
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """A row that shares much of a prompt.

    Attributes:
        row: of the training data.
        prompt: index of the prompt.
        share: of the prompt's n-grams that the row has, from 0 to 1.
        example: the first shared n-gram.
    """

    row: Row
    prompt: int
    share: float
    example: str


def normalised(text: str) -> list[str]:
    """Words of a text without case and punctuation."""
    return _WORD.findall(text.casefold())


def overlap(
    rows: Iterable[Row], prompts: Sequence[str], *, n: int = 8, share: float = 0.5
) -> list[Overlap]:
    """Rows that hold a prompt, or much of it.

    Args:
        rows: training data.
        prompts: of a suite.
        n: words of an n-gram; a shorter prompt of at least three words counts as one.
        share: of a prompt's n-grams that a row must have.
    """
    grams: dict[tuple[str, ...], set[int]] = defaultdict(set)
    sizes: dict[int, int] = {}
    lengths: set[int] = set()
    for index, prompt in enumerate(prompts):
        words = normalised(prompt)
        size = min(n, len(words))
        if size < 3:
            continue
        own = set(_grams(words, size))
        sizes[index] = len(own)
        lengths.add(size)
        for gram in own:
            grams[gram].add(index)
    found: list[Overlap] = []
    for row in rows:
        words = normalised(row.words)
        shared: dict[int, set[tuple[str, ...]]] = defaultdict(set)
        for size in lengths:
            for gram in _grams(words, size):
                for index in grams.get(gram, ()):
                    shared[index].add(gram)
        for index, own in sorted(shared.items()):
            part = len(own) / sizes[index]
            if part >= share:
                found.append(Overlap(row, index, part, " ".join(min(own))))
    return found


def _grams(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(n)), strict=False)


class Groups:
    """Groups of rows that are alike: equal, near-duplicates, or of one key."""

    def __init__(self) -> None:
        self._parent: list[int] = []

    def add(self) -> int:
        """A new member in a group of its own; returns its number."""
        self._parent.append(len(self._parent))
        return len(self._parent) - 1

    def find(self, member: int) -> int:
        """The first member of a member's group."""
        root = member
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[member] != root:
            self._parent[member], member = root, self._parent[member]
        return root

    def join(self, one: int, other: int) -> None:
        """Make two groups one."""
        first, second = sorted((self.find(one), self.find(other)))
        self._parent[second] = first


def alike(texts: Iterable[str]) -> Groups:
    """Groups of near-duplicate texts; those equal but for case, space and punctuation included.

    Any two texts that share a band are compared unless they are in one group already, so the groups
    do not depend on the order of the texts. Holds half a kilobyte for each different text.
    """
    groups = Groups()
    hasher = _Signatures()
    bands = [_Band() for _ in range(0, HASHES, ROWS)]
    signatures: dict[int, np.ndarray] = {}
    exact: dict[bytes, int] = {}
    for text in texts:
        member = groups.add()
        words = normalised(text)
        first = exact.setdefault(digest(" ".join(words) or text), member)
        if first != member:
            groups.join(first, member)
            continue
        signature = hasher.of(words or [text])
        signatures[member] = signature
        for number, band in enumerate(bands):
            key = signature[number * ROWS : (number + 1) * ROWS].tobytes()
            band.enter(key, member, signatures, groups)
    return groups


class _Band:
    """One band of an index: members whose signatures are equal in it, by their group."""

    def __init__(self) -> None:
        self._buckets: dict[bytes, int | dict[int, list[int]]] = {}

    def enter(
        self, key: bytes, member: int, signatures: dict[int, np.ndarray], groups: Groups
    ) -> None:
        """Add a member, and join it with the groups of its bucket that it is alike to."""
        bucket = self._buckets.setdefault(key, member)
        if bucket == member:
            return
        if isinstance(bucket, int):  # Most buckets have one member: no dictionary for these.
            bucket = self._buckets[key] = {bucket: [bucket]}
        for root in list(bucket):
            now = groups.find(root)
            if now != root:
                bucket.setdefault(now, []).extend(bucket.pop(root))
        for root, others in list(bucket.items()):
            if groups.find(member) != root and _any_alike(signatures, member, others):
                groups.join(root, member)
        bucket.setdefault(groups.find(member), []).append(member)


def _any_alike(signatures: dict[int, np.ndarray], member: int, others: Sequence[int]) -> bool:
    mine = signatures[member]
    start, size = 0, 8  # In a large group one of the first few is nearly always alike.
    while start < len(others):
        block = np.stack([signatures[other] for other in others[start : start + size]])
        if ((block == mine).mean(axis=1) >= ALIKE).any():
            return True
        start, size = start + size, 1024
    return False


class _Signatures:
    """MinHash signatures of texts: [HASHES] 32-bit numbers, equal for equal sets of n-grams."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        size = HASHES + _SHINGLE
        odd = random.integers(0, 1 << 63, size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        self._places, self._factors = odd[:_SHINGLE], odd[_SHINGLE:]
        self._offsets = random.integers(0, 1 << 63, HASHES, dtype=np.uint64)
        self._words: dict[str, int] = {}

    def of(self, words: Sequence[str]) -> np.ndarray:
        """The signature of a text of at least one word."""
        hashes = np.fromiter((self._hash(word) for word in words), np.uint64, len(words))
        size = min(_SHINGLE, len(words))
        windows = np.lib.stride_tricks.sliding_window_view(hashes, size)
        shingles = np.unique((windows * self._places[:size]).sum(axis=1, dtype=np.uint64))
        lowest = np.full(HASHES, np.iinfo(np.uint64).max, dtype=np.uint64)
        for start in range(0, len(shingles), _BLOCK):
            block = shingles[start : start + _BLOCK, None]
            mixed = block * self._factors[None, :] + self._offsets[None, :]
            np.minimum(lowest, mixed.min(axis=0), out=lowest)
        return (lowest >> np.uint64(32)).astype(np.uint32)

    def _hash(self, word: str) -> int:
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _WORDS_KEPT:
                self._words.clear()
            known = self._words[word] = int.from_bytes(digest(word)[:8], "big")
        return known


def digest(text: str) -> bytes:
    """Sixteen bytes that stand for a text."""
    data = text.encode("utf-8", "replace")
    return hashlib.blake2b(data, digest_size=16).digest()


def is_held_out(text: str, share: float, seed: int) -> bool:
    """Decide by content on which side of a split a text is, whatever the order of rows."""
    key = f"{seed}\n{' '.join(normalised(text))}"
    number = int.from_bytes(hashlib.sha256(key.encode("utf-8", "replace")).digest()[:8], "big")
    return number < share * 2**64


def split(
    rows: Sequence[Row], share: float, *, seed: int = 1, by: str | None = None
) -> tuple[list[Row], list[Row]]:
    """Rows to learn from and rows held out, near-duplicates on one side.

    Rows of one group (near-duplicates, the same prompt, the same value of `by`) stay together. A
    group's side follows from the content of its smallest member, not from the order of the rows.
    Further rows leave the sides of other groups as they are.

    Args:
        rows: of one kind.
        share: of the groups that are held out.
        seed: another one gives another split.
        by: a further field of the rows that names their group.
    """
    groups = alike(row.words for row in rows)
    first: dict[str, int] = {}
    for member, row in enumerate(rows):
        keys = []
        if row.messages and row.kind != "messages":
            keys.append("prompt " + " ".join(normalised(row.messages[-1].content)))
        if row.kind == "messages":
            user = next((turn.content for turn in row.messages if turn.role == "user"), "")
            keys.append("prompt " + " ".join(normalised(user)))
        if by is not None and by in row.extra:
            keys.append(f"by {row.extra[by]}")
        for key in keys:
            groups.join(first.setdefault(key, member), member)
    smallest: dict[int, str] = {}
    for member, row in enumerate(rows):
        root, words = groups.find(member), row.words
        smallest[root] = min(words, smallest.get(root, words))
    held = {root for root, words in smallest.items() if is_held_out(words, share, seed)}
    sides: tuple[list[Row], list[Row]] = ([], [])
    for member, row in enumerate(rows):
        sides[groups.find(member) in held].append(row)
    return sides
