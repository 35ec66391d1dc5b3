"""The kernels of training beside torch: values, gradients, odd sizes, any number of threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ethogram.engine.native import library
from ethogram.engine.native.training import gelu, gelu_back, has_training_kernels, token_loss

pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")
DTYPES = [torch.float32, torch.bfloat16]
#: The largest relative error that rounding once explains.
ERROR = {torch.float32: 3e-6, torch.bfloat16: 2**-8}


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def drawn(*shape: int, dtype: torch.dtype, seed: int = 0, spread: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (spread * torch.randn(*shape, generator=generator)).to(dtype)


def close(found: Tensor, wanted: Tensor, dtype: torch.dtype) -> None:
    torch.testing.assert_close(found.float(), wanted.float(), rtol=ERROR[dtype], atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 15, 16, 40_001])
@pytest.mark.usefixtures("threads")
def test_activation_and_its_gradient_are_those_of_torch(dtype: torch.dtype, count: int) -> None:
    x, above = drawn(count, dtype=dtype), drawn(count, dtype=dtype, seed=1)
    exact = x.double().requires_grad_()
    wanted = functional.gelu(exact, approximate="tanh")
    close(gelu(x), wanted.detach(), dtype)
    (gradient,) = torch.autograd.grad(wanted, exact, above.double())
    close(gelu_back(x, above), gradient, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_activation_of_large_numbers_and_of_nan(dtype: torch.dtype) -> None:
    x = torch.tensor([-1e6, -50.0, 0.0, 50.0, 1e6, torch.nan], dtype=dtype)
    found = gelu(x)
    assert found[:3].abs().max() < 1e-6
    assert torch.equal(found[3:5], x[3:5])
    assert found[5].isnan()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "vocab"), [(1, 1), (5, 16), (9, 1003), (40, 4096)])
@pytest.mark.usefixtures("threads")
def test_loss_and_its_gradient_are_those_of_torch(
    dtype: torch.dtype, rows: int, vocab: int
) -> None:
    logits = drawn(rows, vocab, dtype=dtype)
    labels = torch.randint(vocab, (rows,), generator=torch.Generator().manual_seed(2))
    labels[rows // 2 :: 3] = -100
    exact = logits.double().requires_grad_()
    wanted = functional.cross_entropy(exact, labels, reduction="none", ignore_index=-100)
    losses, gradient = token_loss(logits, labels, scale=0.25)
    torch.testing.assert_close(losses, wanted.detach(), rtol=1e-6, atol=1e-6)
    (slope,) = torch.autograd.grad(wanted.sum() / 4, exact)
    assert gradient is not None
    assert gradient.dtype == dtype
    close(gradient, slope, dtype)
    assert not gradient[labels < 0].any()
    alone, none = token_loss(logits, labels)
    assert torch.equal(alone, losses)
    assert none is None


def test_bits_are_those_of_one_thread() -> None:
    logits, labels = drawn(33, 3001, dtype=torch.bfloat16), torch.arange(33)
    before, found = torch.get_num_threads(), []
    for count in (1, 2, 5):
        torch.set_num_threads(count)
        found.append([*token_loss(logits, labels, scale=1.0), gelu(logits)])
    torch.set_num_threads(before)
    for one, *others in zip(*found, strict=True):
        assert all(torch.equal(one, other) for other in others)


def test_a_label_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(IndexError, match="label 7 is outside the vocabulary of 7"):
        token_loss(torch.zeros(2, 7), torch.tensor([0, 7]))


def test_other_numbers_are_left_to_torch() -> None:
    assert has_training_kernels(torch.zeros(1))
    assert not has_training_kernels(torch.zeros(1, dtype=torch.float16))
