"""Attention over slots: the compiled kernel against plain fp64, and rows that know no neighbour."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine import tiny
from torch import Tensor

from ethogram.engine import Engine, native
from ethogram.engine.forward.decode_attention import (
    AttentionSwitch,
    Lengths,
    attend,
    slot_attention,
)
from ethogram.spec import Decoding

SHAPES = [(9, 3, 64), (12, 12, 64), (4, 2, 64), (8, 2, 64), (2, 2, 128), (4, 2, 128)]
ODD_SHAPES = [(4, 4, 16), (4, 2, 8), (3, 1, 20), (5, 1, 72), (14, 2, 64), (1, 1, 5)]


@pytest.fixture
def library() -> Any:
    found = native.library()
    if found is None:
        pytest.skip("no C++ compiler here")
    return found


def make(
    shape: tuple[int, int, int], rows: int, places: int, dtype: torch.dtype
) -> tuple[Any, ...]:
    """Query, key, value and lengths that reach from one place to all of them."""
    heads, kv_heads, dim = shape
    generator = torch.Generator().manual_seed(heads * dim + places)
    query = torch.randn(rows, heads, 1, dim, generator=generator).to(dtype)
    key, value = (
        torch.randn(rows, kv_heads, places, dim, generator=generator).to(dtype) for _ in "kv"
    )
    lengths = torch.linspace(1, places, rows).round().long()
    return query, key, value, lengths


def plain(query: Tensor, key: Tensor, value: Tensor, lengths: Tensor, scale: float) -> Tensor:
    """softmax(q k / scale) v in fp64: [rows, 1, heads, dim]."""
    group = query.shape[1] // key.shape[1]
    key, value = (x.double().repeat_interleave(group, 1) for x in (key, value))
    scores = (query.double() @ key.transpose(-1, -2)) * scale
    hidden = torch.arange(key.shape[2]) >= lengths[:, None, None, None]
    return (scores.masked_fill(hidden, -torch.inf).softmax(-1) @ value).transpose(1, 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("shape", SHAPES + ODD_SHAPES, ids=str)
@pytest.mark.parametrize("places", [1, 15, 16, 130])
def test_the_kernel_is_attention(
    library: Any, shape: tuple[int, int, int], places: int, dtype: torch.dtype
) -> None:
    query, key, value, lengths = make(shape, 7, places, dtype)
    made = attend(library, query, key, value, lengths, 0.3)
    exact = plain(query, key, value, lengths, 0.3)
    # fp32 sums of some hundred products; a bf16 result is rounded once, to 8 bits.
    close = 2e-6 if dtype == torch.float32 else 2**-8
    assert made.dtype == dtype
    assert torch.allclose(made.double(), exact, rtol=close, atol=close)


def test_extreme_scores_stay_finite(library: Any) -> None:
    """One key far above the rest, and all keys alike."""
    query = torch.full((1, 1, 1, 64), 30.0)
    key = torch.full((1, 1, 40, 64), -30.0)
    value = torch.arange(40.0).reshape(1, 1, 40, 1).expand(1, 1, 40, 64).contiguous()
    alike = attend(library, query, key, value, torch.tensor([40]), 1.0)
    assert torch.allclose(alike, torch.full_like(alike, 19.5))
    key[0, 0, 7] = 30.0
    assert torch.equal(attend(library, query, key, value, torch.tensor([40]), 1.0), alike * 0 + 7)


def test_a_bias_is_added_to_the_scores(library: Any) -> None:
    query, key, value, lengths = make((4, 4, 16), 5, 33, torch.float32)
    bias = torch.randn(1, 4, 1, 33, generator=torch.Generator().manual_seed(1))
    made = attend(library, query, key, value, lengths, 0.25, bias)
    mask = torch.where(torch.arange(33) < lengths[:, None, None, None], bias, -torch.inf)
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, scale=0.25
    )
    assert torch.allclose(made, expected.transpose(1, 2), atol=2e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("shape", [SHAPES[0], ODD_SHAPES[2]], ids=str)
def test_a_row_does_not_depend_on_batch_capacity_or_threads(
    library: Any, shape: tuple[int, int, int], dtype: torch.dtype
) -> None:
    query, key, value, lengths = make(shape, 12, 300, dtype)
    lengths = lengths.clamp(max=90)
    together = attend(library, query, key, value, lengths, 0.2)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2))[:5]
    apart = attend(library, query[order], key[order], value[order], lengths[order], 0.2)
    assert torch.equal(apart, together[order])
    short = attend(library, query, key[:, :, :90], value[:, :, :90], lengths, 0.2)
    assert torch.equal(short, together)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert torch.equal(attend(library, query, key, value, lengths, 0.2), together)
    finally:
        torch.set_num_threads(threads)


def test_positions_past_the_length_are_never_read(library: Any) -> None:
    query, key, value, lengths = make((4, 2, 64), 6, 50, torch.float32)
    made = attend(library, query, key, value, lengths, 0.2)
    hidden = torch.arange(50) >= lengths[:, None, None, None]
    unread = torch.full_like(key, torch.nan)
    again = attend(
        library,
        query,
        torch.where(hidden.transpose(-1, -2), unread, key),
        torch.where(hidden.transpose(-1, -2), unread, value),
        lengths,
        0.2,
    )
    assert torch.equal(again, made)


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "llama", "t5"])
def test_decode_steps_use_the_kernel_and_leave_the_model_as_it_was(
    library: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ethogram.engine import engine
    from ethogram.engine.forward import decode_attention as attention

    calls = []
    monkeypatch.setattr(engine, "fuse", lambda model: None)  # A fused calls the kernel itself.

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return attend(*arguments)

    monkeypatch.setattr(attention, "attend", counted)
    model = dataclasses.replace(tiny.loaded(kind), eos_token_ids=frozenset())
    decoding = Decoding(strategy="greedy", max_new_tokens=4)
    list(Engine(model).generate([tiny.request("the cat", decoding)]))
    per_step = 4 if kind == "t5" else 2  # layers; those of T5 also look at the source
    assert len(calls) == 3 * per_step
    assert model.model.config._attn_implementation == "sdpa"
    assert tiny.generate(model, "the cat", decoding)
    assert len(calls) == 3 * per_step


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "llama", "t5"])
def test_without_a_compiler_the_tokens_are_the_same(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        tiny.request(prompt, Decoding(max_new_tokens=16), key=key)
        for prompt in ("the cat sat", "naïve café")
        for key in (1, 2)
    ]
    compiled = [made.token_ids for made in Engine(tiny.loaded(kind)).generate(requests)]
    monkeypatch.setattr(native, "library", lambda: None)
    assert [made.token_ids for made in Engine(tiny.loaded(kind)).generate(requests)] == compiled


def test_layers_with_another_attention_are_left_alone() -> None:
    model = tiny.loaded("llama").model
    model.config._attn_implementation = "eager"
    try:
        with AttentionSwitch(model)():
            assert model.config._attn_implementation == "eager"
    finally:
        model.config._attn_implementation = "sdpa"


def test_a_prompt_goes_through_torch() -> None:
    query = torch.randn(1, 2, 3, 8)
    made, _ = slot_attention(torch.nn.Module(), query, query, query, None, is_causal=True)
    expected = torch.nn.functional.scaled_dot_product_attention(query, query, query, is_causal=True)
    assert torch.equal(made, expected.transpose(1, 2))
    assert Lengths(torch.tensor([1])).source is None


# --- the library ----------------------------------------------------------------------------------


def test_the_kernels_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_NATIVE", "0")
    assert native.library.__wrapped__() is None


def test_no_compiler_or_a_broken_one_gives_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ETHOGRAM_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert native.library.__wrapped__() is None
    broken = tmp_path / "c++"
    broken.write_text("#!/bin/sh\n[ $1 = --version ] && echo broken 1.0 && exit 0\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("CXX", str(broken))
    assert native.library.__wrapped__() is None
    assert not list(tmp_path.glob("kernels-*/kernels.so"))


def test_a_compiled_library_is_compiled_once(
    library: Any, monkeypatch: pytest.MonkeyPatch, model_cache: Path, tmp_path: Path
) -> None:
    source = tmp_path / "one.cpp"
    source.write_text('extern "C" int one() { return 1; }\n')
    monkeypatch.setattr(native, "SOURCES", (source,))
    made = []
    plain_run = subprocess.run

    def counting(command: Any, **options: Any) -> Any:
        made.append("--version" not in command)
        return plain_run(command, **options)

    monkeypatch.setattr(subprocess, "run", counting)
    assert native.library.__wrapped__() is not None
    compiled = sum(made)
    assert compiled == len(native.SOURCES) + 1
    assert native.library.__wrapped__() is not None
    assert sum(made) == compiled
