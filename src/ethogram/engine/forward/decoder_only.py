"""Forward passes of a decoder-only model over slots."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from ethogram.engine.forward.cuda_graphs import StepGraphs
from ethogram.engine.forward.decode_attention import Lengths
from ethogram.engine.forward.fused import FusedLlama
from ethogram.engine.forward.kv_cache import Pairs
from ethogram.engine.forward.passes import (
    ForwardPass,
    Prefilled,
    ServedModel,
    finished,
    pairs_of,
)
from ethogram.engine.forward.support import check_architecture, context_limit


class DecoderOnly(ForwardPass):
    """Forward passes of a decoder-only model.

    Args:
        loaded: the model.
        rows: number of slots.
        fused: its fused model, if it has one, for decode steps and for the prompts that it reads.

    Raises:
        ModelError: the architecture cannot be run row by row in one batch.
    """

    #: Smaller chunks would be shared more often and cost more (docs/notes.md): a prompt of 300
    #: tokens takes 9 % longer in chunks of 256 than at once, 26 % in chunks of 128, 54 % in 64.
    chunk = 256
    uses_cuda_graphs = True

    def __init__(self, loaded: ServedModel, rows: int, fused: FusedLlama | None = None) -> None:
        self.fused = fused
        self._logits: Tensor | None = None
        super().__init__(loaded, rows)

    def _check(self) -> None:
        check_architecture(self.model, self.config, self._accepts)
        # Within one window, sliding attention is full attention.
        limit = context_limit(self.config)
        self.context_length = min(self.context_length, limit or self.context_length)

    def decoder_prompt(self, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """The prompt."""
        return tuple(prompt_ids)

    def source_capacity(self, prompt_ids: Sequence[int]) -> int:
        """None: it has no cross attention."""
        return 0

    def prefill(self, prompt_ids: Sequence[int], cached: Pairs = ()) -> Prefilled:
        """Run a prompt alone, chunk by chunk.

        The result of a chunk depends only on the tokens up to its end, so the cached prefix of
        another prompt gives the same bits.
        """
        return finished(self.prefill_in_parts(prompt_ids, cached))

    def prefill_in_parts(
        self, prompt_ids: Sequence[int], cached: Pairs = ()
    ) -> Generator[int, None, Prefilled]:
        """Run a prompt alone and stop after each chunk but the last."""
        if self.fused is not None and self.fused.reads(len(prompt_ids)):
            pairs, logits = self.fused.prefill(torch.tensor(prompt_ids), cached)
            return Prefilled(next(self._prefix_ids), pairs, (), logits)
        cache = cache_of(cached)
        states: list[Tensor] = []
        done = cache.get_seq_length()
        for output in self._chunks(prompt_ids, cache):
            if self.keeps_states:
                states.append(output.hidden_states[-1][0])
            run, done = cache.get_seq_length() - done, cache.get_seq_length()
            if done < len(prompt_ids):
                yield run
        logits = output.logits[:, -1].clone()
        kept = torch.cat(states) if states else None
        return Prefilled(next(self._prefix_ids), pairs_of(cache), (), logits, kept)

    def _chunks(self, prompt_ids: Sequence[int], cache: DynamicCache) -> Iterator[Any]:
        """The model's outputs for each chunk of a prompt that the cache does not hold yet."""
        last_only = {"logits_to_keep": 1} if "logits_to_keep" in self._accepts else {}
        for start in range(cache.get_seq_length(), len(prompt_ids), self.chunk):
            ids = torch.tensor([prompt_ids[start : start + self.chunk]], device=self.device)
            yield self.model(
                input_ids=ids, past_key_values=cache, use_cache=True, **last_only, **self._wanted
            )

    def chunk_size(self, length: int) -> int:
        """Tokens that a prompt of this length is run at a time; 1 where any number is the same."""
        return 1 if self.fused is not None and self.fused.reads(length) else self.chunk

    def decode(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        first: int = 0,
        *,
        same_slot: bool = False,
    ) -> Tensor:
        """Run one token of each row; arguments are those of `ForwardPass.decode`."""
        if self.graphs is not None and not same_slot and not self.keeps_states:
            return self._decode_captured(self.graphs, tokens, positions, first)
        ids = torch.tensor(tokens, device=self.device)
        position_ids = torch.tensor(positions, device=self.device)
        self.cache.prepare(position_ids, positions, first, same_slot=same_slot)
        if self.fused is not None:
            return self.fused.decode(
                ids, position_ids, self.cache, self._logits_buffer(first, len(ids))
            )
        with self._slot_attention():
            return self._forward(ids, position_ids)

    def _logits_buffer(self, first: int, rows: int) -> Tensor:
        """[rows, vocab] kept from step to step: allocating a vocabulary a row takes long."""
        assert self.fused is not None
        if self._logits is None:
            self._logits = torch.empty(self.rows, self.fused.head.outputs, dtype=self.dtype)
        part = self._logits[first : first + rows]
        return part if len(part) == rows else self._logits.new_empty(rows, part.shape[1])

    def _decode_captured(
        self, graphs: StepGraphs, tokens: Sequence[int], positions: Sequence[int], first: int
    ) -> Tensor:
        ids, position_ids = graphs.write(tokens, positions, first)
        self.cache.prepare(position_ids, positions, first)

        def step() -> Tensor:
            with self._slot_attention():
                return self._forward(ids, position_ids)

        shape = (first, len(tokens), self.cache.visible)
        return graphs.run(shape, (id(self.cache), self.cache.capacity), step)

    def _forward(self, ids: Tensor, position_ids: Tensor) -> Tensor:
        """[rows, vocab] logits of one token a row, ids and positions [rows]."""
        output = self.model(
            input_ids=ids.unsqueeze(1),
            position_ids=position_ids.unsqueeze(1),
            attention_mask=self.cache.mask(self.dtype),
            past_key_values=self.cache,
            use_cache=True,
            lengths=Lengths(position_ids + 1, prefixes=self.cache.prefix_reads()),
            **self._wanted,
        )
        self._keep_states(output)
        return torch.as_tensor(output.logits)[:, -1]

    def _keep_states(self, output: Any) -> None:
        """Keep what is needed of a decode step's hidden states."""
        if self.keeps_states:
            self.states = output.hidden_states[-1][:, -1]


def cache_of(cached: Pairs) -> DynamicCache:
    """A transformers cache that holds a prefix already."""
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(cached):
        cache.update(keys, values, layer)
    return cache
