"""Prompts that begin alike: the common part is computed once, and no bit changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.engine import tiny
from tests.engine.sweeps import run

from ethogram.engine import Engine
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.spec import Decoding, Request

HEADER = "the cat sat on the mat and the dog ran to the house of the old man " * 3


def headed(count: int = 4) -> list[Request]:
    decoding = Decoding(temperature=0.9, max_new_tokens=6)
    return [
        tiny.request(f"{HEADER}{'0 1 2 ' * n}{n} there", decoding, index=0, key=n, name=f"p{n}")
        for n in range(count)
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "llama"])
def test_a_cached_prefix_is_computed_once_and_changes_no_bit(
    kind: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, values and logits are those of the prompt read alone, whatever came before it."""
    monkeypatch.setattr(DecoderOnly, "chunk", 16)
    model = tiny.loaded(kind, dtype)
    engine = Engine(model)
    alone: dict[str, Any] = {}
    for request in headed():
        alone |= run(engine, [request])
        work = engine.work
        assert work.prompt_tokens == work.prompt_tokens_computed > 16
    assert run(engine, list(reversed(headed()))) == alone
    work = engine.work
    assert work.prefills == 4
    shared = len(model.tokenizer(HEADER).input_ids) // 16 * 16
    assert shared > 16
    assert 3 * shared <= work.prompt_tokens - work.prompt_tokens_computed

    forward = DecoderOnly(model, 1)
    first, other = (model.tokenizer(one.prompt).input_ids for one in headed(2))
    before, whole = forward.prefill(first), forward.prefill(other)
    cached = tuple((keys[:, :, :16], values[:, :, :16]) for keys, values in before.pairs)
    rest = forward.prefill(other, cached)
    assert torch.equal(rest.logits, whole.logits)
    for (keys, values), (same_keys, same_values) in zip(rest.pairs, whole.pairs, strict=True):
        assert torch.equal(keys, same_keys)
        assert torch.equal(values, same_values)


def test_an_equal_or_shorter_prompt_still_computes_its_last_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DecoderOnly, "chunk", 4)
    model = tiny.loaded("llama")
    texts = ("0 1 2 3 4 5 6 7 8 9", "0 1 2 3 4 5 6 7", "0 1 2 3", "0")
    requests = [
        tiny.request(text, Decoding(strategy="greedy", max_new_tokens=4), name=text)
        for text in texts
    ]
    alone: dict[str, Any] = {}
    for request in requests:
        alone |= run(Engine(model), [request])
    assert run(Engine(model), requests) == alone


def test_an_encoder_shares_no_prefix() -> None:
    engine = Engine(tiny.loaded("t5"))
    run(engine, headed())
    assert engine.work.prompt_tokens == engine.work.prompt_tokens_computed
