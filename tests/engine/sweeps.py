"""Many requests on the same noise, as a sweep has them, and what an engine makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ethogram.engine import Engine
from ethogram.spec import Decoding, Request

#: Every ninth id ends a sequence, so that outputs end at many places.
ENDS = frozenset(range(20, 300, 9))
PROMPTS = ("the cat sat", "naïve café 日本語", "0 1 2 3 4 5 6 7 8 9 " * 4)


def sweep(samples: int = 3, tokens: int = 20, heat: float = 1.0) -> list[Request]:
    """Neighbouring settings on the same noise, as a sweep has them, and a beam search between."""
    decodings = [
        Decoding(strategy="greedy", max_new_tokens=tokens),
        Decoding(strategy="greedy", max_new_tokens=tokens + 7),
        *(
            Decoding(temperature=heat * warm, top_p=mass, max_new_tokens=tokens)
            for warm in (0.5, 0.6, 0.7)
            for mass in (0.9, 1.0)
        ),
        Decoding(num_beams=3, max_new_tokens=tokens),
        Decoding(temperature=0.6, repetition_penalty=1.1, max_new_tokens=tokens),
    ]
    return [
        Request(f"{p}/{d}/{k}", f"p{p}", k, prompt, decoding, noise_key=97 * p + k)
        for p, prompt in enumerate(PROMPTS)
        for d, decoding in enumerate(decodings)
        for k in range(samples if decoding.is_stochastic else 1)
    ]


def run(engine: Engine, requests: Sequence[Request]) -> dict[str, Any]:
    return {
        made.identity: (made.token_ids, made.logprobs, made.text, made.finish_reason)
        for made in engine.generate(requests)
    }
