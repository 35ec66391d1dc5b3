"""Requests in vLLM's terms: what is handed over, what is refused, and what comes back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.engine import tiny

from ethogram.backends.vllm_options import machine_options
from ethogram.backends.vllm_request import RunningOutput, sampling_settings, seed_of
from ethogram.engine.jobs import Job, make_jobs
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.token_strings import StringIds
from ethogram.errors import ModelError, RequestError, SpecError
from ethogram.spec import ORDER_PRESETS, Decoding
from ethogram.spec.steps import STEPS
from ethogram.spec.vllm import refusal

#: Steps that vLLM has too, each with the same meaning.
VLLM_STEPS = tuple(name for name in ORDER_PRESETS["vllm"] if STEPS[name].vllm is not None)


@dataclass(frozen=True)
class Reader:
    context_length: int = 256

    def decoder_prompt(self, prompt_ids: Any) -> tuple[int, ...]:
        return tuple(prompt_ids)


def job(prompt: str = "the cat sat", **settings: Any) -> Job:
    request = tiny.request(prompt, Decoding(**settings))
    return make_jobs([request], tiny.loaded("llama"), Reader())[0]


def settings(**decoding: Any) -> dict[str, Any]:
    return sampling_settings(job(**decoding), tiny.tokenizer())


# --- what is handed over --------------------------------------------------------------------------


def test_all_that_vllm_knows_is_handed_over() -> None:
    assert settings(
        order="vllm",
        temperature=0.7,
        top_k=40,
        top_p=0.9,
        min_p=0.05,
        repetition_penalty=1.2,
        frequency_penalty=0.3,
        presence_penalty=0.2,
        logit_bias={5: 1.5, 6: 0.0},
        min_new_tokens=3,
        max_new_tokens=20,
        stop=("\nQ:",),
        stop_token_ids=(9,),
    ) == {
        "temperature": 0.7,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.05,
        "repetition_penalty": 1.2,
        "frequency_penalty": 0.3,
        "presence_penalty": 0.2,
        "logit_bias": {5: 1.5},
        "min_tokens": 3,
        "max_tokens": 20,
        "ignore_eos": True,
        "stop_token_ids": [1],  # vLLM would hold back the other until min_tokens.
        "logprobs": 0,
        "detokenize": False,
    }


def test_what_does_not_act_is_left_out() -> None:
    greedy = settings(strategy="greedy", temperature=0.7, top_p=0.5, stop_token_ids=(9,))
    assert greedy == {
        "temperature": 0.0,
        "max_tokens": 128,
        "ignore_eos": True,
        "stop_token_ids": [1, 9],
        "logprobs": 0,
        "detokenize": False,
    }


def test_the_end_of_the_context_bounds_the_output() -> None:
    short = settings(max_new_tokens=1000, min_new_tokens=900)
    assert 0 < short["max_tokens"] < 256
    assert short["min_tokens"] == short["max_tokens"]


@given(st.integers(0, 2**64 - 1))
def test_a_seed_is_a_signed_64_bit_number(key: int) -> None:
    seed = seed_of(key)
    assert seed is not None
    assert 0 <= seed < 2**63


def test_a_greedy_request_has_no_seed() -> None:
    assert seed_of(None) is None


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decoding", "setting", "says"),
    [
        ({"num_beams": 4}, "num_beams", "beam search"),
        ({"penalty_alpha": 0.6, "top_k": 4}, "penalty_alpha", "contrastive search"),
        ({"guidance_scale": 1.5}, "guidance_scale", "classifier-free guidance"),
        ({"contrastive": {"amateur": "gpt2"}}, "contrastive.amateur", "contrastive decoding"),
        ({"dola_layers": "low"}, "dola_layers", "DoLa"),
        ({"forced_tokens": [7]}, "forced_tokens", "forced first tokens"),
        ({"typical_p": 0.9}, "typical_p", "typical sampling"),
        ({"epsilon_cutoff": 0.01}, "epsilon_cutoff", "epsilon cutoff"),
        ({"eta_cutoff": 0.01}, "eta_cutoff", "eta cutoff"),
        ({"top_n_sigma": 1.0}, "top_n_sigma", "top-n-sigma"),
        ({"top_h": 0.5}, "top_h", "top-H"),
        ({"xtc": {"probability": 0.5}}, "xtc.probability", "XTC"),
        ({"mirostat": {"tau": 3.0}}, "mirostat.tau", "mirostat"),
        ({"dry": {"multiplier": 0.8}}, "dry.multiplier", "DRY"),
        ({"no_repeat_ngram_size": 3}, "no_repeat_ngram_size", "n-grams"),
        ({"temperature": 2.5}, "temperature", "0.01 to 2"),
        ({"temperature": 0.001}, "temperature", "0.01 to 2"),
        ({"frequency_penalty": 3.0}, "frequency_penalty", "-2 to 2"),
        ({"presence_penalty": -3.0}, "presence_penalty", "-2 to 2"),
        ({"bad_words": [[3, 4]]}, "bad_words", "lists of token ids"),
        ({"top_p": 0.9, "min_p": 0.1}, "order", "min_p before top_p"),
        ({"top_p": 0.9, "temperature": 0.5, "order": "llamacpp"}, "order", "temperature before"),
    ],
)
def test_what_vllm_cannot_do_is_refused_by_name(
    decoding: dict[str, Any], setting: str, says: str
) -> None:
    found = refusal(Decoding(**decoding))
    assert found is not None
    assert found.setting == setting
    assert says in found.what
    assert "backend: engine" in found.hint


def test_every_step_is_either_handed_over_or_refused() -> None:
    assert set(VLLM_STEPS) < set(ORDER_PRESETS["vllm"])
    values = {
        "dry": {"multiplier": 0.5},
        "no_repeat_ngram_size": 2,
        "typical_p": 0.5,
        "epsilon_cutoff": 0.1,
        "eta_cutoff": 0.1,
        "top_n_sigma": 1.0,
        "top_h": 0.5,
        "xtc": {"probability": 0.5},
        "mirostat": {"tau": 2.0},
        "response_format": {"type": "json_object"},
    }
    for name in set(ORDER_PRESETS["vllm"]) - set(VLLM_STEPS):
        found = refusal(Decoding(order="vllm", **{name: values[name]}))
        assert found is not None
        assert found.setting == STEPS[name].setting


@pytest.mark.parametrize(
    "decoding",
    [
        {},
        {"temperature": 0.7, "top_k": 40, "top_p": 0.9},
        {"temperature": 0.7, "top_k": 40, "order": "llamacpp"},
        {"top_k": 40, "min_p": 0.1},
        {"strategy": "greedy", "top_p": 0.9, "min_p": 0.1, "typical_p": 0.5},
        {"repetition_penalty": 1.2, "bad_words": ["the"], "min_new_tokens": 3},
        {"temperature": 0.7, "min_p": 0.1, "top_p": 0.9, "order": "vllm"},
        {"best_of": 3, "prompt_lookup_num_tokens": 4},
    ],
)
def test_what_vllm_does_as_the_engine_passes(decoding: dict[str, Any]) -> None:
    assert refusal(Decoding(**decoding)) is None


ACTIVE: dict[str, Any] = {
    "logit_bias": {3: 2.0, 7: -1.0},
    "repetition_penalty": 1.7,
    "frequency_penalty": 0.6,
    "presence_penalty": 0.4,
    "bad_words": ("x",),
    "min_new_tokens": 5,
    "temperature": 0.5,
    "top_k": 5,
    "top_p": 0.7,
    "min_p": 0.3,
}


def scores(logits: torch.Tensor, order: tuple[str, ...]) -> torch.Tensor:
    """Probabilities after steps of which two and the token history are the same throughout."""
    decoding = Decoding(strategy="sample", order=order, **{name: ACTIVE[name] for name in order})
    rows = len(logits)
    words = StringIds(((2,), (5, 6)), {})
    history = History([(3, 4, 4)] * rows, [(7, 7, 5)] * rows, frozenset({1}), words)
    return apply_steps(logits, decoding, history).softmax(-1)


@pytest.mark.parametrize("pair", [*combinations(VLLM_STEPS, 2)], ids="-".join)
def test_an_order_passes_just_where_it_gives_vllms_distribution(pair: tuple[str, str]) -> None:
    first, second = sorted(pair, key=ORDER_PRESETS["vllm"].index)
    logits = 2 * torch.randn(400, 12, generator=torch.Generator().manual_seed(5))
    theirs, other = scores(logits, (first, second)), scores(logits, (second, first))
    asked = {first: ACTIVE[first], second: ACTIVE[second]}
    assert refusal(Decoding(order=(first, second), **asked)) is None
    passes = refusal(Decoding(order=(second, first), **asked)) is None
    assert passes == torch.allclose(theirs, other, atol=1e-6)


def test_orders_are_compared_pair_by_pair() -> None:
    """Bans may move past penalties; only what stands after the penalties in vLLM may not."""
    steps = ("repetition_penalty", "bad_words", "temperature", "top_k", "min_p")
    asked = {name: ACTIVE[name] for name in steps}
    assert refusal(Decoding(order=steps, **asked)) is None
    moved = ("bad_words", "temperature", "top_k", "repetition_penalty", "min_p")
    found = refusal(Decoding(order=moved, **asked))
    assert found is not None
    assert found.setting == "order"
    assert "repetition_penalty before top_k" in found.what


def test_bad_words_that_vllm_spells_differently_are_refused() -> None:
    words = tiny.tokenizer()
    same = [w for w in ("x", "q", "Z") if len(words.encode(f" {w}", add_special_tokens=False)) > 1]
    assert same, "a word whose spelling after a space has more tokens"
    with pytest.raises(RequestError, match="let"):
        settings(bad_words=(same[0],))


def test_a_prompt_that_ends_with_the_start_of_a_bad_word_is_refused() -> None:
    words = tiny.tokenizer()
    made = job("the cat", bad_words=("x",))
    ids = made.prompt_ids
    one = StringIds(((ids[-1], 5),), {})
    spelt = SimpleNamespace(
        encode=lambda text, **_: [] if text[0] == " " else [ids[-1], 5], decode=words.decode
    )
    with pytest.raises(RequestError, match="ends with the start"):
        sampling_settings(dataclasses.replace(made, string_ids=one), spelt)


# --- what comes back ------------------------------------------------------------------------------


def completion(ids: list[int], reason: str | None = None) -> Any:
    """New tokens as vLLM returns them."""
    logprobs = [{token: SimpleNamespace(logprob=-float(token))} for token in ids]
    return SimpleNamespace(token_ids=ids, logprobs=logprobs, finish_reason=reason)


def write(made: Job, *parts: Any) -> Any:
    candidates: list[Any] = [None]
    output = RunningOutput(made, tiny.tokenizer(), 0, candidates)
    output.started = 1.0
    for part in parts:
        if output.take(part):
            output.finish(3.5)
            break
    return candidates[0]


def test_an_end_of_sequence_ends_an_output() -> None:
    made = write(job(max_new_tokens=9), completion([10]), completion([11, 1], "stop"))
    assert made.token_ids == (10, 11, 1)
    assert made.finish_reason == "eos"
    assert made.logprobs == (-10.0, -11.0, -1.0)
    assert made.text == tiny.tokenizer().decode([10, 11])
    assert made.seconds == 2.5


def test_a_stop_token_ends_an_output() -> None:
    made = write(job(stop_token_ids=(12,)), completion([10, 12], "stop"))
    assert (made.finish_reason, made.token_ids) == ("stop", (10, 12))


def test_a_stop_string_ends_an_output_before_vllm_does() -> None:
    ids = tiny.tokenizer().encode("the cat; and more")
    made = write(job(stop=(";",)), *(completion([token]) for token in ids))
    assert made.finish_reason == "stop"
    assert made.text == "the cat"
    assert len(made.token_ids) < len(ids)


def test_the_length_ends_an_output() -> None:
    made = write(job(max_new_tokens=2), completion([10, 11], "length"))
    assert (made.finish_reason, made.token_ids) == ("length", (10, 11))


def test_an_output_that_vllm_gave_up_is_an_error() -> None:
    with pytest.raises(ModelError, match="abort"):
        write(job(max_new_tokens=5), completion([10], "abort"))


# --- how vLLM uses the machine --------------------------------------------------------------------


def test_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETHOGRAM_VLLM", raising=False)
    assert machine_options() == {}
    monkeypatch.setenv("ETHOGRAM_VLLM", '{"tensor_parallel_size": 2}')
    assert machine_options() == {"tensor_parallel_size": 2}
    assert machine_options({"enforce_eager": True}) == {"enforce_eager": True}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("{", "not valid JSON"),
        ("[1]", "JSON object"),
        ("[" * 100_000, "nested too deep"),
        ('{"max_num_seqs": ' + "9" * 5000 + "}", "more than 4300 digits"),
        ('{"trust_remote_code": true}', "not a supported vLLM option"),
        ('{"tensor_parallel_sizes": 2}', "did you mean 'tensor_parallel_size'"),
    ],
)
def test_a_wrong_option_is_named(monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    monkeypatch.setenv("ETHOGRAM_VLLM", value)
    with pytest.raises(SpecError, match=says):
        machine_options()
