"""Watches tokens being chosen: what the model thought, what each step left. Chooses nothing.

One step of a group of outputs becomes one `TracedStep` of plain arrays, so that whatever chooses
tokens can hand the same numbers over; an output gathers its rows of them into its `Trace`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ethogram.engine.native.sample import Traced
from ethogram.engine.steps import FUNCTIONS, History
from ethogram.engine.steps.rows import log_totals, row_sums
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Trace
from ethogram.spec.steps import STEPS

#: Alternatives recorded a token: what fits a line of a terminal.
ALTERNATIVES = 5
#: Rows looked at together: few enough that their scores stay in the processor's cache.
_ROWS = 4


@dataclass(frozen=True, slots=True)
class Raw:
    """The model's own distribution of some rows.

    Attributes:
        logits: [rows, vocab] fp32.
        log_probs: [rows, vocab] fp32, their log-softmax.
        entropy: [rows] nats.
        top: [rows, k] ids of the greatest logits, greatest first.
    """

    logits: Tensor
    log_probs: Tensor
    entropy: Tensor
    top: Tensor

    def rows(self, start: int, stop: int) -> Raw:
        """Some consecutive rows."""
        part = slice(start, stop)
        return Raw(self.logits[part], self.log_probs[part], self.entropy[part], self.top[part])


@dataclass(frozen=True, slots=True)
class TracedStep:
    """One step of outputs that share a decoding; attributes as in `Trace`, [outputs, ...]."""

    entropy: NDArray[np.float32]
    rank: NDArray[np.int32]
    probability: NDArray[np.float32]
    alternatives: NDArray[np.int32]
    alternative_logprobs: NDArray[np.float32]
    kept: NDArray[np.int32]


#: An output's place in one step.
Place = tuple[TracedStep, int]


def look(logits: Tensor, log_probs: Tensor, alternatives: int) -> Raw:
    """Take what is the same for all outputs of a row, once.

    Args:
        logits: [rows, vocab] fp32.
        log_probs: [rows, vocab] fp32, their log-softmax.
        alternatives: how many of the most probable tokens to note.
    """
    entropy = torch.cat([_entropy(part) for part in torch.split(log_probs, _ROWS)])
    top = logits.topk(min(alternatives, logits.shape[1]), dim=-1).indices
    return Raw(logits, log_probs, entropy, top)


def _entropy(log_probs: Tensor) -> Tensor:
    found = -row_sums(log_probs.exp().mul_(log_probs))
    unsure = found.isnan().squeeze(1)  # 0 · -inf, where the model itself rules tokens out.
    if bool(unsure.any()):
        found[unsure] = row_sums(torch.special.entr(log_probs[unsure].exp()))
    return found.squeeze(1)


def apply_counting(
    scores: Tensor, decoding: Decoding, history: History
) -> tuple[Tensor, NDArray[np.int32]]:
    """Apply the active steps of a decoding as `apply_steps` does, and count what each leaves.

    Returns:
        The scores, and [rows, steps] how many tokens are possible after each step.
    """
    counts = []
    left = _possible(scores)
    for name, value in decoding.steps:
        scores = FUNCTIONS[name](scores, value, history)
        if STEPS[name].masks:
            left = _possible(scores)
        counts.append(left)
    rows = len(scores)
    kept = np.stack(counts, axis=1) if counts else np.zeros((rows, 0), np.int32)
    return scores, kept


def _possible(scores: Tensor) -> NDArray[np.int32]:
    counted = [
        torch.count_nonzero(part > -torch.inf, dim=-1) for part in torch.split(scores, _ROWS)
    ]
    return _array(torch.cat(counted), np.int32)


def see(
    raw: Raw,
    rows: Sequence[int],
    tokens: Tensor,
    scores: Tensor,
    kept: NDArray[np.int32],
    scored: Sequence[int] | None = None,
) -> TracedStep:
    """Put one step of some outputs together.

    Args:
        raw: the rows that the model computed.
        rows: the row of each output there.
        tokens: [outputs] int64, what each chose.
        scores: [scored rows, vocab] fp32 after all steps.
        kept: [scored rows, steps].
        scored: the row of each output in `scores` and `kept`; default: its own place.
    """
    where = torch.tensor(rows, device=raw.top.device)
    places = list(range(len(rows))) if scored is None else list(scored)
    alternatives = raw.top[where]
    total = torch.cat([log_totals(part) for part in torch.split(scores, _ROWS)]).squeeze(1)
    at = torch.tensor(places, device=scores.device)
    probability = (scores[at, tokens] - total[at]).exp()
    return TracedStep(
        entropy=_array(raw.entropy[where], np.float32),
        rank=_ranks(raw, where, alternatives, tokens),
        probability=_array(probability, np.float32),
        alternatives=_array(alternatives, np.int32),
        alternative_logprobs=_array(raw.log_probs[where.unsqueeze(1), alternatives], np.float32),
        kept=kept[places],
    )


def from_kernels(
    traced: Traced,
    places: Sequence[int],
    ops: Sequence[str],
    steps: Sequence[str],
    vocab: int,
) -> TracedStep:
    """What the kernels saw of some outputs that share a decoding.

    Args:
        traced: of all outputs of a step.
        places: theirs.
        ops: the step that each operation of their kernel program belongs to.
        steps: the decoding's active steps; one of them may be several operations or none.
        vocab: tokens that there are before the first step.
    """
    mine = np.asarray(places)
    left = np.full(len(mine), vocab, np.int32)
    kept = []
    for step in steps:
        own = [at for at, name in enumerate(ops) if name == step]
        left = traced.kept[mine, own[-1]] if own else left
        kept.append(left)
    return TracedStep(
        entropy=traced.entropy[mine].astype(np.float32),
        rank=traced.rank[mine],
        probability=traced.probability[mine].astype(np.float32),
        alternatives=traced.best[mine],
        alternative_logprobs=traced.best_logprobs[mine],
        kept=np.stack(kept, axis=1) if kept else np.zeros((len(mine), 0), np.int32),
    )


def _ranks(raw: Raw, where: Tensor, alternatives: Tensor, tokens: Tensor) -> NDArray[np.int32]:
    """Rank of each token: told by the alternatives where it is among them, else counted."""
    logits = raw.logits[where, tokens]
    best = raw.logits[where.unsqueeze(1), alternatives]
    ranks = _array((best > logits.unsqueeze(1)).sum(-1) + 1, np.int32)
    beyond = (logits < best[:, -1]).nonzero().flatten().tolist()
    for output in beyond:
        greater = raw.logits[int(where[output])] > logits[output]
        ranks[output] = 1 + int(torch.count_nonzero(greater))
    return ranks


def _array(values: Tensor, kind: Any) -> NDArray[Any]:
    return np.asarray(values.cpu().numpy(), kind)


def as_trace(seen: Sequence[Place], decoding: Decoding) -> Trace:
    """The trace of an output from its place in each step."""
    return Trace(
        entropy=np.array([one.entropy[at] for one, at in seen], np.float32),
        rank=np.array([one.rank[at] for one, at in seen], np.int32),
        probability=np.array([one.probability[at] for one, at in seen], np.float32),
        alternatives=np.stack([one.alternatives[at] for one, at in seen]),
        alternative_logprobs=np.stack([one.alternative_logprobs[at] for one, at in seen]),
        steps=decoding.active_step_names(),
        kept=np.stack([one.kept[at] for one, at in seen]),
    )
