"""Answer: a finished reply as an object, for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ethogram.metrics.text import sentence_spans
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import FinishReason, Generation


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished reply.

    Attributes:
        answer: its text.
        data: what the text holds, where the version states a response format; else None.
        sentences: of the text, in order; empty for a reply that is data.
        token_probability: geometric mean probability of its tokens, from 0 to 1; None unless the
            wrapper reports confidence. Neither this nor agreement is the probability that the
            answer is right: docs/structured.md shows how far each is from it.
        agreement: share of the candidates with the same answer, from 0 to 1; None unless the
            wrapper reports confidence and there are several.
        flags: guards that acted, each once, and `closed` where the limit closed a reply.
        finish_reason: how it ended.
        prompt_tokens: of the prompt.
        completion_tokens: generated in all, attempts that were thrown away included.
    """

    answer: str
    data: Any
    sentences: tuple[str, ...]
    token_probability: float | None
    agreement: float | None
    flags: tuple[str, ...]
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int

    @classmethod
    def of(cls, generation: Generation, decoding: Decoding) -> Answer:
        """The answer that a generation is.

        Args:
            generation: finished.
            decoding: of its request.
        """
        text, guarded = generation.text, generation.guarded
        is_data = decoding.ends_by_form
        spans = [] if is_data else sentence_spans(text)
        selection = generation.selection
        chosen = sum(selection.tokens) if selection else len(generation.token_ids)
        closed = ("closed",) if generation.finish_reason == "closed" else ()
        return cls(
            answer=text,
            data=_data(text) if is_data else None,
            sentences=tuple(text[start:end].strip() for start, end in spans),
            token_probability=guarded.confidence if guarded else None,
            agreement=guarded.agreement if guarded else None,
            flags=(*(guarded.flags if guarded else ()), *closed),
            finish_reason=generation.finish_reason,
            prompt_tokens=len(generation.prompt_token_ids),
            completion_tokens=guarded.tokens if guarded else chosen,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "answer": self.answer,
            "data": self.data,
            "sentences": list(self.sentences),
            "confidence": {
                "token_probability": self.token_probability,
                "agreement": self.agreement,
            },
            "flags": list(self.flags),
            "finish_reason": self.finish_reason,
            "usage": {
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": self.completion_tokens,
                "total_tokens": self.prompt_tokens + self.completion_tokens,
            },
        }


def _data(text: str) -> Any:
    """Data of a reply; None where it is not whole, as an imported one may be."""
    try:
        return json.loads(text)
    except ValueError:
        return None
