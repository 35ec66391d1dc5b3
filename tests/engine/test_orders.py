"""The order presets: what each engine's source says, and what a chain in that order keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from tests.engine import tiny
from tests.engine.plain import truncate
from tests.engine.scores import make_scores
from tests.profiles import examples
from torch import Tensor

from ethogram.engine.steps import History, apply_steps
from ethogram.spec import ORDER_PRESETS, Decoding

#: The steps that an engine has, in the order in which it applies them.
ENGINES = {
    # vLLM 0.33, v1/sample/sampler.py: `apply_logits_processors` (bad words, then the processors
    # that can change the argmax: minimum length, logit bias; then the penalties), `sample`
    # (temperature, then the processors that cannot: min-p; then top-k and top-p).
    "vllm": (
        "bad_words",
        "min_new_tokens",
        "logit_bias",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "temperature",
        "min_p",
        "top_k",
        "top_p",
    ),
    # llama.cpp, common/common.h: the default of `common_params_sampling::samplers` (penalties,
    # DRY, top-n-sigma, top-k, typical-p, top-p, min-p, XTC, temperature), before which
    # common/sampling.cpp puts the logit bias; llama-sampler.cpp: the penalties' own order.
    "llamacpp": (
        "logit_bias",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "dry",
        "top_n_sigma",
        "top_k",
        "typical_p",
        "top_p",
        "min_p",
        "xtc",
        "temperature",
    ),
}
#: All that reshapes or truncates, with the steps that the engine lacks where they are documented.
CHAINS = {
    "vllm": (
        "temperature",
        "top_n_sigma",
        "min_p",
        "epsilon_cutoff",
        "eta_cutoff",
        "top_k",
        "top_p",
        "top_h",
        "typical_p",
        "xtc",
        "mirostat",
    ),
    "llamacpp": (
        "top_n_sigma",
        "top_k",
        "typical_p",
        "top_h",
        "top_p",
        "min_p",
        "epsilon_cutoff",
        "eta_cutoff",
        "xtc",
        "temperature",
        "mirostat",
    ),
}
VALUES = {
    "temperature": st.floats(0.4, 2.5),
    "top_n_sigma": st.floats(0.5, 3.0),
    "top_k": st.integers(2, 40),
    "typical_p": st.floats(0.2, 0.98),
    "top_h": st.floats(0.2, 0.98),
    "top_p": st.floats(0.2, 0.98),
    "min_p": st.floats(0.005, 0.3),
    "epsilon_cutoff": st.floats(0.001, 0.1),
    "eta_cutoff": st.floats(0.001, 0.3),
    "xtc": st.floats(0.03, 0.3),
    "mirostat": st.floats(0.5, 3.0),
}
#: Of transformers, in the settings of `generate`, by the class that each makes.
SETTINGS: dict[str, tuple[str, Any]] = {
    "SequenceBiasLogitsProcessor": ("sequence_bias", [[[5], 2.0]]),
    "RepetitionPenaltyLogitsProcessor": ("repetition_penalty", 1.2),
    "NoRepeatNGramLogitsProcessor": ("no_repeat_ngram_size", 2),
    "NoBadWordsLogitsProcessor": ("bad_words_ids", [[7]]),
    "MinNewTokensLengthLogitsProcessor": ("min_new_tokens", 3),
    "TemperatureLogitsWarper": ("temperature", 0.7),
    "TopHLogitsWarper": ("top_h", 0.5),
    "TopKLogitsWarper": ("top_k", 9),
    "TopPLogitsWarper": ("top_p", 0.9),
    "MinPLogitsWarper": ("min_p", 0.1),
    "TypicalLogitsWarper": ("typical_p", 0.9),
    "EpsilonLogitsWarper": ("epsilon_cutoff", 0.01),
    "EtaLogitsWarper": ("eta_cutoff", 0.01),
}
NAMES = {"sequence_bias": "logit_bias", "bad_words_ids": "bad_words"}
#: fp32 probabilities of sixty tokens are off by less than this share of a setting.
ROUNDING = 1e-5


def chain(scores: np.ndarray, order: Sequence[str], values: dict[str, Any]) -> list[bool]:
    """Which tokens of a row the plain steps leave, one after another in this order."""
    row = scores.astype(np.float64)
    if "mirostat" in values:  # It replaces the truncations, as in llama.cpp.
        order = [name for name in order if name in ("temperature", "mirostat")]
    for name in order:
        if name == "temperature" and name in values:
            row = row / values[name]
        elif name in values:
            # Mirostat begins at twice its target.
            value = 2 * values[name] if name == "mirostat" else values[name]
            is_in, _ = truncate(name, value, row)
            row = np.where(is_in, row, -np.inf)
    return list((row > -np.inf).tolist())


def certain(scores: np.ndarray, order: Sequence[str], values: dict[str, Any]) -> list[bool] | None:
    """The same, or None where settings within rounding of these would leave other tokens."""
    left = chain(scores, order, values)
    for nudge in (1 - ROUNDING, 1 + ROUNDING):
        near = {k: v if isinstance(v, int) else v * nudge for k, v in values.items()}
        if chain(scores, order, near) != left:
            return None
    return left


def ours(scores: Tensor, preset: str, values: dict[str, Any]) -> list[bool]:
    settings = dict(values)
    if "xtc" in values:  # In every draw.
        settings["xtc"] = {"probability": 1.0, "threshold": values["xtc"]}
    if "mirostat" in values:
        settings["mirostat"] = {"tau": values["mirostat"]}
    decoding = Decoding(strategy="sample", order=preset, **settings)
    limits = [2 * values.get("mirostat", 0.0)]
    history = History([[0]], [[]], keys=[5], surprisal_limits=limits)
    left: list[bool] = (apply_steps(scores, decoding, history)[0] > -torch.inf).tolist()
    return left


@pytest.mark.parametrize("preset", ENGINES)
def test_the_preset_is_the_order_that_the_engine_documents(preset: str) -> None:
    expected = ENGINES[preset]
    assert tuple(name for name in ORDER_PRESETS[preset] if name in expected) == expected
    chained = CHAINS[preset]
    assert tuple(name for name in ORDER_PRESETS[preset] if name in chained) == chained
    assert set(chained) == set(VALUES)


def test_the_default_has_the_order_in_which_transformers_makes_its_processors() -> None:
    import transformers

    config = transformers.GenerationConfig(
        do_sample=True, eos_token_id=1, pad_token_id=0, **dict(SETTINGS.values())
    )
    config._eos_token_tensor = torch.tensor([1])
    made = tiny.loaded("gpt2").model._get_logits_processor(
        generation_config=config, input_ids_seq_length=1, device="cpu"
    )
    theirs = [SETTINGS[type(one).__name__][0] for one in made if type(one).__name__ in SETTINGS]
    assert len(theirs) == len(SETTINGS)
    names = [NAMES.get(name, name) for name in theirs]
    assert [name for name in ORDER_PRESETS["transformers"] if name in names] == names


@pytest.mark.parametrize("preset", CHAINS)
@given(
    values=st.fixed_dictionaries({}, optional=VALUES),
    seed=st.integers(0, 2**31),
    shape=st.sampled_from(("flat", "peaked")),
)
@settings(max_examples=examples(200))
def test_a_chain_keeps_what_plain_steps_in_that_order_leave(
    preset: str, values: dict[str, Any], seed: int, shape: str
) -> None:
    scores = make_scores(shape, 60, seed, rows=1) * 0.4
    expected = certain(scores[0].numpy(), CHAINS[preset], values)
    assume(expected is not None)
    assert ours(scores, preset, values) == expected


@pytest.mark.parametrize(
    ("preset", "first", "second"),
    [
        ("vllm", "temperature", "min_p"),
        ("vllm", "temperature", "top_p"),
        ("vllm", "min_p", "top_p"),
        ("vllm", "top_k", "top_p"),
        ("vllm", "epsilon_cutoff", "top_k"),
        ("vllm", "top_p", "typical_p"),
        ("llamacpp", "top_n_sigma", "top_k"),
        ("llamacpp", "top_k", "typical_p"),
        ("llamacpp", "typical_p", "top_p"),
        ("llamacpp", "top_p", "min_p"),
        ("llamacpp", "min_p", "xtc"),
        ("llamacpp", "top_p", "temperature"),
        ("llamacpp", "xtc", "temperature"),
    ],
)
def test_a_swapped_pair_would_be_noticed(preset: str, first: str, second: str) -> None:
    """Negative control of the chain: of these pairs the order matters, in some of 60 rows."""
    some = {
        **{"temperature": 1.8, "top_n_sigma": 1.2, "top_k": 12, "typical_p": 0.6, "top_p": 0.7},
        **{"min_p": 0.1, "epsilon_cutoff": 0.03, "xtc": 0.08},
    }
    values, wrong = {name: some[name] for name in (first, second)}, 0
    assert CHAINS[preset].index(first) < CHAINS[preset].index(second)
    for seed in range(60):
        scores = make_scores("peaked", 60, seed, rows=1) * 0.3
        left = ours(scores, preset, values)
        expected = certain(scores[0].numpy(), (first, second), values)
        swapped = certain(scores[0].numpy(), (second, first), values)
        assert expected in (None, left)
        wrong += swapped not in (None, left)
    assert wrong > 0
