"""Attention over whole texts: the compiled kernel against torch's own, in fp64."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from ethogram.engine import native
from ethogram.engine.forward import encoder_attention as full
from ethogram.engine.forward.encoder_attention import attend_texts, full_attention

BIDIRECTIONAL = SimpleNamespace(is_causal=False)


@pytest.fixture(scope="module")
def library() -> Any:
    found = native.library()
    if found is None:
        pytest.skip("no C++ compiler here")
    return found


def heads_of(
    texts: int, heads: int, length: int, dim: int, dtype: torch.dtype, *, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value as a projection leaves them: positions apart, heads side by side."""
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(3, texts, length, heads, dim, generator=generator).to(dtype)
    query, key, value = made.transpose(2, 3)
    return query, key, value


def exact(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """Torch's attention in fp64: [texts, length, heads, dim]."""
    made = scaled_dot_product_attention(
        query.double(), key.double(), value.double(), attn_mask=mask, scale=scale
    )
    return made.transpose(1, 2)


@settings(max_examples=examples(60))
@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 50),
    st.sampled_from([1, 5, 16, 20, 32, 64, 72]),
    st.sampled_from([torch.float32, torch.bfloat16]),
    st.sampled_from(["none", "padding", "random"]),
    st.integers(0, 2**31),
)
def test_the_kernel_is_attention(
    library: Any,
    texts: int,
    heads: int,
    length: int,
    dim: int,
    dtype: torch.dtype,
    kind: str,
    seed: int,
) -> None:
    query, key, value = heads_of(texts, heads, length, dim, dtype, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    mask = None
    if kind == "padding":
        lengths = torch.randint(1, length + 1, (texts, 1), generator=generator)
        mask = (torch.arange(length) < lengths)[:, None, None].expand(texts, 1, length, length)
    elif kind == "random":
        mask = torch.rand(texts, 1, length, length, generator=generator) < 0.5
        mask |= torch.eye(length, dtype=torch.bool)
    made = attend_texts(library, query, key, value, mask, 0.3)
    # fp32 sums of some hundred products; a bf16 result is rounded once, to 8 bits.
    close = 5e-6 if dtype == torch.float32 else 2**-8
    wanted = exact(query, key, value, mask, 0.3)
    assert (made.dtype, made.shape) == (dtype, (texts, length, heads, dim))
    assert torch.allclose(made.double(), wanted, rtol=close, atol=close)


def test_a_text_has_the_same_bits_in_any_batch_and_on_any_threads(library: Any) -> None:
    query, key, value = heads_of(9, 3, 21, 32, torch.bfloat16)
    together = attend_texts(library, query, key, value, None, 0.2)
    for text in range(9):
        own = slice(text, text + 1)
        alone = attend_texts(library, query[own], key[own], value[own], None, 0.2)
        assert torch.equal(alone, together[own])
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        assert torch.equal(attend_texts(library, query, key, value, None, 0.2), together)
    finally:
        torch.set_num_threads(threads)


def test_extreme_scores_and_positions_that_see_nothing_stay_finite(library: Any) -> None:
    query, key, value = heads_of(1, 1, 18, 16, torch.float32)
    key[0, 0, 4] *= 1e4
    mask = torch.ones(1, 1, 18, 18, dtype=torch.bool)
    mask[0, 0, 3] = False
    made = attend_texts(library, query, key, value, mask, 1.0)
    assert torch.isfinite(made).all()
    assert not made[0, 3].any()
    seen = [place for place in range(18) if place != 3]
    wanted = exact(query, key, value, mask, 1.0)[:, seen]
    assert torch.allclose(made[:, seen].double(), wanted, atol=1e-4)


def test_a_mask_is_read_whatever_its_strides(library: Any) -> None:
    query, key, value = heads_of(2, 2, 19, 16, torch.float32)
    mask = (torch.rand(2, 1, 19, 19) < 0.5) | torch.eye(19, dtype=torch.bool)
    turned = mask.transpose(2, 3).contiguous().transpose(2, 3)
    one_for_all = mask[:1]
    made = attend_texts(library, query, key, value, mask, 0.3)
    assert torch.equal(attend_texts(library, query, key, value, turned, 0.3), made)
    shared = attend_texts(library, query, key, value, one_for_all, 0.3)
    assert torch.allclose(
        shared.double(), exact(query, key, value, one_for_all, 0.3), rtol=5e-6, atol=5e-6
    )


@pytest.mark.parametrize(
    ("layer", "others"),
    [
        (SimpleNamespace(is_causal=True), {}),
        (SimpleNamespace(), {}),
        (BIDIRECTIONAL, {"is_causal": True}),
        (BIDIRECTIONAL, {"position_bias": torch.randn(1, 4, 7, 7)}),
    ],
    ids=["causal", "causal unless said", "called causal", "bias"],
)
def test_what_the_kernel_does_not_support_torch_computes(
    monkeypatch: pytest.MonkeyPatch, layer: Any, others: dict[str, Any]
) -> None:
    monkeypatch.setattr(full, "attend_texts", _refuse)
    query, key, value = heads_of(2, 4, 7, 16, torch.float32)
    made, _ = full_attention(layer, query, key, value, None, scaling=0.25, **others)
    mask = others.get("position_bias", torch.ones(7, 7, dtype=torch.bool).tril())
    if mask.is_floating_point():
        mask = mask.double()
    assert torch.allclose(made.double(), exact(query, key, value, mask, 0.25), atol=1e-5)


@pytest.mark.parametrize("kind", ["grouped heads", "another type", "a mask of numbers", "source"])
def test_other_shapes_and_types_are_left_to_torch(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(full, "attend_texts", _refuse)
    query, key, value = heads_of(2, 4, 7, 16, torch.float32)
    layer, mask, close = SimpleNamespace(is_causal=False), None, 1e-5
    if kind == "grouped heads":
        key, value = key[:, :2], value[:, :2]
        layer.num_key_value_groups = 2
    elif kind == "another type":
        query, key, value, close = query.half(), key.half(), value.half(), 2e-3
    elif kind == "a mask of numbers":
        mask = torch.randn(2, 1, 7, 7)
    else:
        key, value = key[:, :, :5], value[:, :, :5]
    made, _ = full_attention(layer, query, key, value, mask, scaling=0.25)
    group = query.shape[1] // key.shape[1]
    whole_key, whole_value = (each.repeat_interleave(group, 1) for each in (key, value))
    wanted = exact(query, whole_key, whole_value, None if mask is None else mask.double(), 0.25)
    assert torch.allclose(made.double(), wanted, atol=close)


def _refuse(*_: object) -> None:
    raise AssertionError("the kernel was asked for what it does not know")
