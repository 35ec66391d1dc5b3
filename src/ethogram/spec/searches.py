"""Settings of decodings that follow several continuations: beams, contrastive search, candidates.

Also which of them contradict each other, and their part of the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

from ethogram.spec.patterns import fault_of
from ethogram.spec.setting import Effect

if TYPE_CHECKING:
    from ethogram.spec.decoding import Decoding

#: Settings that are checked against others, which a version may inherit.
CHECKED_TOGETHER = (
    "strategy",
    "order",
    "num_beams",
    "min_new_tokens",
    "penalty_alpha",
    "best_of",
    "self_consistency",
    "answer",
    "answer_pattern",
)
#: Each candidate of contrastive search is a row of the model.
MOST_CANDIDATES = 256


class SearchSettings(BaseModel):
    """Beam search, contrastive search, several candidates, and prompt lookup."""

    num_beams: Annotated[int, Effect("a narrower search", "a wider search")] = Field(
        1,
        ge=1,
        le=64,
        description="number of beams: beam search finds more probable, and often blander, text",
    )
    length_penalty: Annotated[float, Effect("shorter outputs", "longer outputs")] = Field(
        1.0,
        description="beam search: above 0 favours longer outputs, below 0 shorter ones; a score is "
        "divided by length to this power",
    )
    early_stopping: bool | Literal["never"] = Field(
        False,
        description="beam search: true stops when num_beams hypotheses are complete, false when "
        "a better one is unlikely, never when a better one is impossible (as in transformers)",
    )
    penalty_alpha: Annotated[
        float,
        Effect("less push away from earlier text", "more push away from earlier text", off=True),
    ] = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="contrastive search reduces repetition in deterministic text: weight of "
        "similarity to earlier tokens against probability, among the top_k; 0 is off",
    )
    best_of: Annotated[
        int, Effect("fewer candidates to choose from", "more candidates to choose from", off=True)
    ] = Field(
        1,
        ge=1,
        le=256,
        description="sample this many candidates and keep the most probable, at that many times "
        "the cost; 1 is off",
    )
    best_of_by: Literal["mean", "total"] = Field(
        "mean",
        description="best_of: criterion is the log-probability per token (mean) or of the whole "
        "output (total), which favours short outputs",
    )
    self_consistency: Annotated[int, Effect("fewer votes", "more votes", off=True)] = Field(
        1,
        ge=1,
        le=256,
        description="fewer wrong answers, at that many times the cost: sample this many "
        "candidates and keep one with the most frequent answer; 1 is off",
    )
    answer: Literal["last_number", "pattern", "text"] = Field(
        "last_number", description="self_consistency: which part of a candidate is its answer"
    )
    answer_pattern: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="self_consistency: regular expression; the answer is the first group of its "
        "last match, or the whole match",
    )
    prompt_lookup_num_tokens: Annotated[int, Effect(off=True, speed_only=True)] = Field(
        0,
        ge=0,
        le=64,
        description="same output, generated faster if the text repeats its prompt: number of "
        "draft tokens that are looked up in earlier text and verified in one step; used when "
        "a single output runs; 0 is off",
    )
    max_matching_ngram_size: Annotated[int, Effect(speed_only=True)] = Field(
        2,
        ge=1,
        le=16,
        description="speed only: length of the longest n-gram that prompt lookup matches",
    )


def check_searches(decoding: Decoding) -> None:
    """Refuse settings that contradict each other or would do nothing.

    Raises:
        ValueError: names the settings and what to change.
    """
    _check_contrastive(decoding)
    _check_candidates(decoding)


def _check_contrastive(decoding: Decoding) -> None:
    strategy, alpha = decoding.resolved_strategy, decoding.penalty_alpha
    if strategy == "contrastive":
        if not alpha:
            raise ValueError("strategy contrastive needs a penalty_alpha above 0")
        if decoding.top_k < 2:
            raise ValueError(
                "contrastive search chooses among the top_k best tokens, but top_k is "
                f"{decoding.top_k}; set it to 2 or more (the paper uses 4 to 10)"
            )
        if decoding.top_k > MOST_CANDIDATES:
            raise ValueError(
                f"top_k {decoding.top_k} is too many candidates for contrastive search; "
                f"use at most {MOST_CANDIDATES}"
            )
        if decoding.num_beams > 1:
            raise ValueError(
                f"num_beams {decoding.num_beams} has no effect under contrastive; set it to 1"
            )
    elif alpha:
        raise ValueError(
            f"penalty_alpha {alpha:g} has no effect under {strategy}; set it to 0, or the "
            "strategy to contrastive"
        )


def _check_candidates(decoding: Decoding) -> None:
    if decoding.best_of > 1 and decoding.self_consistency > 1:
        raise ValueError("best_of and self_consistency both choose the output; set only one")
    for name in ("best_of", "self_consistency"):
        count = getattr(decoding, name)
        if count > 1 and not decoding.is_stochastic:
            raise ValueError(
                f"{name} {count} needs sampling; under {decoding.resolved_strategy} "
                "all candidates are the same"
            )
    if decoding.answer_pattern is not None:
        if decoding.answer != "pattern":
            raise ValueError(f"answer_pattern has no effect with answer {decoding.answer}")
        fault = fault_of(decoding.answer_pattern)
        if fault is not None:
            raise ValueError(f"answer_pattern is not a regular expression: {fault}")
    elif decoding.answer == "pattern":
        raise ValueError("answer pattern needs an answer_pattern")


def canonical_searches(decoding: Decoding) -> dict[str, Any]:
    """Their part of `Decoding.canonical`; empty where none of them acts."""
    form: dict[str, Any] = {}
    if decoding.resolved_strategy == "beam":
        form["num_beams"] = decoding.num_beams
        form["length_penalty"] = decoding.length_penalty
        form["early_stopping"] = decoding.early_stopping
    if decoding.resolved_strategy == "contrastive":
        form["penalty_alpha"] = decoding.penalty_alpha
        form["top_k"] = decoding.top_k
    if decoding.best_of > 1:
        form["best_of"] = [decoding.best_of, decoding.best_of_by]
    if decoding.self_consistency > 1:
        rule = [decoding.answer, decoding.answer_pattern]
        form["self_consistency"] = [decoding.self_consistency, *rule]
    return form
