"""Order presets: the steps of other engines, in the order in which they are documented to run.

vLLM: https://docs.vllm.ai/en/stable/api/vllm/v1/sample/sampler, the list in the class's docstring.
llama.cpp: common/common.h, the default of `samplers`, behind bias and penalties.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine import tiny
from tests.engine.plain import ROUNDING, truncate
from tests.engine.scores import EMPTY, make_scores, score_rows
from torch import Tensor

from ethogram.engine.steps import apply_steps
from ethogram.spec import Decoding
from ethogram.spec.steps import ORDER_PRESETS

_PENALTIES = ("repetition_penalty", "frequency_penalty", "presence_penalty")
#: What each engine has of our steps, first to last.
ORDERS = {
    "vllm": (
        *("bad_words", "min_new_tokens", "logit_bias", *_PENALTIES),
        *("temperature", "min_p", "top_k", "top_p"),
    ),
    "llamacpp": (
        *("logit_bias", *_PENALTIES, "dry_multiplier", "top_n_sigma", "top_k", "typical_p"),
        *("top_p", "min_p", "xtc_probability", "temperature"),
    ),
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
#: With these a chain of truncations can be written down by the definitions in `plain`.
VALUES = {
    "temperature": st.floats(0.4, 2.5),
    "top_k": st.integers(1, 60),
    "top_p": st.floats(0.05, 0.99),
    "min_p": st.floats(0.005, 0.6),
    "typical_p": st.floats(0.1, 0.98),
    "top_n_sigma": st.floats(0.3, 4.0),
}


@pytest.mark.parametrize("preset", ORDERS)
def test_a_preset_has_the_documented_order(preset: str) -> None:
    ours = tuple(name for name in ORDER_PRESETS[preset] if name in ORDERS[preset])
    assert ours == ORDERS[preset]


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


def by_definition(order: tuple[str, ...], values: dict[str, Any], row: Tensor) -> Any:
    """Which tokens a chain keeps, and how near the nearest of them came to the other side."""
    scores, nearest = row.numpy().astype(np.float64), np.inf
    for name in (name for name in order if name in values):
        if name == "temperature":
            scores = scores / values[name]
            continue
        is_in, margin = truncate(name, values[name], scores)
        nearest = min(nearest, margin.min())
        scores = np.where(is_in, scores, -np.inf)
    return scores > -np.inf, nearest


@pytest.mark.parametrize("preset", ORDERS)
@given(scores=score_rows(), values=st.fixed_dictionaries({}, optional=VALUES))
@settings(max_examples=120, deadline=None)
def test_a_chain_keeps_what_the_documented_order_keeps(
    preset: str, scores: Tensor, values: dict[str, Any]
) -> None:
    values = {name: value for name, value in values.items() if name in ORDERS[preset]}
    kept = apply_steps(scores, Decoding(strategy="sample", order=preset, **values), EMPTY)
    for row, mine in zip(scores, (kept > -torch.inf).numpy(), strict=True):
        expected, nearest = by_definition(ORDERS[preset], values, row)
        if nearest > ROUNDING:
            assert (mine == expected).all()


@pytest.mark.parametrize(
    ("preset", "pair", "values"),
    [
        ("vllm", ("min_p", "top_p"), {"min_p": 0.05, "top_p": 0.6}),
        ("vllm", ("temperature", "min_p"), {"temperature": 2.0, "min_p": 0.05}),
        ("llamacpp", ("top_k", "typical_p"), {"top_k": 12, "typical_p": 0.5}),
        ("llamacpp", ("typical_p", "top_p"), {"typical_p": 0.5, "top_p": 0.6}),
        ("llamacpp", ("min_p", "temperature"), {"min_p": 0.05, "temperature": 2.0}),
    ],
)
def test_two_steps_on_wrong_sides_would_be_seen(
    preset: str, pair: tuple[str, str], values: dict[str, Any]
) -> None:
    """Negative controls: the same chain with two steps exchanged keeps other tokens."""
    (row,) = make_scores("peaked", 300, seed=2, rows=1) / 2
    right, _ = by_definition(ORDERS[preset], values, row)
    exchange = {pair[0]: pair[1], pair[1]: pair[0]}
    wrong, _ = by_definition(
        tuple(exchange.get(name, name) for name in ORDERS[preset]), values, row
    )
    assert (right != wrong).any()
    kept = apply_steps(row[None], Decoding(strategy="sample", order=preset, **values), EMPTY)
    assert ((kept[0] > -torch.inf).numpy() == right).all()
