"""Decodings that weigh several continuations: which of their settings agree, and their identity.

Knows the settings of contrastive search, of groups of beams, of best-of-n and of self-consistency;
runs none of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ethogram.spec.decoding import Decoding

#: Settings that are checked against others.
SEARCH_SETTINGS = (
    "penalty_alpha",
    "num_beam_groups",
    "diversity_penalty",
    "best_of",
    "self_consistency",
    "answer",
    "answer_pattern",
)
#: Settings that change no output, and so no identity.
SPEED_SETTINGS = ("prompt_lookup_num_tokens", "max_matching_ngram_size")
#: The value at which each of them is off.
SEARCHES_OFF = {
    "penalty_alpha": 0.0,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "best_of": 1,
    "self_consistency": 1,
    "prompt_lookup_num_tokens": 0,
}
#: Each candidate of contrastive search is a row of the model.
MOST_CANDIDATES = 256


def check_searches(decoding: Decoding) -> None:
    """Refuse settings that contradict each other or would do nothing.

    Raises:
        ValueError: names the settings and what to change.
    """
    _check_contrastive(decoding)
    _check_groups(decoding)
    _check_candidates(decoding)


def _check_contrastive(decoding: Decoding) -> None:
    strategy, alpha = decoding.resolved_strategy, decoding.penalty_alpha
    if strategy == "contrastive":
        if not alpha:
            raise ValueError("strategy contrastive needs a penalty_alpha above 0")
        if decoding.top_k < 2:
            raise ValueError(
                f"contrastive search chooses among the top_k best tokens and top_k is "
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


def _check_groups(decoding: Decoding) -> None:
    beams, groups = decoding.num_beams, decoding.num_beam_groups
    if groups == 1:
        if decoding.diversity_penalty:
            raise ValueError(
                f"diversity_penalty {decoding.diversity_penalty:g} has no effect in one group of "
                "beams; set num_beam_groups to 2 or more"
            )
        return
    if beams % groups:
        raise ValueError(
            f"num_beams {beams} cannot be split into {groups} equal groups; "
            "make it a multiple of num_beam_groups"
        )
    if not decoding.diversity_penalty:
        raise ValueError(
            f"num_beam_groups {groups} needs a diversity_penalty above 0; "
            "without it all groups are alike"
        )


def _check_candidates(decoding: Decoding) -> None:
    if decoding.best_of > 1 and decoding.self_consistency > 1:
        raise ValueError("best_of and self_consistency both choose the output; set one of them")
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
        try:
            re.compile(decoding.answer_pattern)
        except re.error as error:
            raise ValueError(f"answer_pattern is no regular expression: {error}") from None
    elif decoding.answer == "pattern":
        raise ValueError("answer pattern needs an answer_pattern")


def searches_form(decoding: Decoding) -> dict[str, Any]:
    """Their part of `Decoding.canonical`: empty where none of them acts."""
    form: dict[str, Any] = {}
    if decoding.resolved_strategy == "contrastive":
        form["penalty_alpha"] = decoding.penalty_alpha
        form["top_k"] = decoding.top_k
    if decoding.num_beam_groups > 1:
        form["num_beam_groups"] = decoding.num_beam_groups
        form["diversity_penalty"] = decoding.diversity_penalty
    if decoding.best_of > 1:
        form["best_of"] = [decoding.best_of, decoding.best_of_by]
    if decoding.self_consistency > 1:
        rule = [decoding.answer, decoding.answer_pattern]
        form["self_consistency"] = [decoding.self_consistency, *rule]
    return form
