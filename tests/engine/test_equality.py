"""Token ids equal to transformers `generate` in fp32: one by one, and all in one mixed batch."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import pytest
import torch
import transformers
from tests.engine import tiny
from transformers import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from ethogram.engine import Engine
from ethogram.engine.noise import gumbel_numpy
from ethogram.spec import Decoding, Request

KINDS = ("gpt2", "gpt_neox", "llama", "t5")
#: Of lengths 1 to 90, so that prompts and outputs cross the edge of a cache bucket at 64.
PROMPTS = (
    "a",
    "the cat sat",
    "naïve café 日本語 🙂",
    "0 1 2 3 4 5 6 7 8 9 alpha beta gamma 0 1 2 3 4 5 6 7 8 9 alpha beta gamma",
    "the old man who was there, the dog ran to the house of the old man who was there then; "
    "halt; done! ends. stops! the old man who was there, and smörgåsbord привет straße",
)
COMMON: dict[str, Any] = {"max_new_tokens": 32}
EDITED: dict[str, Any] = {
    "logit_bias": {95: 3.0, 96: -2.5, 250: 1.0},
    "bad_words": [[i] for i in range(30, 90, 2)] + [[i, j] for i in (31, 33, 35) for j in (7, 95)],
}


def decodings(settings: dict[str, dict[str, Any]], **common: Any) -> dict[str, Decoding]:
    """Decodings by name; settings of their own come before those in common."""
    return {name: Decoding(**{**COMMON, **common, **own}) for name, own in settings.items()}


GREEDY = decodings(
    {
        "greedy": {},
        "repetition": {"repetition_penalty": 1.3},
        "repetition_reward": {"repetition_penalty": 0.8},
        "ngram_1": {"no_repeat_ngram_size": 1},
        "ngram_3": {"no_repeat_ngram_size": 3},
        "frequency": {"frequency_penalty": 0.7},
        "presence": {"presence_penalty": 0.9},
        "edited": EDITED,
        "min_new": {"min_new_tokens": 20},
        "all": {
            "repetition_penalty": 1.2,
            "frequency_penalty": 0.3,
            "presence_penalty": 0.2,
            "no_repeat_ngram_size": 2,
            "min_new_tokens": 9,
        },
    },
    strategy="greedy",
)
BEAM = decodings(
    {
        "beam_4": {"num_beams": 4},
        "beam_4_repetition": {"num_beams": 4, "repetition_penalty": 1.3},
        "beam_4_ngram": {"num_beams": 4, "no_repeat_ngram_size": 2},
        "beam_4_counts": {"num_beams": 4, "frequency_penalty": 0.7, "presence_penalty": 0.4},
        "beam_4_edited": {"num_beams": 4, **EDITED},
        "beam_4_min_new": {"num_beams": 4, "min_new_tokens": 12},
        "beam_3_long": {"num_beams": 3, "length_penalty": 2.0, "early_stopping": True},
        "beam_3_never": {"num_beams": 3, "length_penalty": 0.5, "early_stopping": "never"},
        "beam_2_short": {"num_beams": 2, "length_penalty": -1.0, "early_stopping": "never"},
        "beam_2_one_token": {"num_beams": 2, "max_new_tokens": 1},
    }
)
SAMPLED = decodings(
    {
        "pure": {},
        "cold": {"temperature": 0.3},
        "top_k": {"top_k": 5},
        "top_p": {"temperature": 1.5, "top_p": 0.8},
        "min_p": {"temperature": 1.5, "min_p": 0.1},
        "chain": {"temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.05},
        "penalised": {"temperature": 0.9, "top_p": 0.95, "repetition_penalty": 1.2},
        "counted": {"top_k": 50, "frequency_penalty": 0.5, "presence_penalty": 0.5},
        "typical": {"temperature": 1.4, "typical_p": 0.7},
        "epsilon": {"temperature": 1.5, "epsilon_cutoff": 0.02},
        "eta": {"temperature": 1.5, "eta_cutoff": 0.05, "frequency_penalty": 0.4},
        "top_h": {"temperature": 1.5, "top_h": 0.6, "no_repeat_ngram_size": 3},
        "long_chain": {
            "temperature": 1.8,
            "top_h": 0.9,
            "top_k": 60,
            "top_p": 0.95,
            "min_p": 0.01,
            "typical_p": 0.9,
            "epsilon_cutoff": 0.01,
            "eta_cutoff": 0.03,
        },
        "min_new": {"temperature": 1.2, "min_new_tokens": 15, "no_repeat_ngram_size": 2},
    },
    strategy="sample",
)


class KeyedGumbel(transformers.LogitsProcessor):
    """Our noise, by its plain definition, added to whatever the processors before it left."""

    def __init__(self, key: int, start: int) -> None:
        self.key, self.start = key, start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        tokens = torch.arange(scores.shape[1]).numpy()
        noise = gumbel_numpy(self.key, input_ids.shape[1] - self.start, tokens)
        return scores.double() + torch.from_numpy(noise)


def warpers(decoding: Decoding, key: int, start: int) -> tuple[Any, ...]:
    """What transformers runs when it samples, in its order, then our noise."""
    chain: list[Any] = []
    if decoding.temperature != 1.0:
        chain.append(TemperatureLogitsWarper(decoding.temperature))
    if decoding.top_h:
        chain.append(TopHLogitsWarper(decoding.top_h))
    if decoding.top_k:
        chain.append(TopKLogitsWarper(decoding.top_k))
    if decoding.top_p < 1.0:
        chain.append(TopPLogitsWarper(decoding.top_p))
    if decoding.min_p:
        chain.append(MinPLogitsWarper(decoding.min_p))
    if decoding.typical_p < 1.0:
        chain.append(TypicalLogitsWarper(decoding.typical_p))
    if decoding.epsilon_cutoff:
        chain.append(EpsilonLogitsWarper(decoding.epsilon_cutoff))
    if decoding.eta_cutoff:
        chain.append(EtaLogitsWarper(decoding.eta_cutoff))
    return (*chain, KeyedGumbel(key, start))


@cache
def model_of(kind: str) -> tiny.Loaded:
    """With every ninth id an end of sequence, so that outputs and beams end at many places."""
    plain = tiny.loaded(kind)
    return dataclasses.replace(plain, eos_token_ids=frozenset({1, *range(20, 300, 9)}))


def as_requests(decodings: dict[str, Decoding]) -> list[Request]:
    return [
        Request(f"{name}/{i}", f"p{i}", 0, prompt, decoding, noise_key=1000 + i)
        for i, prompt in enumerate(PROMPTS)
        for name, decoding in decodings.items()
    ]


@cache
def reference(kind: str, setting: str, prompt_index: int) -> list[int]:
    model, prompt = model_of(kind), PROMPTS[prompt_index]
    if setting in ALL_SAMPLED:
        decoding = ALL_SAMPLED[setting]
        length = 1 if kind == "t5" else len(model.tokenizer(prompt).input_ids)
        extra = warpers(decoding, 1000 + prompt_index, length)
        return tiny.generate(model, prompt, decoding, extra)
    return tiny.generate(model, prompt, {**GREEDY, **BEAM}[setting])


ALL_SAMPLED = {f"sampled_{name}": decoding for name, decoding in SAMPLED.items()}
EVERYTHING = {**GREEDY, **BEAM, **ALL_SAMPLED}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.long
def test_a_mixed_batch_equals_generate(kind: str) -> None:
    """All settings and prompts at once: 170 outputs, rows replaced as they finish."""
    requests = as_requests(EVERYTHING)
    engine = Engine(model_of(kind))
    made = {g.identity: g for g in engine.generate(requests)}
    assert engine.work.forks > 20, "histories parted that were one"
    wrong = []
    for request in requests:
        setting, index = request.identity.split("/")
        if list(made[request.identity].token_ids) != reference(kind, setting, int(index)):
            wrong.append(request.identity)
    assert not wrong
    assert len(made) == len(requests)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", [*GREEDY, *BEAM, "sampled_chain"])
def test_one_by_one_equals_generate(kind: str, setting: str) -> None:
    engine = Engine(model_of(kind), deterministic=False)
    for request in as_requests({setting: EVERYTHING[setting]})[1:3]:
        (made,) = engine.generate([request])
        index = int(request.identity.split("/")[1])
        assert list(made.token_ids) == reference(kind, setting, index), request.identity


@pytest.mark.long
def test_the_comparison_covers_enough() -> None:
    """Guards the tests above: outputs differ by prompt and setting, and many end early."""
    ends, distinct, longest = 0, set(), 0
    for request in as_requests(EVERYTHING):
        setting, index = request.identity.split("/")
        ids = reference("llama", setting, int(index))
        ends += ids[-1] in model_of("llama").eos_token_ids
        distinct.add(tuple(ids))
        longest = max(longest, len(ids))
    assert ends > 30
    assert len(distinct) > 60
    assert longest == 32


def test_another_key_gives_another_sample() -> None:
    """Negative control: the noise of `reference` decides the sampled sequences."""
    model, decoding = model_of("llama"), SAMPLED["pure"]
    length = len(model.tokenizer(PROMPTS[1]).input_ids)
    other = tiny.generate(model, PROMPTS[1], decoding, warpers(decoding, 1, length))
    assert other != reference("llama", "sampled_pure", 1)
