"""Plans: steps, how often to look and to save, and what a token costs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.train.studies import BASE, write_study
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from ethogram.spec.recipes import load_chain
from ethogram.study import Study
from ethogram.train.job import Counts, Prepared
from ethogram.train.jobs import job_of
from ethogram.train.plan import Schedule, Speed, schedule_of, token_flop

SEQUENCES = 1000


def schedule(folder: Path, training: str, seconds: float | None) -> Schedule:
    text = BASE.replace("steps: 12, batch_size: 4, checkpoint_every: 3", training)
    recipe = write_study(folder, text.replace(", every: 4", ""))
    counts = Counts(SEQUENCES, 0, SEQUENCES * 32, SEQUENCES * 31, SEQUENCES, 32)
    model = torch.nn.Linear(10, 10)
    prepared = Prepared(model, None, None, None, counts, "")
    with Study(folder) as study:
        job = job_of(study, *load_chain(recipe)[0], 1)
        return schedule_of(job, prepared, SEQUENCES, Speed(seconds, 1000, 1, 1e9))


@pytest.mark.parametrize(
    ("training", "steps"),
    [
        ("batch_size: 10", 100),
        ("batch_size: 10, epochs: 2.5", 250),
        ("batch_size: 16", 63),  # The last step of a pass has fewer rows.
        ("batch_size: 10, steps: 7, epochs: 3", 7),
        ("batch_size: 10, minutes: 60", 100),  # A limit that is not reached.
    ],
)
def test_steps(training: str, steps: int, tmp_path: Path) -> None:
    assert schedule(tmp_path, training, 0.01).steps == steps


def test_minutes_plan_the_steps_that_fit(tmp_path: Path) -> None:
    found = schedule(tmp_path, "batch_size: 10, minutes: 1", 2.0)
    assert 10 <= found.steps <= 28  # 57 seconds of 2-second steps, less the looks.
    assert found.seconds is not None
    assert 40 < found.seconds <= 60


def test_looks_and_checkpoints_follow_the_speed(tmp_path: Path) -> None:
    slow = schedule(tmp_path / "slow", "batch_size: 10", 30.0)
    fast = schedule(tmp_path / "fast", "batch_size: 10", 0.01)
    unknown = schedule(tmp_path / "unknown", "batch_size: 10", None)
    assert (slow.evaluate_every, slow.checkpoint_every) == (10, 4)
    assert (fast.evaluate_every, fast.checkpoint_every) == (10, 100)
    assert (unknown.seconds, unknown.checkpoint_every) == (None, 20)


def test_a_token_of_gpt2() -> None:
    """6 layers of 256: 4.72 M weights of layers, 2.10 M of the head, attention over 256."""
    config = GPT2Config(vocab_size=8192, n_positions=256, n_embd=256, n_layer=6, n_head=4)
    layers, norm, head = 6 * (12 * 256**2 + 13 * 256), 2 * 256, 8192 * 256
    expected = 6 * (layers + norm + head) + 6 * 6 * 256 * 256
    assert token_flop(GPT2LMHeadModel(config), 256) == expected


def test_an_input_table_of_its_own_costs_nothing() -> None:
    sizes = {
        "vocab_size": 500, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 2,
    }  # fmt: skip
    tied = LlamaForCausalLM(LlamaConfig(**sizes, tie_word_embeddings=True))
    untied = LlamaForCausalLM(LlamaConfig(**sizes, tie_word_embeddings=False))
    assert token_flop(tied, 16) == token_flop(untied, 16)


def test_a_frozen_weight_costs_no_gradient_of_its_own() -> None:
    config = GPT2Config(vocab_size=64, n_positions=16, n_embd=8, n_layer=1, n_head=2)
    model = GPT2LMHeadModel(config)
    whole = token_flop(model, 16)
    frozen = model.transformer.h[0].mlp.c_fc.weight
    frozen.requires_grad = False
    assert token_flop(model, 16) == whole - 2 * frozen.numel()
