"""Collators: token rows to the tensors of a micro-batch, packed or padded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Indices of sequences by bin, by best-fit decreasing.

    Args:
        lengths: in tokens, each at most the capacity.
        capacity: tokens of a bin.
    """
    bins: list[list[int]] = []
    free: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        fitting = [at for at, space in enumerate(free) if space >= lengths[index]]
        if fitting:
            at = min(fitting, key=lambda each: free[each])
        else:
            at = len(bins)
            bins.append([])
            free.append(capacity)
        bins[at].append(index)
        free[at] -= lengths[index]
    return bins


def pack(lengths: Sequence[int], context: int) -> tuple[list[list[int]], int]:
    """Bins for the sequences of one micro-batch, and their width, with the least padding.

    Args:
        lengths: in tokens.
        context: longest row that the model reads.
    """
    longest = max(lengths)
    # Wider rows fill better, and cost more attention; twice the longest suffices to fill them.
    widths = {min(context, longest * times // 4) for times in (4, 5, 6, 8)} | {longest}
    packed = [(best_fit(lengths, width), width) for width in sorted(widths) if width >= longest]
    return min(packed, key=lambda each: len(each[0]) * each[1])


class Packer:
    """Several sequences in a row, kept apart by positions that start again.

    The sequences of a micro-batch are packed among themselves, so that a step learns the same
    sequences as without packing. No attention mask is given: transformers makes a block-diagonal
    one from the positions, and an attention mask or a KV cache would switch that off.
    """

    def __init__(self, pad_id: int, context: int) -> None:
        self.pad_id = pad_id
        self.context = context

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """`input_ids`, `position_ids` and `labels`, each [rows, width]."""
        import torch

        rows = [example["input_ids"] for example in examples]
        bins, width = pack([len(row) for row in rows], self.context)
        ids = torch.full((len(bins), width), self.pad_id)
        labels = torch.full((len(bins), width), -100)
        positions = torch.zeros((len(bins), width), dtype=torch.long)
        for at, members in enumerate(bins):
            start = 0
            for member in members:
                end = start + len(rows[member])
                ids[at, start:end] = torch.tensor(rows[member])
                labels[at, start:end] = torch.tensor(examples[member]["labels"])
                # Nothing precedes a first token, so nothing may learn it.
                labels[at, start] = -100
                positions[at, start:end] = torch.arange(end - start)
                start = end
            # The padding is a sequence of its own, too.
            positions[at, start:] = torch.arange(width - start)
        return {"input_ids": ids, "position_ids": positions, "labels": labels}


class Padder:
    """One sequence a row, padded on the right; `source` columns are those of an encoder."""

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """`input_ids`, `attention_mask` and `labels`, each [rows, longest].

        For encoder-decoder models `labels` have a length of their own.
        """
        ids = _padded([example["input_ids"] for example in examples], self.pad_id)
        mask = _padded([[1] * len(example["input_ids"]) for example in examples], 0)
        labels = _padded([example["labels"] for example in examples], -100)
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _padded(rows: Sequence[Sequence[int]], value: int) -> Any:
    import torch

    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])
