"""Picks the next token of every row. Knows steps, noise and searches; never runs the model.

Outputs that share a decoding are handled together; each group costs one pass of each active step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from ethogram.engine.noise import draw
from ethogram.engine.output import Output
from ethogram.engine.search import Search
from ethogram.engine.slots import Shared
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.steps.mirostat import surprise


def choose(holders: Sequence[Shared | Search], logits: Tensor, log_probs: Tensor) -> int:
    """Give every output its next token.

    Args:
        holders: each with as many consecutive rows here as it has slots.
        logits: [rows, vocab] fp32.
        log_probs: [rows, vocab] fp32, their log-softmax.

    Returns:
        How many tokens were chosen.
    """
    groups: dict[Hashable, list[tuple[int, Output]]] = defaultdict(list)
    row = count = 0
    for holder in holders:
        if isinstance(holder, Search):
            stop = row + len(holder.rows)
            count += holder.push(logits[row:stop], log_probs[row:stop])
            row = stop
            continue
        for output in holder.outputs:
            groups[output.group].append((row, output))
        row, count = row + 1, count + len(holder.outputs)
    for members in groups.values():
        rows = [row for row, _ in members]
        _choose_group([output for _, output in members], rows, logits, log_probs)
    return count


def _choose_group(
    outputs: Sequence[Output], rows: Sequence[int], logits: Tensor, log_probs: Tensor
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
    scores = apply_steps(scores, decoding, history)
    if decoding.is_stochastic:
        tokens = draw(scores, history.keys, [output.written for output in outputs])
    else:
        tokens = scores.argmax(-1)
    picked = log_probs[torch.tensor(rows, device=logits.device), tokens].tolist()
    is_steered = "mirostat_tau" in decoding.active_step_names()
    bits = surprise(scores, tokens) if is_steered else [None] * len(outputs)
    for output, *pushed in zip(outputs, tokens.tolist(), picked, bits, strict=True):
        output.push(*pushed)
