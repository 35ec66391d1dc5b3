"""Runs the model: a prompt alone, then a token of each row. Knows transformers, but no decoding.

Each prompt is prefilled alone and in fixed blocks, because torch's matrix products round
differently with another number of rows; the caller keeps the rows of decode steps within one class,
for the same reason. A fused fused whose rows know no neighbour needs neither.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from ethogram.engine.forward.cuda_graphs import CudaGraphRecorder, StepGraphs
from ethogram.engine.forward.decode_attention import AttentionSwitch, Lengths
from ethogram.engine.forward.fused import FusedLlama
from ethogram.engine.forward.kv_cache import CrossSlots, Pairs, SlotCache, bucketed
from ethogram.engine.forward.support import check_architecture, context_limit, numbers_a_position
from ethogram.errors import ModelError


class ServedModel(Protocol):
    """What the engine asks of a loaded model; `ethogram.models.LoadedModel` is one."""

    @property
    def model(self) -> Any:
        """The transformers module, in eval mode."""

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""

    @property
    def context_length(self) -> int:
        """Most tokens of prompt and output together."""

    @property
    def eos_token_ids(self) -> frozenset[int]:
        """Ids that end a sequence."""

    @property
    def vocab_size(self) -> int:
        """Number of logits."""

    @property
    def is_encoder_decoder(self) -> bool:
        """Whether an encoder reads the prompt."""

    @property
    def has_chat_template(self) -> bool:
        """Whether messages can be turned into a prompt."""


@dataclass(frozen=True, slots=True)
class Prefilled:
    """A prompt as the model holds it, ready to be copied into any number of slots.

    Attributes:
        pairs: keys and values of the decoder, one pair a layer, each [1, heads, length, dim].
        cross: keys and values of the encoded source; empty for decoder-only models.
        logits: [1, vocab] of the token after the prompt.
        states: [positions, width] last hidden states of what the decoder read, where the forward
            pass keeps them.
    """

    pairs: Pairs
    cross: Pairs
    logits: Tensor
    states: Tensor | None = None


class DecoderOnly:
    """Forward passes of a decoder-only model over slots.

    Args:
        loaded: the model.
        rows: number of slots.
        fused: the model's fused fused, if it has one, for decode steps and the prompts it reads.

    Attributes:
        keeps_states: whether to keep the last hidden states, which change nothing else.
        states: [rows fed, width] of the last call of `decode`, where they are kept.

    Raises:
        ModelError: the architecture cannot be run row by row in one batch.
    """

    #: Tokens of a prompt that are run at a time; prompts share whole blocks. Smaller ones would be
    #: shared more often and cost more (measured in docs/notes.md): a prompt of 300 tokens takes 9 %
    #: longer in blocks of 256 than at once, 26 % in blocks of 128, 54 % in blocks of 64.
    block = 256
    #: Whether a decode step reads nothing that changes but tokens, positions and slots.
    is_recordable = True

    def __init__(self, loaded: ServedModel, rows: int, fused: FusedLlama | None = None) -> None:
        self.keeps_states = False
        self.states: Tensor | None = None
        self.model = loaded.model
        self.rows, self.fused = rows, fused
        self._logits: Tensor | None = None
        self.config = loaded.model.config.get_text_config(decoder=True)
        self.dtype, self.device = loaded.model.dtype, loaded.model.device
        self.context_length = loaded.context_length
        self.cache = SlotCache(0, rows)
        self._accepts = set(inspect.signature(loaded.model.forward).parameters)
        self._check()
        self._slot_attention = AttentionSwitch(loaded.model)
        self.graphs: StepGraphs | None = None
        if self.device.type == "cuda" and self.is_recordable:
            self.graphs = StepGraphs(CudaGraphRecorder(), rows, self.device)

    def _check(self) -> None:
        check_architecture(self.model, self.config, self._accepts)
        # Within one window, sliding attention is full attention.
        limit = context_limit(self.config)
        self.context_length = min(self.context_length, limit or self.context_length)

    def slot_bytes(self, length: int, source_capacity: int) -> int:
        """Memory of a slot of so many positions and source places."""
        position = numbers_a_position(self.config) * self.dtype.itemsize
        return int(position * (bucketed(length) + source_capacity))

    def start(self, source_capacity: int) -> None:
        """Begin with empty slots."""
        self.cache = SlotCache(0, self.rows)

    def decoder_prompt(self, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """The ids that the decoder sees before it writes."""
        return tuple(prompt_ids)

    def source_capacity(self, prompt_ids: Sequence[int]) -> int:
        """Places that the prompt takes in cross attention: none."""
        return 0

    def prefill(self, prompt_ids: Sequence[int], begun: Pairs = ()) -> Prefilled:
        """Run a prompt alone, block by block.

        What a block gives depends on the tokens up to its end alone, so a beginning that another
        prompt has read already may be taken over without a bit's difference.

        Args:
            prompt_ids: the whole prompt.
            begun: keys and values of its first positions, some whole blocks but not all tokens.
        """
        if self.fused is not None and self.fused.reads(len(prompt_ids)):
            pairs, logits = self.fused.prefill(torch.tensor(prompt_ids), begun)
            return Prefilled(pairs, (), logits)
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(begun):
            cache.update(keys, values, layer)
        kept = {"logits_to_keep": 1} if "logits_to_keep" in self._accepts else {}
        states: list[Tensor] = []
        for start in range(cache.get_seq_length(), len(prompt_ids), self.block):
            ids = torch.tensor([prompt_ids[start : start + self.block]], device=self.device)
            output = self.model(
                input_ids=ids, past_key_values=cache, use_cache=True, **kept, **self._asked
            )
            if self.keeps_states:
                states.append(output.hidden_states[-1][0])
        last = output.logits[:, -1].clone()
        return Prefilled(_pairs(cache), (), last, torch.cat(states) if states else None)

    @property
    def _asked(self) -> dict[str, bool]:
        return {"output_hidden_states": True} if self.keeps_states else {}

    def block_of(self, length: int) -> int:
        """Tokens that a prompt of this length is read by at a time; 1 where that is all one."""
        return 1 if self.fused is not None and self.fused.reads(length) else self.block

    def fill(self, row: int, prompt: Prefilled) -> None:
        """Copy a prompt into a slot."""
        if not len(self.cache.layers):
            self.cache = SlotCache(len(prompt.pairs), self.rows)
        self.cache.fill(row, prompt.pairs)

    def decode(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        first: int = 0,
        *,
        is_chain: bool = False,
    ) -> Tensor:
        """Feed one token of each row.

        Args:
            tokens: id for each of some consecutive slots; unused slots get any id.
            positions: its position in the row's slot.
            first: the first of these slots.
            is_chain: the tokens follow each other in this one slot. They are fed as rows all the
                same, so that each has the bits that it would have if it were fed alone.

        Returns:
            [rows fed, vocab] logits.
        """
        if self.graphs is not None and not is_chain and not self.keeps_states:
            return self._decode_recorded(self.graphs, tokens, positions, first)
        ids = torch.tensor(tokens, device=self.device)
        places = torch.tensor(positions, device=self.device)
        self.cache.prepare(places, positions, first, is_chain=is_chain)
        if self.fused is not None:
            if self._logits is None:
                # Kept from step to step: one vocabulary for each row takes long to allocate.
                self._logits = torch.empty(self.rows, self.fused.head.outputs, dtype=self.dtype)
            room = self._logits[first : first + len(ids)]
            out = room if len(room) == len(ids) else self._logits.new_empty(len(ids), room.shape[1])
            return self.fused.decode(ids, places, self.cache, out)
        with self._slot_attention():
            return self._forward(ids.unsqueeze(1), places)[:, -1]

    def _decode_recorded(
        self, graphs: StepGraphs, tokens: Sequence[int], positions: Sequence[int], first: int
    ) -> Tensor:
        ids, places = graphs.write(tokens, positions, first)
        self.cache.prepare(places, positions, first)

        def step() -> Tensor:
            with self._slot_attention():
                return self._forward(ids.unsqueeze(1), places)[:, -1]

        shape = (first, len(tokens), self.cache.visible)
        return graphs.run(shape, (id(self.cache), self.cache.capacity), step)

    def _forward(self, ids: Tensor, places: Tensor) -> Tensor:
        output = self.model(
            input_ids=ids,
            position_ids=places.unsqueeze(1),
            attention_mask=self.cache.mask(self.dtype),
            past_key_values=self.cache,
            use_cache=True,
            lengths=Lengths(places + 1, prefixes=self.cache.prefix_reads()),
            **self._asked,
        )
        if self.keeps_states:
            self.states = output.hidden_states[-1][:, -1]
        return torch.as_tensor(output.logits)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot to another one."""
        self.cache.copy(source, target, length)

    def reorder(
        self, rows: Sequence[int], parents: Sequence[int], length: int, agreed: int = 0
    ) -> None:
        """Let slots continue their parents, from which they differ only after `agreed` places."""
        self.cache.reorder(rows, parents, length, agreed)


