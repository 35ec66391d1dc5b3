"""Batches of pairs: both replies of each, packed or padded, and which token belongs to which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ethogram.train import preflight
from ethogram.train.collate import Packer, pack

if TYPE_CHECKING:
    from ethogram.train.chats import Chat, TokenRow

#: Rows on which packing is tried.
_TRIED = 4


class PairCollator:
    """The sequences of pairs in rows, chosen replies first.

    Args:
        pad_id: token for padding.
        context: longest row that the model reads, in tokens.
        packed: several sequences in a row, kept apart by positions that start again; otherwise one
            sequence a row, with an attention mask.
    """

    def __init__(self, pad_id: int, context: int, *, packed: bool) -> None:
        self.pad_id, self.context, self.packed = pad_id, context, packed

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """`input_ids`, `labels` and `sequence` [rows, width]; the last is 0..2n-1 for n pairs.

        `prompt_ids`, `chosen_ids` and `rejected_ids` are read of each example, and
        `ref_chosen_logps` and `ref_rejected_logps` [n] where they are there.
        """
        import torch

        sides = ("chosen", "rejected")
        pairs = [(e["prompt_ids"], e[f"{side}_ids"]) for side in sides for e in examples]
        batch = self._rows(pairs)
        for side in sides:
            name = f"ref_{side}_logps"
            if name in examples[0]:
                batch[name] = torch.tensor([example[name] for example in examples])
        return batch

    def _rows(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> dict[str, Any]:
        import torch

        lengths = [len(prompt) + len(reply) for prompt, reply in pairs]
        if self.packed:
            bins, width = pack(lengths, self.context)
        else:
            bins, width = [[at] for at in range(len(pairs))], max(lengths)
        ids = torch.full((len(bins), width), self.pad_id)
        labels = torch.full((len(bins), width), -100)
        sequence = torch.zeros((len(bins), width), dtype=torch.long)
        positions = torch.zeros((len(bins), width), dtype=torch.long)
        mask = torch.zeros((len(bins), width), dtype=torch.long)
        for row, members in enumerate(bins):
            start = 0
            for member in members:
                prompt, reply = pairs[member]
                end, own = start + lengths[member], max(1, len(prompt))
                ids[row, start:end] = torch.tensor([*prompt, *reply])
                # Nothing precedes a first token, so nothing may learn it.
                labels[row, start + own : end] = ids[row, start + own : end]
                sequence[row, start:end] = member
                positions[row, start:end] = torch.arange(end - start)
                mask[row, start:end] = 1
                start = end
            positions[row, start:] = torch.arange(width - start)
        how = {"position_ids": positions} if self.packed else {"attention_mask": mask}
        return {"input_ids": ids, **how, "labels": labels, "sequence": sequence}


def packs(model: Any, chat: Chat, rows: Sequence[TokenRow], context: int) -> bool:
    """Whether a model keeps packed sequences apart, tried on a few rows; otherwise they are padded.

    Args:
        model: with float32 weights.
        chat: for the padding token.
        rows: of the data.
        context: longest row that the model reads, in tokens.
    """
    model.config.use_cache = False  # As it trains.
    examples = [{"input_ids": list(row.ids), "labels": row.labels} for row in rows[:_TRIED]]
    return not preflight.check_model(model, Packer(chat.pad_id or 0, context), examples)
