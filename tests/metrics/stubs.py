"""Stand-ins for models, whose answers a test can reckon by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class WordVectors:
    """An encoder of word counts: texts without a common word are at right angles."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        rows = np.zeros((len(texts), 500), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()) or ["(empty)"]:
                row[self._places.setdefault(word, len(self._places))] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


@dataclass(frozen=True)
class Judgement:
    entailment: float
    neutral: float
    contradiction: float


@dataclass
class StubNli:
    """An NLI model that answers by a rule."""

    rule: Callable[[str, str], tuple[float, float, float]]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        self.asked += pairs
        return [Judgement(*self.rule(*pair)) for pair in pairs]


@dataclass
class StubModels:
    encoder: Any = field(default_factory=WordVectors)
    reference: Any = None
    nli: Any = None

    def identity(self, kinds: Sequence[str]) -> str:
        return ",".join(kinds)
