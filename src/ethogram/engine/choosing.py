"""Picks the next token of every row. Knows steps, noise and beams; never runs the model.

Outputs that share a decoding are handled together; each group costs one pass of each active step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from ethogram.engine.beam import BeamSearch
from ethogram.engine.noise import draw
from ethogram.engine.output import Output
from ethogram.engine.slots import Shared
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.steps.mirostat import surprise
from ethogram.engine.trace import Raw, apply_counting, look, see


def choose(
    holders: Sequence[Shared | BeamSearch],
    logits: Tensor,
    log_probs: Tensor,
    *,
    alternatives: int = 0,
) -> int:
    """Give every output its next token.

    Args:
        holders: each with as many consecutive rows here as it has slots.
        logits: [rows, vocab] fp32.
        log_probs: [rows, vocab] fp32, their log-softmax.
        alternatives: how many of the most probable tokens to note beside each one chosen; 0 notes
            nothing of how it was chosen.

    Returns:
        How many outputs there were.
    """
    raw = look(logits, log_probs, alternatives) if alternatives else None
    groups: dict[Hashable, list[tuple[int, Output]]] = defaultdict(list)
    row = count = 0
    for holder in holders:
        if isinstance(holder, BeamSearch):
            stop = row + len(holder.rows)
            holder.push(log_probs[row:stop], raw.rows(row, stop) if raw else None)
            row, count = stop, count + 1
            continue
        for output in holder.outputs:
            groups[output.group].append((row, output))
        row, count = row + 1, count + len(holder.outputs)
    for members in groups.values():
        rows = [row for row, _ in members]
        _choose_group([output for _, output in members], rows, logits, log_probs, raw)
    return count


def _choose_group(
    outputs: Sequence[Output],
    rows: Sequence[int],
    logits: Tensor,
    log_probs: Tensor,
    raw: Raw | None,
) -> None:
    decoding = outputs[0].job.request.decoding
    everything = list(rows) == list(range(len(logits)))
    scores = logits if everything else logits[torch.tensor(rows, device=logits.device)]
    history = History(
        [output.job.decoder_prompt for output in outputs],
        [output.token_ids for output in outputs],
        outputs[0].job.rules.eos_token_ids,
        outputs[0].job.words,
        [output.job.request.noise_key or 0 for output in outputs],
        [output.surprise_limit for output in outputs],
    )
    if raw is None:
        scores = apply_steps(scores, decoding, history)
    else:
        scores, kept = apply_counting(scores, decoding, history)
    if decoding.is_stochastic:
        tokens = draw(scores, history.keys, [output.written for output in outputs])
    else:
        tokens = scores.argmax(-1)
    picked = log_probs[torch.tensor(rows, device=logits.device), tokens].tolist()
    is_steered = "mirostat_tau" in decoding.active_step_names()
    bits = surprise(scores, tokens) if is_steered else [None] * len(outputs)
    for output, *pushed in zip(outputs, tokens.tolist(), picked, bits, strict=True):
        output.push(*pushed)
    if raw is not None:
        seen = see(raw, rows, tokens, scores, kept)
        for place, output in enumerate(outputs):
            output.seen.append((seen, place))
