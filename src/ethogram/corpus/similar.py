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
_PRIME = (1 << 61) - 1
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
    """Groups of near-duplicate texts; equal but for case, white space and punctuation included."""
    groups = Groups()
    buckets: dict[bytes, list[int]] = defaultdict(list)
    signatures: list[np.ndarray] = []
    factors, offsets = _functions()
    exact: dict[str, int] = {}
    for text in texts:
        member = groups.add()
        words = normalised(text)
        key = " ".join(words) or text
        signatures.append(_signature(words or [text], factors, offsets))
        if key in exact:
            groups.join(exact[key], member)
            continue
        exact[key] = member
        for band in range(0, HASHES, ROWS):
            bucket = buckets[
                band.to_bytes(2, "big") + signatures[member][band : band + ROWS].tobytes()
            ]
            for other in bucket:
                same = float(np.mean(signatures[other] == signatures[member]))
                if same >= ALIKE:
                    groups.join(other, member)
                    break
            else:
                bucket.append(member)
    return groups


def _functions() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    return (
        random.integers(1, 1 << 31, HASHES, dtype=np.uint64),
        random.integers(0, 1 << 31, HASHES, dtype=np.uint64),
    )


def _signature(words: Sequence[str], factors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    size = min(_SHINGLE, len(words))
    shingles = {" ".join(gram) for gram in _grams(words, size)}
    hashes = np.array([_hash(shingle) for shingle in shingles], dtype=np.uint64)
    mixed = (hashes[:, None] * factors[None, :] + offsets[None, :]) % np.uint64(_PRIME)
    lowest: np.ndarray = mixed.min(axis=0)
    return lowest


def _hash(text: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest(), "big"
    )


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
    group's side follows from the content of its smallest member, so neither the order of rows nor
    further rows change it.

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
