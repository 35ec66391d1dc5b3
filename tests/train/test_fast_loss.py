"""The loss of pretraining beside torch's own: values, gradients, and labels that are ignored."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

from ethogram.train.blocks import IGNORED
from ethogram.train.fast import activation, next_token_loss
from ethogram.train.fast import loss as module
from ethogram.train.fast.activation import QuickGelu, use_quick_gelu

ROWS, TOKENS, VOCABULARY = 3, 7, 11


def drawn(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Logits that want a gradient, and labels of which some are ignored."""
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(ROWS, TOKENS, VOCABULARY, generator=generator)
    labels = torch.randint(VOCABULARY, (ROWS, TOKENS), generator=generator)
    labels[0, :4] = labels[2] = IGNORED
    return logits.to(dtype).requires_grad_(), labels


def reference(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(
        logits[:, :-1].float().reshape(-1, VOCABULARY),
        labels[:, 1:].reshape(-1),
        ignore_index=IGNORED,
    )


@pytest.mark.parametrize(
    "part", [None, 1, 5 * VOCABULARY, 1 << 18], ids=["kernel", "a row", "five", "all"]
)
def test_loss_and_gradient_are_those_of_torch(
    monkeypatch: pytest.MonkeyPatch, part: int | None
) -> None:
    if part is not None:
        monkeypatch.setattr(module, "_PART", part)
        monkeypatch.setattr(module, "has_training_kernels", lambda _: False)
    logits, labels = drawn()
    loss = next_token_loss(SimpleNamespace(logits=logits), labels)
    (found,) = torch.autograd.grad(3 * loss, logits)
    (wanted,) = torch.autograd.grad(3 * reference(logits, labels), logits)
    torch.testing.assert_close(loss, reference(logits, labels))
    torch.testing.assert_close(found, wanted)


def test_the_number_of_labels_may_be_that_of_several_batches() -> None:
    logits, labels = drawn()
    own = int((labels[:, 1:] != IGNORED).sum())
    outputs = SimpleNamespace(logits=logits)
    whole, half = (next_token_loss(outputs, labels, count) for count in (own, 2 * own))
    torch.testing.assert_close(whole, 2 * half)


def test_gradients_of_half_precision_are_rounded_once() -> None:
    logits, labels = drawn(torch.bfloat16)
    loss = next_token_loss(SimpleNamespace(logits=logits), labels, 1)
    (found,) = torch.autograd.grad(loss, logits)
    exact = logits.detach().float().requires_grad_()
    (wanted,) = torch.autograd.grad(
        next_token_loss(SimpleNamespace(logits=exact), labels, 1), exact
    )
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, wanted.bfloat16())


def test_no_label_is_no_loss() -> None:
    logits, labels = drawn()
    assert next_token_loss(SimpleNamespace(logits=logits), labels.fill_(IGNORED)).isnan()


@pytest.mark.parametrize("name", ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_quick_activation_changes_no_model(
    name: str, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(activation, "has_training_kernels", lambda _: False)
    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(
            n_layer=2, n_head=2, n_embd=16, n_positions=8, vocab_size=32, activation_function=name
        )
    ).eval()
    ids = torch.arange(8).unsqueeze(0)
    wanted = model(ids, labels=ids)
    slopes = torch.autograd.grad(wanted.loss, list(model.parameters()))
    use_quick_gelu(model)
    assert sum(isinstance(each, QuickGelu) for each in model.modules()) == 2
    found = model(ids, labels=ids)
    torch.testing.assert_close(found.logits, wanted.logits, rtol=1e-5, atol=1e-6)
    for mine, other in zip(
        torch.autograd.grad(found.loss, list(model.parameters())), slopes, strict=True
    ):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)
