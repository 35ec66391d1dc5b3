"""The sampling kernel on given scores: what it keeps, and what it draws."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ethogram.engine import native
from ethogram.engine.jobs import Job
from ethogram.engine.native.sample import OUTPUT, STEP, Code, SampledTokens, sample_tokens
from ethogram.engine.sampler import sample_compiled, tables
from ethogram.engine.sampling.compiled_chain import CompiledChain
from ethogram.engine.sequence import SequenceState
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.stopping import StopRules
from ethogram.spec import Decoding, Request

#: Put on a token after all steps, it makes it the best if it is still in, and nothing if not.
_PROBE = 1e6
_PROBES = 300


def library() -> ctypes.CDLL:
    found = native.library()
    if found is None:
        pytest.skip("no C++ compiler here")
    return found


def outputs_of(decoding: Decoding, history: History, rows: int) -> list[SequenceState]:
    """Outputs that hold what the rows of a history hold."""
    made = []
    for row in range(rows):
        prompt = tuple(history.prompts[row]) if history.prompts else ()
        key = history.keys[row] if history.keys else 0
        request = Request(str(row), "p", row, "", decoding, noise_key=key)
        rules = StopRules(history.eos_token_ids, frozenset(), (), 10_000)
        output = SequenceState(Job(request, "", prompt, prompt, rules, history.words, 1), 0.0, None)
        for token in history.outputs[row] if history.outputs else ():
            output.push(token, 0.0)
        if history.surprisal_limits:
            output.surprisal_limit = history.surprisal_limits[row]
        made.append(output)
    return made


def chain_of(decoding: Decoding, history: History) -> CompiledChain:
    return CompiledChain(decoding, history.words, history.eos_token_ids)


def kept_by_kernel(
    scores: Tensor, decoding: Decoding, history: History, expected: Tensor, chain: Any = None
) -> Tensor:
    """Which tokens are in after all steps, [rows, vocab].

    Each output ends in one more step that lifts one token far above all others, and is greedy: it
    gives that token if it is in. Of a large vocabulary only the tokens about the expected cut and
    some others are asked; the rest is taken as expected, if their number agrees with the kernel's.
    """
    chain = chain or chain_of(decoding, history)
    outputs = outputs_of(decoding, history, len(scores))
    base, own_steps, edits = tables(outputs, [chain] * len(outputs), range(len(outputs)))
    base["is_sampled"] = 0
    asked = [_asked(row, mask) for row, mask in zip(scores, expected, strict=True)]
    table = np.concatenate([np.repeat(base[row], len(ids)) for row, ids in enumerate(asked)])
    tokens = np.concatenate(asked).astype(np.int32)
    lift = np.array([_PROBE], np.float32)
    size = len(chain.steps) + 1
    steps = np.zeros((len(table), size), STEP)
    steps[:, :-1] = own_steps
    for name, value in (("code", Code.ADD), ("value", np.inf), ("count", 1)):
        steps[name][:, -1] = value
    steps["values"][:, -1] = lift.ctypes.data
    steps["ids"][:, -1] = tokens.ctypes.data + 4 * np.arange(len(tokens), dtype=np.uint64)
    table["first_step"], table["steps"] = np.arange(len(table)) * size, size
    sampled = sample_tokens(library(), scores, table, steps.ravel(), edits, trace=True)
    assert sampled.trace is not None
    mask = expected.clone()
    for row, ids in enumerate(asked):
        mine = table["row"] == row
        mask[row, torch.from_numpy(ids)] = torch.from_numpy(sampled.tokens[mine] == ids)
        counts = set(sampled.trace.kept[mine, -1].tolist())
        assert counts == {int(mask[row].sum())}, "other tokens are in than those asked tell"
    return mask


def _asked(row: Tensor, mask: Tensor) -> np.ndarray:
    vocab = len(row)
    if vocab <= _PROBES:
        return np.arange(vocab)
    order = row.sort(descending=True, stable=True).indices.numpy()
    edges = np.flatnonzero(np.diff(mask.numpy()[order].astype(int)))
    near = {int(i) for edge in edges[:4] for i in range(max(0, edge - 20), min(vocab, edge + 20))}
    some = np.random.default_rng(vocab).integers(0, vocab, 40)
    return np.unique([*order[sorted(near)], *some, order[0], order[-1]])


def sample_by_kernel(
    scores: Tensor,
    decoding: Decoding,
    history: History,
    *,
    trace: bool = False,
    alternatives: int = 0,
) -> SampledTokens:
    """What the kernel samples for each row."""
    chain = chain_of(decoding, history)
    outputs = outputs_of(decoding, history, len(scores))
    return sample_compiled(
        library(),
        outputs,
        [chain] * len(outputs),
        range(len(outputs)),
        scores,
        trace=trace,
        alternatives=alternatives,
    )


def draw_by_kernel(scores: Tensor, keys: Sequence[int], positions: Sequence[int]) -> Tensor:
    """As `noise.draw`, by the kernel; one row of scores may serve all keys."""
    table = np.zeros(len(keys), OUTPUT)
    table["row"] = np.arange(len(keys)) if len(scores) > 1 else 0
    table["key"], table["position"], table["is_sampled"] = keys, positions, 1
    sampled = sample_tokens(library(), scores, table, np.empty(0, STEP))
    return torch.from_numpy(sampled.tokens).long()


def both(scores: Tensor, decoding: Decoding, history: History) -> tuple[Tensor, Tensor]:
    """What torch and the kernel keep."""
    torch_kept = apply_steps(scores, decoding, history) > -torch.inf
    return torch_kept, kept_by_kernel(scores, decoding, history, torch_kept)
