"""The work that each engine is given: prompts, decodings, sizes. Plain data; runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import prompts

#: The twelve decodings of a sweep; what is not named is off. Keys are those of `Decoding`.
DECODINGS: tuple[dict[str, float], ...] = (
    {"temperature": 0.0},
    {"temperature": 0.3},
    {"temperature": 0.7},
    {"temperature": 1.0},
    {"temperature": 0.7, "top_k": 40},
    {"temperature": 1.0, "top_k": 40},
    {"temperature": 0.7, "top_p": 0.9},
    {"temperature": 1.0, "top_p": 0.95},
    {"temperature": 1.0, "min_p": 0.05},
    {"temperature": 1.3, "min_p": 0.1},
    {"temperature": 0.8, "top_k": 50, "top_p": 0.95},
    {"temperature": 0.8, "top_p": 0.9, "repetition_penalty": 1.2},
)
#: The decoding of a single stream, and of a batch that can hold only one.
ONE_DECODING = DECODINGS[6]

PROMPT_KINDS = ("short", "long", "shared")


@dataclass(frozen=True, slots=True)
class Shape:
    """A sweep: decodings times prompts times samples."""

    decodings: int
    prompts: int
    samples: int

    @property
    def rows(self) -> int:
        return self.decodings * self.prompts * self.samples


#: Rows to shape. Six rows exist for trying things out.
SHAPES = {
    1: Shape(1, 1, 1),
    6: Shape(3, 2, 1),
    48: Shape(12, 4, 1),
    192: Shape(12, 4, 4),
    768: Shape(12, 4, 16),
}
#: What is measured unless asked otherwise: every size on short prompts, the middle ones on all.
DEFAULT_CASES = (
    *((size, "short") for size in (1, 48, 192, 768)),
    *((size, "long") for size in (1, 48, 192)),
    *((size, "shared") for size in (48, 192)),
)
QUICK_CASES = ((1, "short"), (6, "short"))


def prompt_texts(kind: str) -> tuple[str, ...]:
    """The four prompts of a kind.

    Raises:
        ValueError: there is no such kind.
    """
    if kind == "short":
        return prompts.SHORT
    if kind == "long":
        return tuple(_long(index) for index in range(len(prompts.LONG_QUESTIONS)))
    if kind == "shared":
        return tuple(prompts.HEADER + question for question in prompts.HEADED_QUESTIONS)
    raise ValueError(f"unknown prompts {kind!r}; use one of {', '.join(PROMPT_KINDS)}")


def _long(index: int) -> str:
    """All paragraphs, begun at another one for each prompt, and a question."""
    parts = prompts.PARAGRAPHS[index:] + prompts.PARAGRAPHS[:index]
    return "\n\n".join((*parts, prompts.LONG_QUESTIONS[index]))


def make_case(
    size: int, kind: str, *, new_tokens: int, encode: Callable[[str], Sequence[int]]
) -> dict[str, Any]:
    """One case as plain data: what goes, as JSON, to each peer.

    Args:
        size: number of rows, one of `SHAPES`.
        kind: of prompts.
        new_tokens: delivered for each row; the end of sequence is ignored.
        encode: text to token ids; done once, so that all engines see the same ids.
    """
    if size not in SHAPES:
        raise ValueError(f"no sweep of {size} rows; use one of {', '.join(map(str, SHAPES))}")
    shape = SHAPES[size]
    texts = prompt_texts(kind)
    return {
        "name": f"{kind}-{size}",
        "size": size,
        "kind": kind,
        "new_tokens": new_tokens,
        "prompts": [_prompt(text, encode) for text in texts[: shape.prompts]],
        "first_token": _prompt(texts[-1], encode),
        "warm_up": _prompt(prompts.WARM_UP, encode),
        "decodings": list(_decodings(shape.decodings)),
        "one_decoding": ONE_DECODING,
        "rows": _rows(shape),
    }


def _prompt(text: str, encode: Callable[[str], Sequence[int]]) -> dict[str, Any]:
    return {"text": text, "token_ids": list(encode(text))}


def _decodings(count: int) -> tuple[dict[str, float], ...]:
    if count == 1:
        return (ONE_DECODING,)
    step = len(DECODINGS) // count
    return DECODINGS[::step][:count]


def _rows(shape: Shape) -> list[dict[str, int]]:
    """Rows as indices; the seed is of the prompt and sample, as in a coupled sweep."""
    return [
        {
            "prompt": prompt,
            "decoding": decoding,
            "sample": sample,
            "seed": 1 + prompt * shape.samples + sample,
        }
        for decoding in range(shape.decodings)
        for prompt in range(shape.prompts)
        for sample in range(shape.samples)
    ]


def repeated_greedy_rows(case: dict[str, Any]) -> int:
    """Rows that can only repeat another: further samples of a prompt at temperature 0."""
    return sum(
        1
        for row in case["rows"]
        if row["sample"] > 0 and case["decodings"][row["decoding"]]["temperature"] == 0
    )


def spread(rows: Sequence[Any], limit: int | None) -> list[Any]:
    """At most `limit` rows, for engines whose rate does not depend on how many there are.

    The rows fall into `limit` equal parts, each of which gives one; the place within its part
    moves on, so that decodings and prompts are both mixed.
    """
    if limit is None or len(rows) <= limit:
        return list(rows)
    part = len(rows) // limit
    return [rows[index * part + index * 5 % part] for index in range(limit)]
