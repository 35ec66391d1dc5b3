"""RewardModel: scores replies with a model that a `reward` recipe made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ethogram.errors import ModelError

#: Replies that go through the model at once.
_BATCH = 16


class RewardModel:
    """A trained reward model.

    Args:
        folder: `models/NAME`.
        device: name of a torch device.

    Raises:
        ModelError: it is no reward model in safetensors.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        import transformers

        from ethogram.models.weights import SAFE
        from ethogram.train.chats import make_chat
        from ethogram.train.output import read_record

        record = read_record(folder)
        if record is None or record.get("kind") != "reward":
            raise ModelError(
                "not a reward model",
                where=str(folder),
                hint="train one with a recipe of kind reward, and name it by its folder",
            )
        try:
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, use_safetensors=True, **SAFE
            )
            words = transformers.AutoTokenizer.from_pretrained(folder, **SAFE)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"the reward model cannot be loaded ({str(error).splitlines()[0][:200]})",
                where=str(folder),
            ) from None
        self.model: Any = model.float().eval().requires_grad_(False).to(device)
        self.chat = make_chat(words)
        self.context: int | None = getattr(
            self.model.config.get_text_config(), "max_position_embeddings", None
        )

    def score(self, conversations: Sequence[Sequence[Any]]) -> list[float]:
        """The reward of each conversation's last message.

        Args:
            conversations: messages with `role` and `content`; the last one is a reply. Those longer
                than the model's context are scored by what fits.
        """
        import torch

        rows = [
            self.chat.rows(talk, last_only=True)[0].ids[: self.context] for talk in conversations
        ]
        pad = self.model.config.get_text_config().pad_token_id
        # Rows of like length together, so that little is padding.
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        rewards = [0.0] * len(rows)
        for start in range(0, len(order), _BATCH):
            some = order[start : start + _BATCH]
            width = max(len(rows[at]) for at in some)
            ids = torch.full((len(some), width), pad)
            mask = torch.zeros_like(ids)
            for row, at in enumerate(some):
                ids[row, : len(rows[at])] = torch.tensor(rows[at])
                mask[row, : len(rows[at])] = 1
            with torch.no_grad():
                out = self.model(
                    input_ids=ids.to(self.model.device),
                    attention_mask=mask.to(self.model.device),
                    use_cache=False,
                )
            for at, reward in zip(some, out.logits[:, 0].tolist(), strict=True):
                rewards[at] = reward
        return rewards
