"""Forward passes of an encoder-decoder model (T5) over slots."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from ethogram.engine.forward.decode_attention import Lengths
from ethogram.engine.forward.kv_cache import CrossSlots, Pairs, bucketed
from ethogram.engine.forward.passes import ForwardPass, Prefilled, pairs_of
from ethogram.errors import ModelError


class EncoderDecoder(ForwardPass):
    """Forward passes of an encoder-decoder model; all its rows are at one position."""

    chunk = 0  # An encoder reads in both directions, so prompts share no prefix.
    uses_cuda_graphs = False  # The lengths of the sources change from batch to batch.

    def _check(self) -> None:
        start = getattr(self.model.generation_config, "decoder_start_token_id", None)
        if start is None:
            start = getattr(self.model.config, "decoder_start_token_id", None)
        if start is None:
            raise ModelError(
                "the model has no decoder_start_token_id", hint="set it in config.json"
            )
        self.decoder_start = int(start)
        self.cross = CrossSlots(0, self.rows, 0)
        self._source_capacity = 0

    def start(self, source_capacity: int) -> None:
        """Start a static batch: empty slots for sources of up to `source_capacity` positions."""
        super().start(source_capacity)
        self._source_capacity = source_capacity
        self.cross = CrossSlots(0, self.rows, source_capacity)

    def decoder_prompt(self, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """The decoder's start token."""
        return (self.decoder_start,)

    def source_capacity(self, prompt_ids: Sequence[int]) -> int:
        """Positions that the prompt takes in cross attention."""
        return bucketed(len(prompt_ids))

    def prefill(self, prompt_ids: Sequence[int], cached: Pairs = ()) -> Prefilled:
        """Encode a prompt alone and decode its start token."""
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        output = self.model(
            input_ids=torch.tensor([prompt_ids], device=self.device),
            decoder_input_ids=torch.tensor([[self.decoder_start]], device=self.device),
            past_key_values=cache,
            use_cache=True,
            **self._wanted,
        )
        own, cross = pairs_of(cache.self_attention_cache), pairs_of(cache.cross_attention_cache)
        states = output.decoder_hidden_states[-1][0] if self.keeps_states else None
        return Prefilled(next(self._prefix_ids), own, cross, output.logits[:, -1], states)

    def fill(self, row: int, prompt: Prefilled) -> None:
        """Copy a prompt's decoder state and encoded source into a slot."""
        super().fill(row, prompt)
        if not len(self.cross.slots.layers):
            self.cross = CrossSlots(len(prompt.cross), self.rows, self._source_capacity)
        self.cross.fill(row, prompt.cross)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot, and its source, to another one."""
        super().copy(source, target, length)
        self.cross.copy(source, target)

    def decode(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        first: int = 0,
        *,
        same_slot: bool = False,
    ) -> Tensor:
        """Run one token of each row; arguments are those of `ForwardPass.decode`."""
        assert not same_slot  # Draft tokens need positions that differ from row to row.
        ids = torch.tensor(tokens, device=self.device)
        position_ids = torch.tensor(positions, device=self.device)
        self.cache.prepare(position_ids, positions, first)
        with self._slot_attention():
            return self._forward(ids, position_ids)

    def _forward(self, ids: Tensor, position_ids: Tensor) -> Tensor:
        """[rows, vocab] logits of one token a row, ids and positions [rows]."""
        first = self.cache.first
        lengths = torch.tensor(self.cross.lengths[first : first + len(ids)], device=self.device)
        # The encoder's output is only used for its length: the cross keys are complete.
        source = torch.zeros(1, dtype=self.dtype, device=self.device)
        source = source.expand(len(ids), self._source_capacity, self.config.hidden_size)
        output = self.model(
            decoder_input_ids=ids.unsqueeze(1),
            decoder_attention_mask=self.cache.mask(self.dtype),
            encoder_outputs=BaseModelOutput(last_hidden_state=source),
            attention_mask=self.cross.mask(lengths, self.dtype),
            past_key_values=self.cross.joined(self.cache),
            use_cache=True,
            lengths=Lengths(position_ids + 1, lengths, self.cache.prefix_reads()),
            **self._wanted,
        )
        if self.keeps_states:
            self.states = output.decoder_hidden_states[-1][:, -1]
        return torch.as_tensor(output.logits)[:, -1]
