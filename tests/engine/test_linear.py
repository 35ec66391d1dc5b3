"""Rows times weights: our kernel against fp64, rows that know no neighbour, joined weights."""

from __future__ import annotations

import pytest
import torch
import transformers
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.profiles import examples
from torch import Tensor

from ethogram.engine import native
from ethogram.engine.forward.linear import Linear, has_own_kernel, join
from ethogram.engine.forward.patch import patch_model
from ethogram.engine.native.layer_kernels import LayerKernels

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])


def own(dtype: torch.dtype) -> LayerKernels:
    """The kernel wherever it can be compiled, whether or not the engine would choose it there."""
    found = native.library()
    if found is None:
        pytest.skip("no C++ compiler here")
    return LayerKernels(found, dtype)


def make(
    rows: int, inputs: int, outputs: int, dtype: torch.dtype, has_bias: bool = True
) -> tuple[Tensor, Linear]:
    generator = torch.Generator().manual_seed(inputs * outputs)
    x, weight, bias = (
        torch.randn(*shape, generator=generator).to(dtype)
        for shape in ((rows, inputs), (outputs, inputs), (outputs,))
    )
    return x, Linear(weight, bias if has_bias else None, own(dtype))


@DTYPES
@given(
    rows=st.integers(1, 40),
    inputs=st.integers(1, 150),
    outputs=st.integers(1, 110),
    has_bias=st.booleans(),
)
@example(rows=192, inputs=576, outputs=96, has_bias=False)
@example(rows=13, inputs=1537, outputs=65, has_bias=True)
@example(rows=5, inputs=1300, outputs=39, has_bias=False)
@settings(max_examples=examples(60))
def test_the_kernel_is_a_matrix_product(
    dtype: torch.dtype, rows: int, inputs: int, outputs: int, has_bias: bool
) -> None:
    x, layer = make(rows, inputs, outputs, dtype, has_bias)
    exact = x.double() @ layer.weight.double().T
    size = x.double().abs() @ layer.weight.double().abs().T  # what rounding is relative to
    if layer.bias is not None:
        exact, size = exact + layer.bias.double(), size + layer.bias.double().abs()
    made = layer(x).double()
    # Rounding of each partial sum, and of the result to its own type.
    bound = inputs * 2**-24 * size + 2**-24 * exact.abs()
    if dtype == torch.bfloat16:
        bound = bound + 2**-8 * exact.abs() + 1e-30
    assert ((made - exact).abs() <= bound).all()


@DTYPES
@pytest.mark.parametrize(("inputs", "outputs"), [(131, 70), (1300, 39)])
def test_a_row_is_the_same_among_1_to_200_rows(
    dtype: torch.dtype, inputs: int, outputs: int
) -> None:
    x, layer = make(200, inputs, outputs, dtype)
    together = layer(x)
    for rows in range(1, 201):
        assert torch.equal(layer(x[:rows]), together[:rows]), rows
    order = torch.randperm(200, generator=torch.Generator().manual_seed(5))
    assert torch.equal(layer(x[order].contiguous()), together[order])


@DTYPES
def test_threads_do_not_matter(dtype: torch.dtype) -> None:
    """With panels enough for all threads, and with few panels shared out by rows."""
    threads = torch.get_num_threads()
    for outputs in (70, 3000):
        x, layer = make(200, 64, outputs, dtype)
        together = layer(x)
        try:
            for count in (1, 2, 3, 7):
                torch.set_num_threads(count)
                assert torch.equal(layer(x), together), count
        finally:
            torch.set_num_threads(threads)


def test_nan_stays_nan() -> None:
    x, layer = make(3, 8, 5, torch.bfloat16)
    x[1, 2] = torch.nan
    x[2, 2] = torch.inf
    made = layer(x)
    assert made[1].isnan().all()
    assert made[2].isinf().all()
    assert made[0].isfinite().all()


@DTYPES
@pytest.mark.parametrize("has_bias", [True, False])
def test_without_the_kernel_torch_multiplies(dtype: torch.dtype, has_bias: bool) -> None:
    x, layer = make(7, 33, 20, dtype, has_bias)
    other = Linear(layer.weight, layer.bias, None)
    assert torch.allclose(layer(x).float(), other(x).float(), rtol=2**-7, atol=2e-2)


@DTYPES
def test_joined_modules_stay_usable_and_store_their_weights_once(dtype: torch.dtype) -> None:
    modules = [torch.nn.Linear(24, outputs, dtype=dtype) for outputs in (16, 8, 8)]
    x = torch.randn(5, 24, generator=torch.Generator().manual_seed(1)).to(dtype)
    apart = torch.cat([module(x) for module in modules], -1)
    layer = join(modules, own(dtype))
    assert torch.equal(torch.cat([module(x) for module in modules], -1), apart)
    assert torch.allclose(layer(x).float(), apart.float(), rtol=2**-7, atol=1e-2)
    storages = {module.weight.untyped_storage().data_ptr() for module in modules}
    assert storages == {layer.weight.untyped_storage().data_ptr()}
    assert layer.weight.untyped_storage().nbytes() == 32 * 24 * dtype.itemsize
    again = join(modules, own(dtype))
    assert again.weight.data_ptr() == layer.weight.data_ptr()
    assert torch.equal(again(x), layer(x))


@pytest.mark.parametrize(
    ("features", "fp32", "bf16"),
    [
        ((), False, False),
        (("avx2",), True, True),
        (("avx2", "avx512"), True, True),
        (("avx2", "avx512", "avx512_bf16"), True, True),
        (("avx2", "avx512", "avx512_bf16", "amx_tile"), True, False),
    ],
)
def test_the_processor_decides(
    features: tuple[str, ...], fp32: bool, bf16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("avx2", "avx512", "avx512_bf16", "amx_tile"):
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda name=name: name in features)
    assert has_own_kernel(torch.float32) is fp32
    assert has_own_kernel(torch.bfloat16) is bf16


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_a_patched_encoder_gives_the_same_up_to_rounding(dtype: torch.dtype) -> None:
    """More rows than one chunk, biases, padding; layers that are no plain `Linear` left alone."""
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        initializer_range=0.3,
    )
    model = transformers.BertModel(config, add_pooling_layer=False).to(dtype).eval()
    ids = torch.randint(50, (40, 30))
    seen = torch.arange(30) < torch.randint(1, 31, (40, 1))
    with torch.inference_mode():
        before = model(input_ids=ids, attention_mask=seen.long()).last_hidden_state[seen].float()
        changed = patch_model(model)
        after = model(input_ids=ids, attention_mask=seen.long()).last_hidden_state[seen].float()
    attention = "ethogram_full" if changed else "sdpa"
    assert model.config._attn_implementation == attention
    layers = sum(type(part) is torch.nn.Linear for part in model.modules())
    assert changed == (layers if has_own_kernel(dtype) else 0)
    error = (before - after).norm() / before.norm()
    assert error < (1e-5 if dtype == torch.float32 else 0.03)


def test_without_a_compiler_nothing_is_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", lambda: None)
    assert patch_model(torch.nn.Sequential(torch.nn.Linear(4, 4))) == 0
