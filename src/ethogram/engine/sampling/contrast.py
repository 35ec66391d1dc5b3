"""Formulas that combine the model's scores with those of a guidance branch.

Each works row by row, so the results are batch-invariant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from ethogram.spec.guidance import Amateur

#: Share of the best token's probability below which DoLa lets no token in (Chuang et al. 2023,
#: section 2.3, after Li et al. 2022; `relative_top` in transformers, which cannot be set there).
DOLA_PLAUSIBLE = 0.1


def guided(logits: Tensor, negative: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance: extrapolate from the negative prompt to the prompt, in log space.

    As in transformers 5.23 `UnbatchedClassifierFreeGuidanceLogitsProcessor`; the paper is Sanchez
    et al. 2023, equation 7.

    Args:
        logits: [rows, vocab] fp32, after the prompt.
        negative: [rows, vocab] fp32, after the negative prompt.
        scale: 1 is the prompt alone, 0 the negative prompt alone.
    """
    against = negative.log_softmax(-1)
    return scale * (logits.log_softmax(-1) - against) + against


def contrasted(logits: Tensor, weak: Tensor, settings: Amateur) -> Tensor:
    """Contrastive decoding: expert against amateur, among the tokens that the expert finds likely.

    Without beta, log p_expert - log p_amateur (Li et al. 2022, equations 2 and 3); with it,
    (1 + beta) * expert - beta * amateur, of logits (O'Brien & Lewis 2023, section 2 and algorithm
    2). Models of one tokenizer may pad their vocabularies differently: ids that the amateur lacks
    are banned.

    Args:
        logits: [rows, vocab] fp32 of the expert.
        weak: [rows, vocab of the amateur] fp32.
        settings: alpha, beta and the amateur's temperature.
    """
    shared = min(logits.shape[1], weak.shape[1])
    weak = weak / settings.temperature
    if settings.beta is None:
        expert = logits.log_softmax(-1)
        scores = expert[:, :shared] - weak.log_softmax(-1)[:, :shared]
    else:
        expert = logits
        scores = (1 + settings.beta) * expert[:, :shared] - settings.beta * weak[:, :shared]
    scores = torch.nn.functional.pad(scores, (0, logits.shape[1] - shared), value=-torch.inf)
    if settings.alpha == 0:
        return scores
    cut = expert.amax(-1, keepdim=True) + math.log(settings.alpha)
    return scores.masked_fill(expert < cut, -torch.inf)


def between_layers(logits: Tensor, early: Iterable[Tensor]) -> Tensor:
    """DoLa: the last layer against the early one that differs most from it, row by row.

    As in transformers 4.55.4 `_dola_select_contrast`, with a batch of one: there, a batch chooses
    one layer for all its rows, so that an output would depend on the others.

    Args:
        logits: [rows, vocab] fp32 of the last layer.
        early: the same of each early layer, in order; the first of equals is chosen.
    """
    last, probable = logits.log_softmax(-1), logits.softmax(-1)
    chosen = most = None
    for candidate in early:
        other = candidate.log_softmax(-1)
        differs = _divergence(last, probable, other, candidate.softmax(-1))
        if chosen is None or most is None:
            chosen, most = other, differs
            continue
        further = differs > most
        most = torch.where(further, differs, most)
        chosen = torch.where(further.unsqueeze(1), other, chosen)
    assert chosen is not None
    cut = last.amax(-1, keepdim=True) + math.log(DOLA_PLAUSIBLE)
    return (last - chosen).masked_fill(last < cut, -torch.inf)


def _divergence(one: Tensor, one_mass: Tensor, other: Tensor, other_mass: Tensor) -> Tensor:
    """[rows] divergence of two distributions, given as log-probabilities and probabilities.

    The sum that transformers takes: of the mean distribution from each of the two, where the
    Jensen-Shannon divergence of the paper has it the other way round; the choice can differ.
    """
    mean = 0.5 * (one_mass + other_mass)
    both = [torch.nn.functional.kl_div(side, mean, reduction="none") for side in (one, other)]
    # Averaged together, since torch splits the sum of a single row among its threads, and so
    # rounds it otherwise than the same row among many.
    return 0.5 * torch.stack(both).mean(-1).sum(0)
