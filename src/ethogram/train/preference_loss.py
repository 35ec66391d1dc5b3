"""Losses of preference training, as functions of log-probabilities."""

from __future__ import annotations

from typing import Any

from torch.nn import functional


def dpo_losses(
    chosen: Any,
    rejected: Any,
    *,
    loss: str = "sigmoid",
    beta: float = 0.1,
    smoothing: float = 0.0,
    chosen_tokens: Any = None,
    rejected_tokens: Any = None,
) -> Any:
    """The loss of each pair.

    sigmoid: Rafailov et al. 2023 (arXiv:2305.18290), equation 7. ipo: Azar et al. 2023
    (arXiv:2310.12036), equation 17, on means over tokens. hinge: Zhao et al. 2023
    (arXiv:2305.10425). robust: Chowdhury et al. 2024 (arXiv:2403.00409), unbiased if a share
    `smoothing` of the pairs is labelled the wrong way round.

    Args:
        chosen: [pairs] log-probability of the chosen reply minus that of the reference, nats.
        rejected: the same of the rejected reply.
        loss: its name.
        beta: how strongly the reference holds.
        smoothing: share of wrong labels; of `robust` alone.
        chosen_tokens: [pairs] tokens of the chosen reply; `ipo` reads them.
        rejected_tokens: the same of the rejected reply.

    Raises:
        ValueError: there is no such loss.
    """
    margin = beta * (chosen - rejected)
    if loss == "sigmoid":
        return -functional.logsigmoid(margin)
    if loss == "hinge":
        return functional.relu(1 - margin)
    if loss == "ipo":
        difference = chosen / chosen_tokens - rejected / rejected_tokens
        return (difference - 1 / (2 * beta)) ** 2
    if loss == "robust":
        right, wrong = functional.logsigmoid(margin), functional.logsigmoid(-margin)
        return (-right * (1 - smoothing) + wrong * smoothing) / (1 - 2 * smoothing)
    raise ValueError(f"unknown loss {loss!r}")
