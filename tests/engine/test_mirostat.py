"""Mirostat 2 against a plain version with its state inside, and against what it promises."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
import transformers
from hypothesis import assume, given, settings
from tests.engine import tiny
from tests.engine.scores import score_rows
from tests.engine.test_equality import KeyedGumbel
from tests.profiles import examples
from torch import Tensor
from transformers import RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper

from ethogram.engine import Engine
from ethogram.engine.noise import draw
from ethogram.engine.steps import FUNCTIONS, History, apply_steps
from ethogram.engine.steps.mirostat import first_limit, next_limit, surprisal
from ethogram.spec import Decoding
from ethogram.spec.groups import Mirostat


def plain(row: list[float], limit: float) -> list[int]:
    """The tokens that stay: from the most probable on, while -log2 p is at most the limit."""
    weights = [math.exp(value - max(row)) for value in row]
    order = sorted(range(len(row)), key=lambda i: -row[i])
    stays = []
    for i in order:
        bits = -math.log2(weights[i] / sum(weights)) if weights[i] else math.inf
        if bits > limit and row[i] < row[order[0]]:
            break
        stays.append(i)
    return sorted(stays)


class PlainMirostat(transformers.LogitsProcessor):
    """The loop of llama.cpp: cut, renormalise, see what was drawn, move the limit."""

    def __init__(self, tau: float, eta: float, start: int) -> None:
        self.tau, self.eta, self.start = tau, eta, start
        self.mu = 2 * tau
        self.drawn_from: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self.drawn_from is not None:
            observed = -math.log2(float(self.drawn_from[int(input_ids[0, -1])]))
            self.mu = self.mu - self.eta * (observed - self.tau)
        stays = plain(scores[0].tolist(), self.mu)
        only = torch.full_like(scores, -torch.inf)
        only[0, stays] = scores[0, stays]
        self.drawn_from = only[0].double().softmax(-1)
        return only


# --- one step -------------------------------------------------------------------------------------


@given(scores=score_rows(), data=st.data())
@settings(max_examples=examples(150))
def test_the_cut_equals_the_plain_version(scores: Tensor, data: st.DataObject) -> None:
    rows = scores[:, :300]
    assume(bool((rows > -torch.inf).any(-1).all()))
    limits = data.draw(st.lists(st.floats(-1, 14), min_size=len(rows), max_size=len(rows)))
    bits = -rows.double().log_softmax(-1) / math.log(2)
    assume(bool(((bits - torch.tensor(limits).unsqueeze(1)).abs() > 1e-5).all()))
    before = rows.clone()
    ours = FUNCTIONS["mirostat"](
        rows, Mirostat(tau=3.0, eta=0.1), History([], [], surprisal_limits=limits)
    )
    kept = [torch.nonzero(row > -torch.inf).flatten().tolist() for row in ours]
    assert kept == [plain(row, limit) for row, limit in zip(rows.tolist(), limits, strict=True)]
    assert torch.equal(rows, before)


def test_surprise_is_that_of_the_renormalised_distribution() -> None:
    """In bits: 0.5 and 0.25 are left of 1, so they are 2/3 and 1/3."""
    scores = torch.tensor([[0.5, 0.25, 0.0]]).log().repeat(2, 1)
    assert surprisal(scores, torch.tensor([0, 1])) == pytest.approx(
        [math.log2(1.5), math.log2(3)], abs=1e-6
    )


def test_the_limit_starts_at_twice_the_target_and_moves_against_the_error() -> None:
    settings = Mirostat(tau=3.0, eta=0.5)
    assert first_limit(settings) == 6.0
    assert next_limit(6.0, 5.0, settings) == 5.0
    assert next_limit(6.0, 1.0, settings) == 7.0


def test_mirostat_replaces_the_truncations() -> None:
    """Also where they would stand before the temperature; penalties stay."""
    settings = {"temperature": 0.7, "mirostat_tau": 3.0, "repetition_penalty": 1.3}
    off = {"top_k": 3, "top_p": 0.5, "min_p": 0.3, "typical_p": 0.5, "xtc_probability": 1.0}
    for order in ("transformers", "vllm", "llamacpp"):
        decoding = Decoding(order=order, **settings, **off)
        expected = ("repetition_penalty", "temperature", "mirostat")
        assert decoding.active_step_names() == expected
    assert Decoding(strategy="greedy", mirostat={"tau": 3.0}).active_step_names() == ()
    assert Decoding(num_beams=2, mirostat={"tau": 3.0}).active_step_names() == ()


@pytest.mark.parametrize("tau", [2.0, 4.0])
def test_the_mean_surprise_comes_to_the_target(tau: float) -> None:
    """500 draws of 8 rows from a Zipf distribution of 7.4 bits; without it, that is the mean."""
    scores = (-1.1 * torch.arange(1, 3001).log()).repeat(8, 1)
    value = Mirostat(tau=tau, eta=0.1)
    limits, keys = [first_limit(value)] * 8, list(range(8))
    seen = []
    for position in range(500):
        left = FUNCTIONS["mirostat"](scores, value, History([], [], surprisal_limits=limits))
        bits = surprisal(left, draw(left, keys, [position] * 8))
        limits = [next_limit(old, new, value) for old, new in zip(limits, bits, strict=True)]
        seen += bits[:] if position >= 100 else []
    assert sum(seen) / len(seen) == pytest.approx(tau, abs=0.1)
    free = surprisal(scores, draw(scores, list(range(8)), [0] * 8))
    assert sum(free) / 8 > 5


# --- as a whole -----------------------------------------------------------------------------------

PROMPTS = ("a", "the cat sat", "naïve café 日本語", "0 1 2 3 4 5")


def reference(prompt: str, decoding: Decoding, key: int, *, tau: float, eta: float) -> list[int]:
    model = tiny.loaded("llama")
    start = len(model.tokenizer(prompt).input_ids)
    extra: list[Any] = [TemperatureLogitsWarper(decoding.temperature)]
    extra += [PlainMirostat(tau, eta, start), KeyedGumbel(key, start)]
    return tiny.generate(model, prompt, decoding, tuple(extra))


@pytest.mark.long
def test_generation_equals_transformers_with_the_plain_version() -> None:
    """All prompts and two decodings in one batch: each row has its own limit."""
    model = tiny.loaded("llama")
    common: dict[str, Any] = {"temperature": 1.3, "max_new_tokens": 40}
    decodings = {
        (2.0, 0.5): Decoding(**common, mirostat={"tau": 2.0, "eta": 0.5}, top_k=2),
        (3.5, 0.1): Decoding(**common, mirostat={"tau": 3.5}, repetition_penalty=1.2),
    }
    requests = {
        (prompt, settings): tiny.request(prompt, decoding, key=50 + i, name=f"{i}-{settings}")
        for i, prompt in enumerate(PROMPTS)
        for settings, decoding in decodings.items()
    }
    made = {g.identity: list(g.token_ids) for g in Engine(model).generate(list(requests.values()))}
    frozen = 0
    for (prompt, (tau, eta)), request in requests.items():
        key = request.noise_key or 0
        expected = reference(prompt, request.decoding, key, tau=tau, eta=eta)
        assert made[request.identity] == expected
        frozen += reference(prompt, request.decoding, key, tau=tau, eta=0.0) == expected
    assert frozen < len(requests) / 2, "a limit that never moves would have passed"


def test_a_limit_is_the_outputs_own() -> None:
    """Outputs started later, beside others that are far on, start at twice the target too."""
    model = tiny.loaded("llama")
    decoding = Decoding(mirostat={"tau": 2.0, "eta": 1.0}, max_new_tokens=20)
    requests = [tiny.request("the cat", decoding, index=i, key=i) for i in range(7)]
    two_at_a_time = {g.identity: g.token_ids for g in Engine(model, max_rows=2).generate(requests)}
    for request in requests:
        (alone,) = Engine(model).generate([request])
        assert alone.token_ids == two_at_a_time[request.identity]


def test_the_repetition_penalty_acts_before_mirostat() -> None:
    scores = torch.tensor([[2.0, 1.0, 0.0]])
    history = History([[0]], [[]], surprisal_limits=[1.5])
    decoding = Decoding(mirostat={"tau": 0.75}, repetition_penalty=8.0)
    penalised = RepetitionPenaltyLogitsProcessor(8.0)(torch.tensor([[0]]), scores.clone())
    left = apply_steps(scores, decoding, history)[0] > -torch.inf
    expected = plain(penalised[0].tolist(), 1.5)
    assert torch.nonzero(left).flatten().tolist() == expected == [1]
