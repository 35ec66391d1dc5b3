"""The engine on a CUDA device. Nobody has run this yet where there was one: see docs/models.md."""

from __future__ import annotations

import copy
import dataclasses
import random
from functools import cache
from typing import Any

import pytest
import torch
from tests.engine import tiny

from ethogram.engine import Engine
from ethogram.engine.forward.cuda_graphs import StepGraphs
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.spec import Decoding, Generation, Request

DEVICE = "cuda"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
PROMPTS = ("the cat sat on", "alpha beta gamma delta", "who was there then; halt")
GREEDY: dict[str, dict[str, Any]] = {
    "plain": {},
    "penalties": {
        "repetition_penalty": 1.3,
        "frequency_penalty": 0.4,
        "presence_penalty": 0.2,
    },
    "bans": {"no_repeat_ngram_size": 2, "bad_words": ((5, 6), (9,)), "min_new_tokens": 8},
    "bias": {"logit_bias": {5: 2.0, 8: -3.0}},
    "beam": {"strategy": "beam", "num_beams": 3},
}
#: One of each step and strategy, so that each of them meets tensors of the device.
KINDS: dict[str, dict[str, Any]] = {
    "greedy": {"strategy": "greedy"},
    "sample": {},
    "top_k": {"top_k": 9, "temperature": 0.8},
    "top_p": {"top_p": 0.8},
    "min_p": {"min_p": 0.1},
    "typical": {"typical_p": 0.8},
    "epsilon": {"epsilon_cutoff": 0.02},
    "eta": {"eta_cutoff": 0.02},
    "top_n_sigma": {"top_n_sigma": 1.5},
    "top_h": {"top_h": 0.6},
    "xtc": {"xtc": {"probability": 0.7, "threshold": 0.05}},
    "mirostat": {"mirostat": {"tau": 2.5}},
    "dry": {"dry": {"multiplier": 0.8, "penalty_last_n": -1}},
    "penalties": GREEDY["penalties"] | GREEDY["bans"] | GREEDY["bias"],
    "contrastive": {"penalty_alpha": 0.5, "top_k": 4},
    "guidance": {"guidance_scale": 1.5, "negative_prompt": "the dog"},
    "dola": {"dola_layers": "low", "strategy": "greedy"},
    "best_of": {"best_of": 3},
    "lookup": {"strategy": "greedy", "prompt_lookup_num_tokens": 4},
}


@cache
def loaded() -> tiny.Loaded:
    """The tiny Llama on the device."""
    ours = tiny.loaded("llama")
    model = copy.deepcopy(ours.model).to(DEVICE)
    return dataclasses.replace(ours, model=model, device=torch.device(DEVICE))


def mixed() -> list[Request]:
    return [
        tiny.request(prompt, Decoding(max_new_tokens=14, **settings), key=31 * place, name=name)
        for place, prompt in enumerate(PROMPTS)
        for name, settings in ((f"{kind}-{place}", KINDS[kind]) for kind in KINDS)
    ]


def made(engine: Engine, requests: list[Request]) -> dict[str, Generation]:
    return {one.identity: one for one in engine.generate(requests)}


@pytest.mark.parametrize("name", GREEDY)
def test_outputs_are_those_of_generate(name: str) -> None:
    settings = {"strategy": "greedy", "max_new_tokens": 16} | GREEDY[name]
    requests = [
        tiny.request(prompt, Decoding(**settings), index=place)
        for place, prompt in enumerate(PROMPTS)
    ]
    found = made(Engine(loaded()), requests)
    for request, prompt in zip(requests, PROMPTS, strict=True):
        wanted = tiny.generate(loaded(), prompt, request.decoding)
        assert list(found[request.identity].token_ids) == wanted


def test_a_mixed_batch_gives_what_it_gives_on_the_processor() -> None:
    requests = mixed()
    here, there = made(Engine(loaded()), requests), made(Engine(tiny.loaded("llama")), requests)
    for identity, one in there.items():
        assert here[identity].token_ids == one.token_ids, identity
        assert here[identity].logprobs == pytest.approx(one.logprobs, abs=1e-3), identity


def test_captured_steps_give_what_plain_steps_give(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = mixed()
    used: list[StepGraphs] = []
    plain_run = StepGraphs.run

    def run(self: StepGraphs, *arguments: Any) -> torch.Tensor:
        used.append(self)
        return plain_run(self, *arguments)

    monkeypatch.setattr(StepGraphs, "run", run)
    recorded = made(Engine(loaded()), requests)
    assert any(graphs.replays for graphs in used)
    monkeypatch.setattr(DecoderOnly, "uses_cuda_graphs", False)
    plain = made(Engine(loaded()), requests)
    for identity, one in plain.items():
        assert recorded[identity].token_ids == one.token_ids, identity
        assert recorded[identity].logprobs == pytest.approx(one.logprobs, abs=1e-3), identity


def test_deterministic_mode_is_batch_invariant() -> None:
    requests = mixed()
    first = made(Engine(loaded()), requests)
    for seed, rows in ((1, 5), (2, 40), (3, 192)):
        random.Random(seed).shuffle(requests)
        again = made(Engine(loaded(), max_rows=rows), requests)
        for identity, one in first.items():
            assert again[identity].token_ids == one.token_ids, identity
            assert again[identity].logprobs == one.logprobs, identity


def test_an_amateur_on_the_device() -> None:
    decoding = Decoding(contrastive={"amateur": "small"}, max_new_tokens=12)
    requests = [tiny.request(prompt, decoding, name=prompt) for prompt in PROMPTS]
    weak = tiny.loaded("gpt2")
    on_device = dataclasses.replace(
        weak, model=copy.deepcopy(weak.model).to(DEVICE), device=torch.device(DEVICE)
    )
    here = made(Engine(loaded(), amateurs={"small": on_device}), requests)
    there = made(Engine(tiny.loaded("llama"), amateurs={"small": weak}), requests)
    assert {i: one.token_ids for i, one in here.items()} == {
        i: one.token_ids for i, one in there.items()
    }
