"""Best-of-n and self-consistency: candidates are plain samples, and the choice follows its rule."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from tests.engine import tiny

from ethogram.engine import Engine
from ethogram.engine.search.answers import answer_of, majority
from ethogram.engine.search.best_of import candidate_key
from ethogram.spec import Decoding, Generation, Request

PROMPTS = ("the cat sat", "0 1 2 3 4 5")


def run(todo: list[Request], **options: Any) -> dict[str, Generation]:
    engine = Engine(tiny.loaded("llama"), **options)
    return {made.identity: made for made in engine.generate(todo)}


def ask(name: str, prompt: str, key: int, **settings: Any) -> Request:
    decoding = Decoding(**{"temperature": 1.4, "max_new_tokens": 12, **settings})
    return Request(name, prompt, 0, prompt, decoding, noise_key=key)


def plain_samples(prompt: str, key: int, count: int, **settings: Any) -> list[Generation]:
    """Each candidate, generated as an output of its own."""
    todo = [ask(str(i), prompt, candidate_key(key, i), **settings) for i in range(count)]
    made = run(todo)
    return [made[str(i)] for i in range(count)]


@pytest.mark.parametrize("by", ["mean", "total"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_most_probable_plain_sample_is_kept(prompt: str, by: str) -> None:
    stops = {"stop": ("e", "t", "1")}
    (made,) = run([ask("x", prompt, 7, best_of=6, best_of_by=by, **stops)]).values()
    samples = plain_samples(prompt, 7, 6, **stops)
    totals = [math.fsum(one.logprobs) for one in samples]
    lengths = [len(one.token_ids) for one in samples]
    scores = [t / n if by == "mean" else t for t, n in zip(totals, lengths, strict=True)]
    assert made.selection is not None
    assert made.selection.scores == pytest.approx(scores)
    assert made.selection.tokens == tuple(lengths)
    best = samples[scores.index(max(scores))]
    assert made.token_ids == best.token_ids
    assert made.logprobs == best.logprobs
    assert made.text == best.text
    assert made.selection.score == max(made.selection.scores)
    assert made.selection.answers == ()
    assert len({one.token_ids for one in samples}) > 3, "the candidates differ"


def test_candidate_0_is_the_plain_sample_and_keys_differ() -> None:
    assert candidate_key(99, 0) == 99
    keys = {candidate_key(key, i) for key in range(50) for i in range(50)}
    assert len(keys) == 2500
    assert all(0 <= key < 2**64 for key in keys)


def test_the_majority_is_kept_and_the_votes_are_recorded() -> None:
    rule = {"answer": "pattern", "answer_pattern": r"[a-z0-9]"}
    made = run([ask(p, p, 3, self_consistency=9, **rule) for p in PROMPTS])
    for prompt in PROMPTS:
        samples = plain_samples(prompt, 3, 9)
        decoding = Decoding(self_consistency=9, **rule)
        answers = [answer_of(one.text, decoding) for one in samples]
        selection = made[prompt].selection
        assert selection is not None
        assert list(selection.answers) == answers
        chosen = answers[selection.chosen]
        assert selection.votes[str(chosen)] == max(selection.votes.values())
        assert made[prompt].token_ids == samples[selection.chosen].token_ids


def test_best_of_is_batch_invariant() -> None:
    todo = [
        ask("best", PROMPTS[0], 5, best_of=5),
        ask("vote", PROMPTS[1], 6, self_consistency=4, answer="text"),
        ask("plain", PROMPTS[0], 5),
        ask("greedy", PROMPTS[0], 5, temperature=0.0),
        ask("beam", PROMPTS[1], 5, num_beams=3, temperature=1.0),
    ]
    mixed = run(todo)
    unmerged = run(todo[::-1], merging=False, max_rows=2)
    for request in todo:
        (alone,) = run([request]).values()
        for other in (mixed[request.identity], unmerged[request.identity]):
            assert dataclasses.replace(alone, seconds=0) == dataclasses.replace(other, seconds=0)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("so it is 18.", "18"),
        ("$1,234.50 in all", "1234.5"),
        ("7 - 3 = 4", "4"),
        ("5-3", "3"),
        ("minus \u22127", "-7"),
        ("+007 and H2O", "7"),
        ("it is .50", "0.5"),
        ("-0.0", "0"),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
        ("none at all", None),
    ],
)
def test_the_last_number(text: str, answer: str | None) -> None:
    assert answer_of(text, Decoding()) == answer


@pytest.mark.parametrize(
    ("text", "pattern", "answer"),
    [
        ("Answer: (B). Answer: (C)", r"Answer: \((\w)\)", "c"),
        ("no such thing", r"Answer: (\w)", None),
        ("a Yes or a No", "Yes|No", "no"),
        ("x", "(a)|x", None),
    ],
)
def test_the_last_match_of_a_pattern(text: str, pattern: str, answer: str | None) -> None:
    decoding = Decoding(self_consistency=2, answer="pattern", answer_pattern=pattern)
    assert answer_of(text, decoding) == answer


def test_the_whole_text_without_case_space_and_edges() -> None:
    decoding = Decoding(self_consistency=2, answer="text")
    assert answer_of("  The\n Answer. ", decoding) == "the answer"
    assert answer_of(" \n", decoding) is None


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        (["a", "b", "b"], 1),
        (["a", "b", "b", "a"], 1),  # b reaches two first
        (["a", "b"], 0),
        ([None, "a"], 1),
        ([None, None], 0),
        (["c", None, "a", None, "a"], 2),
    ],
)
def test_ties_go_to_the_first_to_reach_the_number(answers: list[str | None], chosen: int) -> None:
    assert majority(answers) == chosen
