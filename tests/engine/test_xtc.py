"""XTC: what it drops, against a plain version; when, against its probability and the draw."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import transformers
from hypothesis import assume, given, settings
from scipy import stats
from tests.engine import tiny
from tests.engine.scores import score_rows
from tests.engine.test_equality import KeyedGumbel
from tests.profiles import examples
from torch import Tensor
from transformers import TemperatureLogitsWarper, TopKLogitsWarper

from ethogram.engine import Engine
from ethogram.engine.noise import draw, gumbel_numpy, uniform
from ethogram.engine.steps import FUNCTIONS, History, apply_steps
from ethogram.engine.steps.xtc import _STREAM
from ethogram.spec import Decoding
from ethogram.spec.groups import Xtc

ALWAYS, NEVER = 1.0, 1e-300


def run_xtc(
    scores: torch.Tensor, probability: float, threshold: float, history: History
) -> torch.Tensor:
    return FUNCTIONS["xtc"](scores, Xtc(probability=probability, threshold=threshold), history)


def plain(row: list[float], threshold: float) -> list[int]:
    """The tokens that stay when it acts: in descending order, from the last likely one on."""
    weights = [math.exp(value - max(row)) for value in row]
    probabilities = [weight / sum(weights) for weight in weights]
    order = sorted(range(len(row)), key=lambda i: -row[i])
    likely = [i for i in order if probabilities[i] >= threshold]
    stays = [i for i in order if not likely or row[i] <= row[likely[-1]]]
    return sorted(i for i in stays if row[i] > -math.inf)


def history(rows: int, *, key: int = 0, position: int = 0) -> History:
    return History([[1]] * rows, [[2] * position] * rows, keys=list(range(key, key + rows)))


def kept(scores: Tensor) -> list[list[int]]:
    return [torch.nonzero(row > -torch.inf).flatten().tolist() for row in scores]


# --- what it drops --------------------------------------------------------------------------------


@given(scores=score_rows(), threshold=st.floats(0.001, 0.5))
@settings(max_examples=examples(150))
def test_what_stays_equals_the_plain_version(scores: Tensor, threshold: float) -> None:
    rows = scores[:, :300]
    assume(bool((rows > -torch.inf).any(-1).all()))
    assume(bool(((rows.softmax(-1) - threshold).abs() > 1e-6).all()))
    before = rows.clone()
    ours = run_xtc(rows, ALWAYS, threshold, history(len(rows)))
    assert kept(ours) == [plain(row, threshold) for row in rows.tolist()]
    assert torch.equal(rows, before)
    assert run_xtc(rows, NEVER, threshold, history(len(rows))) is rows


@pytest.mark.parametrize(
    ("probabilities", "threshold", "stays"),
    [
        ([0.5, 0.3, 0.15, 0.05], 0.1, [2, 3]),
        ([0.5, 0.3, 0.15, 0.05], 0.2, [1, 2, 3]),
        ([0.5, 0.3, 0.15, 0.05], 0.4, [0, 1, 2, 3]),  # a single likely token stays
        ([0.3, 0.25, 0.25, 0.2], 0.22, [1, 2, 3]),  # ties with the least likely stay
        ([0.25, 0.25, 0.25, 0.25], 0.1, [0, 1, 2, 3]),
    ],
)
def test_xtc_by_hand(probabilities: list[float], threshold: float, stays: list[int]) -> None:
    scores = torch.tensor([probabilities]).log()
    assert kept(run_xtc(scores, ALWAYS, threshold, history(1))) == [stays]


def test_the_llamacpp_order_measures_before_the_temperature() -> None:
    """Heated by 3, four tokens are above 0.2; before it only two are."""
    scores = torch.tensor([[0.5, 0.3, 0.12, 0.08]]).log()
    both = {"temperature": 3.0, "xtc_probability": 1.0, "xtc_threshold": 0.2}
    stays = {
        order: kept(apply_steps(scores, Decoding(order=order, **both), history(1)))[0]
        for order in ("transformers", "vllm", "llamacpp")
    }
    assert stays == {"transformers": [2, 3], "vllm": [2, 3], "llamacpp": [1, 2, 3]}


# --- when it acts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.9])
def test_it_acts_in_its_share_of_the_draws(probability: float) -> None:
    """Binomial test over 200 keys and 100 positions, and over the positions of each key."""
    acts = np.array(
        [
            [uniform(key, position, _STREAM) < probability for position in range(100)]
            for key in range(200)
        ]
    )
    assert stats.binomtest(int(acts.sum()), acts.size, probability).pvalue > 0.01
    by_key = stats.binom.cdf(acts.sum(1), 100, probability)
    by_position = stats.binom.cdf(acts.sum(0), 200, probability)
    assert min(by_key.min(), by_position.min()) > 0.0002
    repeats = (acts[:, 1:] & acts[:, :-1]).mean()
    assert repeats == pytest.approx(probability**2, abs=0.015)


def test_the_step_acts_by_this_chance_and_no_other() -> None:
    scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(400, 1)
    for position in (0, 7):
        done = kept(run_xtc(scores, 0.3, 0.1, history(400, position=position)))
        acted = [row == [2, 3] for row in done]
        assert acted == [uniform(key, position, _STREAM) < 0.3 for key in range(400)]
        assert 80 < sum(acted) < 160


PROBABILITIES = np.array([0.5, 0.3, 0.15, 0.05])
#: Half the draws from these, half from what XTC at 0.1 leaves of them: 0.75 and 0.25.
MIXED = 0.5 * PROBABILITIES + 0.5 * np.array([0, 0, 0.75, 0.25])


def counts_of(turns: np.ndarray) -> np.ndarray:
    """Draws of each token, where XTC acts in the given rows of key 0, 1, 2, …"""
    scores = torch.tensor(PROBABILITIES).float().log().repeat(len(turns), 1)
    scores[torch.from_numpy(turns), :2] = -torch.inf
    tokens = draw(scores, range(len(turns)), [0] * len(turns))
    return np.bincount(tokens.numpy(), minlength=4)


@pytest.mark.long
def test_the_chance_is_independent_of_the_draw() -> None:
    """The tokens drawn are those of the mixture, which a shared stream would distort."""
    n = 20_000
    scores = torch.tensor(PROBABILITIES).float().log().repeat(n, 1)
    left = run_xtc(scores, 0.5, 0.1, history(n))
    drawn = np.bincount(draw(left, range(n), [0] * n).numpy(), minlength=4)
    assert stats.chisquare(drawn, MIXED * n).pvalue > 0.01
    chance = np.array([uniform(key, 0, _STREAM) for key in range(n)])
    assert (drawn == counts_of(chance < 0.5)).all()
    # Negative control: a chance taken from the noise of token 0.
    shared = np.array([np.exp(-np.exp(-gumbel_numpy(key, 0, [0])[0])) for key in range(n)])
    assert stats.chisquare(counts_of(shared < 0.5), MIXED * n).pvalue < 1e-12


def test_xtc_is_batch_invariant() -> None:
    scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(40, 1)
    value, keys = Xtc(probability=0.5, threshold=0.1), list(range(40))
    outputs = [[2] * (key % 5) for key in keys]
    together = FUNCTIONS["xtc"](scores, value, History([[1]] * 40, outputs, keys=keys))
    for row in (0, 3, 17, 39):
        alone = FUNCTIONS["xtc"](
            scores[:1], value, History([[1]], [outputs[row]], keys=[keys[row]])
        )
        assert torch.equal(alone[0], together[row])


# --- as a whole -----------------------------------------------------------------------------------


class PlainXtc(transformers.LogitsProcessor):
    """The plain version inside transformers `generate`."""

    def __init__(self, value: Xtc, key: int, start: int) -> None:
        self.value, self.key, self.start = value, key, start

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if uniform(self.key, input_ids.shape[1] - self.start, _STREAM) >= self.value.probability:
            return scores
        stays = plain(scores[0].tolist(), self.value.threshold)
        only = torch.full_like(scores, -torch.inf)
        only[0, stays] = scores[0, stays]
        return only


@pytest.mark.parametrize("prompt", ["a", "the cat sat", "naïve café 日本語"])
def test_generation_equals_transformers_with_the_plain_version(prompt: str) -> None:
    model, key = tiny.loaded("llama"), 77
    common: dict[str, Any] = {"temperature": 0.4, "top_k": 50, "max_new_tokens": 32}
    decoding = Decoding(**common, xtc=Xtc(probability=0.5, threshold=0.05))
    start = len(model.tokenizer(prompt).input_ids)

    def reference(*middle: Any) -> list[int]:
        extra = (TemperatureLogitsWarper(0.4), TopKLogitsWarper(50), *middle)
        return tiny.generate(model, prompt, decoding, (*extra, KeyedGumbel(key, start)))

    (made,) = Engine(model).generate([tiny.request(prompt, decoding, key=key)])
    assert list(made.token_ids) == reference(PlainXtc(decoding.xtc, key, start))
    assert list(made.token_ids) != reference(), "XTC changed nothing"
