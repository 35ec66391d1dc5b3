"""After: what the checks of a finished training find, as warnings for the log."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ethogram.train.job import Finding, Job

#: A share of diversity, or of length, whose loss is called a collapse.
_DIVERSITY_LOST, _LENGTH_LOST = 0.3, 0.7
#: A rise of the share of outputs that loop which is called a collapse.
_LOOPS_MORE = 0.3
#: Share of sampled outputs that should end by themselves after tuning on conversations.
_ENDS = 0.5

Values = Mapping[str, float | None]


def checksums(weights: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """A number of each tensor that changes where the tensor does."""
    found = {}
    for name, weight in weights.items():
        flat = weight.detach().double().flatten()
        slope = torch.linspace(1, 2, flat.numel(), dtype=torch.float64, device=flat.device)
        found[name] = float(flat @ slope)
    return found


def findings(
    job: Job, before: Mapping[str, float], after: Mapping[str, float], first: Values, last: Values
) -> list[Finding]:
    """What a finished training should be looked at for.

    Args:
        job: the training.
        before: checksums of the trained weights before it.
        after: the same after it.
        first: values before the first step.
        last: values after the last step.
    """
    found = _weights(before, after)
    if job.recipe.parent is not None:
        found += _collapse(first, last)
        found += _ending(job, last)
    return found


def _warning(code: str, message: str, hint: str) -> Finding:
    return Finding(code, message, hint, refuses=False)


def _weights(before: Mapping[str, float], after: Mapping[str, float]) -> list[Finding]:
    same = sorted(name for name in after if before.get(name) == after[name])
    if not same:
        return []
    message = f"{len(same)} of {len(after)} trained tensors did not change, such as {same[0]}"
    if len(same) == len(after):
        message = "no weight changed"
    return [_warning("weights_unchanged", message, "check the learning rate and what is learned")]


def _collapse(first: Values, last: Values) -> list[Finding]:
    """Outputs that lost diversity or length, or loop, since before the training."""
    found = []
    for name, value in last.items():
        decoding, _, metric = name.partition("/")
        before = first.get(name)
        if value is None or before is None:
            continue
        if metric == "distinct_2" and value < before * (1 - _DIVERSITY_LOST):
            what = f"diversity collapsed under {decoding}: distinct-2 {before:.2f} to {value:.2f}"
        elif metric == "tokens" and value < before * (1 - _LENGTH_LOST) and value < 2:
            what = f"outputs became empty under {decoding}: {before:.1f} to {value:.1f} tokens"
        elif metric == "loop_rate" and value > before + _LOOPS_MORE:
            what = f"outputs loop under {decoding}: {before:.0%} to {value:.0%}"
        else:
            continue
        found.append(
            _warning(
                f"collapse_{metric}",
                what + _reward(first, last),
                "train less: a lower learning rate, fewer steps, or a stronger reference",
            )
        )
    return found


def _reward(first: Values, last: Values) -> str:
    """Words for a reward that rose while quality fell."""
    for name in ("held_out/rewards/margins", "held_out/reward", "train/reward"):
        before, value = first.get(name), last.get(name)
        if value is not None and value > (before or 0.0):
            return f", while the reward rose to {value:.2f} (reward hacking)"
    return ""


def _ending(job: Job, last: Values) -> list[Finding]:
    if job.recipe.kind != "sft":
        return []
    shares = {
        name.partition("/")[0]: value
        for name, value in last.items()
        if name.endswith("/ends_by_itself") and value is not None
    }
    return [
        _warning(
            "end_not_learned",
            f"only {share:.0%} of the outputs under {decoding} end by themselves",
            "train longer, or allow more tokens in `evaluate.max_new_tokens`",
        )
        for decoding, share in shares.items()
        if share < _ENDS
    ]
