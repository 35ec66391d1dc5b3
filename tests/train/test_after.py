"""What is said of a finished training, as tables of values before and after."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ethogram.train import after


def codes(found: Any) -> list[str]:
    return [each.code for each in found]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ({"greedy/distinct_2": 0.9}, {"greedy/distinct_2": 0.8}, []),
        ({"greedy/distinct_2": 0.9}, {"greedy/distinct_2": 0.6}, ["collapse_distinct_2"]),
        ({"greedy/empty_rate": 0.0}, {"greedy/empty_rate": 0.05}, []),
        ({"greedy/empty_rate": 0.0}, {"greedy/empty_rate": 1.0}, ["collapse_empty_rate"]),
        ({"greedy/tokens": 12.0}, {"greedy/tokens": 14.1}, []),
        ({"greedy/tokens": 46.0}, {"greedy/tokens": 0.6}, ["collapse_tokens"]),
        ({"greedy/tokens": 8.0}, {"greedy/tokens": 29.0}, ["collapse_tokens"]),
        ({"greedy/loop_rate": 0.2}, {"greedy/loop_rate": 0.4}, []),
        ({"greedy/loop_rate": 0.2}, {"greedy/loop_rate": 0.6}, ["collapse_loop_rate"]),
        ({"greedy/tokens": None}, {"greedy/tokens": 1.0}, []),
        ({}, {"greedy/tokens": 1.0}, []),
    ],
)
def test_collapses(
    first: dict[str, float | None], last: dict[str, float | None], expected: list[str]
) -> None:
    found = after.collapses(first, last)
    assert codes(found) == expected
    assert not any(each.refuses for each in found)


def test_a_collapse_is_said_with_its_numbers() -> None:
    (found,) = after.collapses({"sampled/distinct_2": 0.9}, {"sampled/distinct_2": 0.45})
    assert found.message == "diversity collapsed: distinct-2 went from 0.90 to 0.45 under sampled"


def test_outputs_that_end_now_may_be_shorter() -> None:
    first = {"greedy/tokens": 48.0, "greedy/ends_by_itself": 0.02}
    assert after.collapses(first, {"greedy/tokens": 11.0, "greedy/ends_by_itself": 1.0}) == []
    dead = {"greedy/tokens": 0.5, "greedy/ends_by_itself": 1.0}
    assert codes(after.collapses(first, dead)) == ["collapse_tokens"]


@pytest.mark.parametrize(("share", "expected"), [(0.4, ["end_not_learned"]), (0.95, [])])
def test_an_end_that_was_not_learned(share: float, expected: list[str]) -> None:
    found = after.end_not_learned({"greedy/ends_by_itself": 0.1}, {"greedy/ends_by_itself": share})
    assert codes(found) == expected
    for each in found:
        assert each.message == "only 40% of the outputs under greedy end by themselves (10% before)"


@pytest.mark.parametrize(
    ("reward", "distinct", "expected"),
    [(3.5, 0.3, ["reward_hacking"]), (3.5, 0.9, []), (-0.5, 0.3, [])],
)
def test_a_reward_that_rises_while_outputs_get_worse(
    reward: float, distinct: float, expected: list[str]
) -> None:
    first = {"greedy/distinct_2": 0.9, "held_out/rewards/margins": 0.0}
    last = {"greedy/distinct_2": distinct, "held_out/rewards/margins": reward}
    found = after.reward_hacking(first, last, after.collapses(first, last))
    assert codes(found) == expected
    for each in found:
        assert "rose from 0.00 to 3.50 while diversity collapsed" in each.message


def test_weights_that_did_not_change() -> None:
    weights = {"a": torch.ones(3), "b": torch.zeros(2)}
    before = after.checksums(weights)
    assert codes(after.unchanged_weights(before, before)) == ["weights_unchanged"]
    assert after.unchanged_weights(before, before)[0].message == "no weight changed"
    weights["a"] = torch.tensor([1.0, 1.0, 2.0])
    (found,) = after.unchanged_weights(before, after.checksums(weights))
    assert found.message == "1 of 2 trained tensors did not change, such as b"
    weights["b"] = torch.tensor([0.0, 1e-7])
    assert after.unchanged_weights(before, after.checksums(weights)) == []


def test_swapped_values_are_a_change() -> None:
    assert after.checksums({"a": torch.tensor([1.0, 2.0])}) != after.checksums(
        {"a": torch.tensor([2.0, 1.0])}
    )


@pytest.mark.parametrize(
    ("logps", "margins", "displaces"),
    [
        ((-56.0, -56.2), (0.0, 0.8), False),
        ((-56.0, -61.0), (0.0, 3.5), True),
        ((-56.0, -61.0), (0.0, -0.1), False),
        ((-56.0, -40.0), (0.0, 2.0), False),
        ((None, -61.0), (None, 3.5), False),
    ],
)
def test_preferred_replies_that_became_less_likely(
    logps: tuple[float | None, float],
    margins: tuple[float | None, float],
    displaces: bool,
) -> None:
    first, last = (
        {"held_out/logps/chosen": logp, "held_out/rewards/margins": margin}
        for logp, margin in zip(logps, margins, strict=True)
    )
    expected = ["likelihood_displacement"] if displaces else []
    assert codes(after.displaced(first, last)) == expected
