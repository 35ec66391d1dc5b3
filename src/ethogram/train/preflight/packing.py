"""Packing: whether a packed sequence is read as if it were alone, measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ethogram.train.job import Finding

#: Largest difference of logits, as a share of the largest logit. Rounding makes 1e-6; a mask, a
#: cache or positions that let sequences see each other make 1e-2 or more.
_TOLERANCE = 1e-3
#: Sequences that are compared.
_ROWS = 4


def packing_leak(model: Any, collate: Any, examples: Sequence[Any]) -> Finding | None:
    """Compare the logits of packed sequences with those of each alone.

    Args:
        model: a causal model with float32 weights, with the settings that it trains with.
        collate: makes a micro-batch of examples.
        examples: with `input_ids` and `labels`.
    """
    examples = _fitting(examples)
    if len(examples) < 2:
        return None
    error, at = leak(model, collate, examples)
    if error <= _TOLERANCE:
        return None
    return Finding(
        "packing_leak",
        f"packed sequences see each other: the logits of the example differ from those alone by "
        f"{error:.2g} of the largest; it begins with token ids {examples[at]['input_ids'][:8]}",
        "set packing: false; this model's attention does not keep packed sequences apart",
    )


def _fitting(examples: Sequence[Any]) -> list[dict[str, Any]]:
    """The longest of some examples, and the beginnings of the others, of which two fit beside."""
    longest, *others = sorted(examples[:_ROWS], key=lambda each: -len(each["input_ids"]))
    most = max(1, len(longest["input_ids"]) // 2)
    cut = [{name: each[name][:most] for name in ("input_ids", "labels")} for each in others]
    return [longest, *cut]


def leak(model: Any, collate: Any, examples: Sequence[Any]) -> tuple[float, int]:
    """Largest difference of logits as a share of the largest logit, and of which example.

    Raises:
        ValueError: the collator lost a sequence.
    """
    import torch

    was_training = model.training
    model.eval()
    worst, which = 0.0, 0
    try:
        with torch.no_grad():
            batch = {name: value.to(model.device) for name, value in collate(examples).items()}
            ids = batch["input_ids"].tolist()
            packed = _logits(model, batch)
            for index, example in enumerate(examples):
                row = list(example["input_ids"])
                own = torch.tensor([row], device=model.device)
                alone = _logits(model, {"input_ids": own})[0]
                error = min(
                    float((packed[at, start : start + len(row)] - alone).abs().max())
                    for at, start in _places(ids, row)
                )
                share = error / max(float(alone.abs().max()), 1e-9)
                if share > worst:
                    worst, which = share, index
    finally:
        model.train(was_training)
    return worst, which


def _logits(model: Any, batch: dict[str, Any]) -> Any:
    """[rows, width, vocab]; the cache is off if the model's configuration says so, as it trains."""
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    return model(**inputs).logits


def _places(ids: Sequence[Sequence[int]], row: Sequence[int]) -> list[tuple[int, int]]:
    """Where a sequence is in a batch. Equal sequences have several places."""
    found = [
        (at, start)
        for at, packed in enumerate(ids)
        for start in range(len(packed) - len(row) + 1)
        if packed[start : start + len(row)] == row
    ]
    if not found:
        raise ValueError("the collator lost a sequence")
    return found
