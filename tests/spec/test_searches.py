"""Searches and candidates: contradictions, identity, and words for a change."""

from typing import Any

import pytest
from pydantic import ValidationError

from ethogram.spec import Decoding, Selection, Version, diff_versions

CONTRASTIVE = {"penalty_alpha": 0.6, "top_k": 4}


def identity(**settings: Any) -> str:
    return Version(decoding=settings).identity


def test_strategies_are_inferred() -> None:
    assert Decoding(**CONTRASTIVE).resolved_strategy == "contrastive"
    assert Decoding(strategy="contrastive", **CONTRASTIVE).resolved_strategy == "contrastive"
    assert Decoding(**CONTRASTIVE, temperature=0).resolved_strategy == "contrastive"
    assert Decoding(num_beams=3).resolved_strategy == "beam"
    assert Decoding(best_of=4).resolved_strategy == "sample"
    assert not Decoding(**CONTRASTIVE).is_stochastic
    assert Decoding(**CONTRASTIVE, repetition_penalty=1.2).active_step_names() == (
        "repetition_penalty",
    )


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"strategy": "contrastive", "top_k": 4}, "needs a penalty_alpha above 0"),
        ({"penalty_alpha": 0.6}, "top_k is 0; set it to 2 or more"),
        ({"penalty_alpha": 0.6, "top_k": 300}, "use at most 256"),
        ({**CONTRASTIVE, "strategy": "sample"}, "penalty_alpha 0.6 has no effect under sample"),
        ({**CONTRASTIVE, "num_beams": 3}, "penalty_alpha 0.6 has no effect under beam"),
        ({**CONTRASTIVE, "strategy": "contrastive", "num_beams": 3}, "num_beams 3 has no effect"),
        ({"best_of": 3, "self_consistency": 3}, "set only one"),
        ({"best_of": 3, "temperature": 0}, "best_of 3 needs sampling; under greedy"),
        ({"self_consistency": 3, "num_beams": 2}, "self_consistency 3 needs sampling; under beam"),
        ({"best_of": 2, **CONTRASTIVE}, "best_of 2 needs sampling; under contrastive"),
        ({"answer": "pattern"}, "needs an answer_pattern"),
        ({"answer_pattern": "a"}, "has no effect with answer last_number"),
        ({"answer": "pattern", "answer_pattern": "("}, "is not a regular expression"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(ValidationError, match=line):
        Decoding(**settings)


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (CONTRASTIVE, {"penalty_alpha": 0.5}),
        (CONTRASTIVE, {"top_k": 5}),
        ({"num_beams": 3}, {"num_beams": 4}),
        ({"num_beams": 3}, {"length_penalty": 2.0}),
        ({"best_of": 3}, {"best_of": 4}),
        ({"best_of": 3}, {"best_of_by": "total"}),
        ({"self_consistency": 3}, {"self_consistency": 4}),
        ({"self_consistency": 3}, {"answer": "text"}),
        (
            {"self_consistency": 3, "answer": "pattern", "answer_pattern": "a"},
            {"answer_pattern": "b"},
        ),
    ],
)
def test_settings_that_act_change_the_identity(
    base: dict[str, Any], change: dict[str, Any]
) -> None:
    assert identity(**base) != identity(**{**base, **change})


@pytest.mark.parametrize(
    ("base", "change"),
    [
        ({}, {"prompt_lookup_num_tokens": 10, "max_matching_ngram_size": 3}),
        ({"temperature": 0}, {"prompt_lookup_num_tokens": 10}),
        ({}, {"best_of_by": "total", "answer": "text"}),
        (CONTRASTIVE, {"strategy": "contrastive"}),
        ({"temperature": 0}, {"top_k": 4}),
    ],
)
def test_settings_without_effect_keep_the_identity(
    base: dict[str, Any], change: dict[str, Any]
) -> None:
    assert identity(**base) == identity(**{**base, **change})


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            CONTRASTIVE,
            {**CONTRASTIVE, "top_k": 8},
            ["`decoding.top_k` `4` → `8` (more candidates)"],
        ),
        ({}, {"best_of": 4}, ["`decoding.best_of` off → `4`"]),
        (
            {"prompt_lookup_num_tokens": 8},
            {},
            [
                "`decoding.prompt_lookup_num_tokens` `8` → off (the same output, at another speed)",
            ],
        ),
        (
            {"top_k": 4},
            CONTRASTIVE,
            [
                "`decoding.strategy` `sample` → `contrastive`",
                "`decoding.penalty_alpha` off → `0.6`",
            ],
        ),
    ],
)
def test_changes_in_words(before: dict[str, Any], after: dict[str, Any], words: list[str]) -> None:
    changes = diff_versions(Version(decoding=before), Version(decoding=after))
    assert [change.words for change in changes] == words


def test_votes_and_score() -> None:
    selection = Selection(2, (-3.0, -2.0, -1.0), ("4", None, "5"), (1, 2, 3))
    assert selection.score == -1.0
    assert dict(selection.votes) == {"4": 1, "5": 1}
    assert Selection.from_json(selection.to_json()) == selection
