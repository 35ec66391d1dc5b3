"""Traces of how tokens were chosen: the model's distribution, and what each step kept.

One step of some outputs is one `StepTrace` of plain arrays, whichever way the tokens were chosen;
an output collects its rows of them into its `Trace`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ethogram.engine.native.sample import KernelTrace
from ethogram.engine.steps import FUNCTIONS, History
from ethogram.engine.steps.rows import log_totals, row_sums
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Trace
from ethogram.spec.steps import STEPS

#: Alternatives recorded for a token: as many as fit a line of a terminal.
ALTERNATIVES = 5
#: Rows processed together: few enough that their scores stay in the processor's cache.
_ROWS = 4


@dataclass(frozen=True, slots=True)
class Distribution:
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

    def rows(self, start: int, stop: int) -> Distribution:
        """Some consecutive rows."""
        part = slice(start, stop)
        return Distribution(
            self.logits[part], self.log_probs[part], self.entropy[part], self.top[part]
        )


@dataclass(frozen=True, slots=True)
class StepTrace:
    """One step of outputs that share a decoding; attributes as in `Trace`, [outputs, ...]."""

    entropy: NDArray[np.float32]
    rank: NDArray[np.int32]
    probability: NDArray[np.float32]
    alternatives: NDArray[np.int32]
    alternative_logprobs: NDArray[np.float32]
    kept: NDArray[np.int32]


#: A step and the row of an output in it.
TraceRow = tuple[StepTrace, int]


def collect(logits: Tensor, log_probs: Tensor, alternatives: int) -> Distribution:
    """Compute what is the same for all outputs of a row.

    Args:
        logits: [rows, vocab] fp32.
        log_probs: [rows, vocab] fp32, their log-softmax.
        alternatives: how many of the most probable tokens to record.
    """
    entropy = torch.cat([_entropy(part) for part in torch.split(log_probs, _ROWS)])
    top = logits.topk(min(alternatives, logits.shape[1]), dim=-1).indices
    return Distribution(logits, log_probs, entropy, top)


def _entropy(log_probs: Tensor) -> Tensor:
    found = -row_sums(log_probs.exp().mul_(log_probs))
    unsure = found.isnan().squeeze(1)  # 0 · -inf, where the model itself rules tokens out.
    if bool(unsure.any()):
        found[unsure] = row_sums(torch.special.entr(log_probs[unsure].exp()))
    return found.squeeze(1)


def apply_steps_counting(
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


def record_step(
    distribution: Distribution,
    rows: Sequence[int],
    tokens: Tensor,
    scores: Tensor,
    kept: NDArray[np.int32],
    scored: Sequence[int] | None = None,
) -> StepTrace:
    """Record one step of some outputs.

    Args:
        distribution: the rows that the model computed.
        rows: the row of each output there.
        tokens: [outputs] int64, what each chose.
        scores: [scored rows, vocab] fp32 after all steps.
        kept: [scored rows, steps].
        scored: the row of each output in `scores` and `kept`; default: its own index.
    """
    where = torch.tensor(rows, device=distribution.top.device)
    scored_rows = list(range(len(rows))) if scored is None else list(scored)
    alternatives = distribution.top[where]
    total = torch.cat([log_totals(part) for part in torch.split(scores, _ROWS)]).squeeze(1)
    at = torch.tensor(scored_rows, device=scores.device)
    probability = (scores[at, tokens] - total[at]).exp()
    return StepTrace(
        entropy=_array(distribution.entropy[where], np.float32),
        rank=_ranks(distribution, where, alternatives, tokens),
        probability=_array(probability, np.float32),
        alternatives=_array(alternatives, np.int32),
        alternative_logprobs=_array(
            distribution.log_probs[where.unsqueeze(1), alternatives], np.float32
        ),
        kept=kept[scored_rows],
    )


def from_kernels(
    trace: KernelTrace,
    members: Sequence[int],
    ops: Sequence[str],
    steps: Sequence[str],
    vocab: int,
) -> StepTrace:
    """The trace of outputs that share a decoding, as the kernels recorded it.

    Args:
        trace: of all outputs of a step.
        members: the indices of these outputs.
        ops: the step that each operation of their compiled chain belongs to.
        steps: the decoding's active steps; one of them may be several operations or none.
        vocab: number of tokens before the first step.
    """
    mine = np.asarray(members)
    left = np.full(len(mine), vocab, np.int32)
    kept = []
    for step in steps:
        own = [at for at, name in enumerate(ops) if name == step]
        left = trace.kept[mine, own[-1]] if own else left
        kept.append(left)
    return StepTrace(
        entropy=trace.entropy[mine].astype(np.float32),
        rank=trace.rank[mine],
        probability=trace.probability[mine].astype(np.float32),
        alternatives=trace.best[mine],
        alternative_logprobs=trace.best_logprobs[mine],
        kept=np.stack(kept, axis=1) if kept else np.zeros((len(mine), 0), np.int32),
    )


def _ranks(
    distribution: Distribution, where: Tensor, alternatives: Tensor, tokens: Tensor
) -> NDArray[np.int32]:
    """Rank of each token: its index among the alternatives if it is one of them, else counted."""
    logits = distribution.logits[where, tokens]
    best = distribution.logits[where.unsqueeze(1), alternatives]
    ranks = _array((best > logits.unsqueeze(1)).sum(-1) + 1, np.int32)
    beyond = (logits < best[:, -1]).nonzero().flatten().tolist()
    for output in beyond:
        greater = distribution.logits[int(where[output])] > logits[output]
        ranks[output] = 1 + int(torch.count_nonzero(greater))
    return ranks


def _array(values: Tensor, kind: Any) -> NDArray[Any]:
    return np.asarray(values.cpu().numpy(), kind)


def as_trace(rows: Sequence[TraceRow], decoding: Decoding) -> Trace:
    """The trace of an output from its row of each step."""
    return Trace(
        entropy=np.array([step.entropy[row] for step, row in rows], np.float32),
        rank=np.array([step.rank[row] for step, row in rows], np.int32),
        probability=np.array([step.probability[row] for step, row in rows], np.float32),
        alternatives=np.stack([step.alternatives[row] for step, row in rows]),
        alternative_logprobs=np.stack([step.alternative_logprobs[row] for step, row in rows]),
        steps=decoding.active_step_names(),
        kept=np.stack([step.kept[row] for step, row in rows]),
    )
