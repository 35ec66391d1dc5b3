"""The sampling kernel, arrays in and arrays out.

The structs and codes here are those of `sample.cpp`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


class Code(IntEnum):
    """Which kernel a step runs; a step of one number has the code of its own name."""

    ADD = 0
    ADD_OWN = 1
    REPETITION_PENALTY = 2
    FREQUENCY_PENALTY = 3
    PRESENCE_PENALTY = 4
    NO_REPEAT_NGRAM_SIZE = 5
    TEMPERATURE = 6
    TOP_K = 7
    TOP_P = 8
    MIN_P = 9
    TYPICAL_P = 10
    EPSILON_CUTOFF = 11
    ETA_CUTOFF = 12
    TOP_N_SIGMA = 13
    TOP_H = 14
    XTC = 15
    MIROSTAT = 16
    RESPONSE_FORMAT = 17


STEP = np.dtype(
    [
        ("code", np.int64),
        ("value", np.float64),
        ("extra", np.float64),
        ("ids", np.uint64),
        ("values", np.uint64),
        ("count", np.int64),
    ]
)
OUTPUT = np.dtype(
    [
        ("row", np.int64),
        ("first_step", np.int64),
        ("steps", np.int64),
        ("first_edits", np.int64),
        ("key", np.uint64),
        ("position", np.int64),
        ("is_sampled", np.int64),
        ("history", np.uint64),
        ("length", np.int64),
        ("distinct", np.uint64),
        ("counts", np.uint64),
        ("distinct_count", np.int64),
        ("surprisal_limit", np.float64),
        ("mask", np.uint64),
    ]
)
#: Token ids, and what is added to the score of each.
Edit = tuple[Sequence[int], Sequence[float]]


@dataclass(frozen=True, slots=True)
class KernelTrace:
    """How each token was chosen.

    Attributes:
        entropy: [outputs] of the model's distribution at temperature 1, nats.
        probability: [outputs] of the token after the last step of its chain.
        rank: [outputs] of the token by its logit: 1 and the number of tokens strictly higher.
        kept: [outputs, most steps] tokens kept by each step of the output's chain; -1
            beyond its end, and everywhere where a greedy output has no steps.
        best: [outputs, alternatives] ids of the model's most probable tokens, best first and of
            equals the lowest id first; -1 beyond the vocabulary.
        best_logprobs: [outputs, alternatives] their log-probabilities, nats.
    """

    entropy: Doubles
    probability: Doubles
    rank: Ints
    kept: Ints
    best: Ints
    best_logprobs: Floats


@dataclass(frozen=True, slots=True)
class SampledTokens:
    """The next token of each output.

    Attributes:
        tokens: [outputs] ids.
        logprobs: [outputs] their log-probabilities under the model at temperature 1, nats.
        surprisals: [outputs] their surprisal in the draw, bits; NaN except under mirostat.
        trace: if one is wanted.
    """

    tokens: Ints
    logprobs: Floats
    surprisals: Doubles
    trace: KernelTrace | None = None


def sample_tokens(
    library: ctypes.CDLL,
    logits: Tensor,
    outputs: npt.NDArray[Any],
    steps: npt.NDArray[Any],
    edits: Sequence[Edit] = (),
    *,
    trace: bool = False,
    alternatives: int = 0,
) -> SampledTokens:
    """Give each output its next token.

    Args:
        library: the kernels.
        logits: [rows, vocab] on the CPU; other kinds than fp32 and bf16 become fp32.
        outputs: [outputs] of OUTPUT; the arrays that they point to must stay alive.
        steps: of STEP, likewise.
        edits: what the steps of code ADD_OWN add, output by output.
        trace: also record how each token was chosen.
        alternatives: in the trace, the number of most probable tokens.
    """
    if logits.dtype not in (torch.float32, torch.bfloat16):
        logits = logits.float()
    logits = logits.contiguous()
    count, most = len(outputs), int(outputs["steps"].max(initial=0))
    sampled = SampledTokens(
        np.empty(count, np.int32),
        np.empty(count, np.float32),
        np.empty(count, np.float64),
        _empty_trace(count, most, alternatives) if trace else None,
    )
    # Arrays stay referenced here until the call is over.
    starts = np.cumsum([0, *(len(ids) for ids, _ in edits)], dtype=np.int64)
    ids = np.array([token for ids, _ in edits for token in ids], np.int32)
    values = np.array([value for _, values in edits for value in values], np.float32)
    library.sample_tokens(
        ctypes.c_void_p(logits.data_ptr()),
        ctypes.c_int64(logits.shape[0]),
        ctypes.c_int64(logits.shape[1]),
        ctypes.c_int(logits.dtype == torch.bfloat16),
        ctypes.c_void_p(outputs.ctypes.data),
        ctypes.c_int64(count),
        ctypes.c_void_p(steps.ctypes.data),
        (ctypes.c_void_p * 3)(starts.ctypes.data, ids.ctypes.data, values.ctypes.data),
        _results(sampled, most, alternatives),
        ctypes.c_int(torch.get_num_threads()),
    )
    return sampled


def _empty_trace(count: int, most: int, alternatives: int) -> KernelTrace:
    return KernelTrace(
        np.empty(count, np.float64),
        np.empty(count, np.float64),
        np.empty(count, np.int32),
        np.full((count, most), -1, np.int32),
        np.empty((count, alternatives), np.int32),
        np.empty((count, alternatives), np.float32),
    )


def _results(sampled: SampledTokens, most: int, alternatives: int) -> Any:
    """The struct of pointers and sizes into which the results go."""
    trace = sampled.trace
    addresses: list[int | None] = [None] * 6
    if trace is not None:
        shares = (trace.entropy, trace.probability)
        arrays = (*shares, trace.rank, trace.kept, trace.best, trace.best_logprobs)
        addresses = [array.ctypes.data for array in arrays]
    plain = (sampled.tokens, sampled.logprobs, sampled.surprisals)
    return (ctypes.c_void_p * 11)(
        *(array.ctypes.data for array in plain),
        *addresses[:4],
        most,
        *addresses[4:],
        alternatives if trace is not None else 0,
    )