class EncoderDecoder(DecoderOnly):
    """Forward passes of an encoder-decoder model (T5), whose rows all stand at one position."""

    block = 0  # An encoder reads in both directions: a beginning is not the same by itself.
    is_recordable = False  # The lengths of the sources change from wave to wave.

    def _check(self) -> None:
        start = getattr(self.model.generation_config, "decoder_start_token_id", None)
        if start is None:
            start = getattr(self.model.config, "decoder_start_token_id", None)
        if start is None:
            raise ModelError("the model names no decoder start token", hint="set it in config.json")
        self.decoder_start = int(start)
        self.cross = CrossSlots(0, self.rows, 0)
        self._source_capacity = 0

    def start(self, source_capacity: int) -> None:
        """Begin a wave with empty slots for sources of up to `source_capacity` places."""
        super().start(source_capacity)
        self._source_capacity = source_capacity
        self.cross = CrossSlots(0, self.rows, source_capacity)

    def decoder_prompt(self, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """The decoder sees only its start token."""
        return (self.decoder_start,)

    def source_capacity(self, prompt_ids: Sequence[int]) -> int:
        """Places that the prompt takes in cross attention."""
        return bucketed(len(prompt_ids))

    def prefill(self, prompt_ids: Sequence[int], begun: Pairs = ()) -> Prefilled:
        """Encode a prompt alone and decode its start token."""
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        output = self.model(
            input_ids=torch.tensor([prompt_ids], device=self.device),
            decoder_input_ids=torch.tensor([[self.decoder_start]], device=self.device),
            past_key_values=cache,
            use_cache=True,
            **self._asked,
        )
        own, cross = _pairs(cache.self_attention_cache), _pairs(cache.cross_attention_cache)
        states = output.decoder_hidden_states[-1][0] if self.keeps_states else None
        return Prefilled(own, cross, output.logits[:, -1], states)

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

    def _forward(self, ids: Tensor, places: Tensor) -> Tensor:
        first = self.cache.first
        lengths = torch.tensor(self.cross.lengths[first : first + len(ids)], device=self.device)
        # The encoder's output is only asked for its length: the cross keys are complete.
        source = torch.zeros(1, dtype=self.dtype, device=self.device)
        source = source.expand(len(ids), self._source_capacity, self.config.hidden_size)
        output = self.model(
            decoder_input_ids=ids,
            decoder_attention_mask=self.cache.mask(self.dtype),
            encoder_outputs=BaseModelOutput(last_hidden_state=source),
            attention_mask=self.cross.mask(lengths, self.dtype),
            past_key_values=self.cross.joined(self.cache),
            use_cache=True,
            lengths=Lengths(places + 1, lengths, self.cache.prefix_reads()),
            **self._asked,
        )
        if self.keeps_states:
            self.states = output.decoder_hidden_states[-1][:, -1]
        return torch.as_tensor(output.logits)


def _pairs(cache: Any) -> Pairs:
    return tuple((layer.keys, layer.values) for layer in cache.layers)
