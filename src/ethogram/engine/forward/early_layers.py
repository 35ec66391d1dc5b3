"""Early layers as a second view, for DoLa. Knows hidden states and the output embedding.

Outputs that ask for it run in a batch of their own, through the model classes of transformers,
which show their hidden states; so nothing that speeds up the others depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from ethogram.engine.forward.batch_invariance import RowClass
from ethogram.engine.forward.decode_attention import Lengths
from ethogram.engine.forward.kv_cache import Pairs
from ethogram.engine.forward.passes import DecoderOnly, Prefilled, ServedModel
from ethogram.errors import RequestError
from ethogram.spec.guidance import EarlyLayers

#: Of deeper models, transformers looks at the first or last so many layers alone.
_DEEP, _DEEP_SPAN = 40, 20


def early_layers(loaded: ServedModel, layers: EarlyLayers) -> tuple[int, ...]:
    """The layers to choose from, as transformers 4.55.4 resolves `dola_layers`; 0 is the embedding.

    Raises:
        RequestError: the model has no such layer, or none to choose from.
    """
    config = loaded.model.config
    depth = int(config.get_text_config().num_hidden_layers)
    if loaded.model.get_output_embeddings() is None:
        raise _refusal("the model has no output embeddings to read its layers with")
    if not isinstance(layers.chosen, str):
        if max(layers.chosen) >= depth:
            what = f"layer {max(layers.chosen)} is not an early one of the model's {depth}"
            raise _refusal(what, hint=f"use numbers from 0 to {depth - 1}")
        return layers.chosen
    if layers.chosen == "high":
        return tuple(range(depth // 2 if depth <= _DEEP else depth - _DEEP_SPAN, depth, 2))
    # Read with tied weights, the embedding only says which token was fed.
    start = 0 if not config.tie_word_embeddings else 2 if depth > 2 else depth // 2
    if start == depth // 2:
        return (start,)
    found = tuple(range(start, depth // 2 if depth <= _DEEP else _DEEP_SPAN, 2))
    if not found:
        what = f"a model of {depth} layers has no low ones to choose from"
        raise _refusal(what, hint=f"use high, or numbers from 0 to {depth - 1}")
    return found


def _refusal(what: str, hint: str = "turn it off") -> RequestError:
    return RequestError(what, where="decoding.dola_layers", hint=hint)


@dataclass(frozen=True, slots=True)
class LayeredPrompt(Prefilled):
    """A prefilled prompt with the states that its last token had.

    Attributes:
        states: [layers + 1, hidden], the embedding first.
    """

    states: Tensor


class LayeredDecoder(DecoderOnly):
    """A decoder-only model that keeps what each layer made of each slot's last token.

    Args:
        loaded: the model.
        slots: number of slots.
        rows: how many rows a matrix product may have.
    """

    def __init__(self, loaded: ServedModel, slots: int, rows: RowClass) -> None:
        super().__init__(loaded, slots)
        self._rows = rows
        self._head = loaded.model.get_output_embeddings()
        depth, width = self.config.num_hidden_layers, self.config.hidden_size
        #: [layers + 1, slots, hidden]: part of a slot as its keys and values are.
        self._states = torch.zeros(depth + 1, slots, width, dtype=self.dtype, device=self.device)

    def slot_bytes(self, length: int, source_capacity: int) -> int:
        """Memory of a slot of so many positions, with the states of its last token."""
        states = self._states.shape[0] * self._states.shape[2] * self.dtype.itemsize
        return super().slot_bytes(length, source_capacity) + int(states)

    def prefill(self, prompt_ids: Sequence[int], begun: Pairs = ()) -> LayeredPrompt:
        """Run a prompt alone, block by block; arguments are those of `DecoderOnly.prefill`."""
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(begun):
            cache.update(keys, values, layer)
        kept = {"logits_to_keep": 1} if "logits_to_keep" in self._accepts else {}
        for start in range(cache.get_seq_length(), len(prompt_ids), self.block):
            ids = torch.tensor([prompt_ids[start : start + self.block]], device=self.device)
            output = self.model(
                input_ids=ids,
                past_key_values=cache,
                use_cache=True,
                output_hidden_states=True,
                **kept,
            )
        pairs = tuple((layer.keys, layer.values) for layer in cache.layers)
        states = torch.stack([state[0, -1] for state in output.hidden_states])
        return LayeredPrompt(pairs, (), output.logits[:, -1].clone(), states)

    def fill(self, row: int, prompt: Prefilled) -> None:
        """Copy a prompt into a slot."""
        super().fill(row, prompt)
        assert isinstance(prompt, LayeredPrompt)
        self._states[:, row] = prompt.states

    def decode(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        first: int = 0,
        *,
        is_chain: bool = False,
    ) -> Tensor:
        """Feed one token of each row; arguments and result are those of `DecoderOnly.decode`."""
        assert not is_chain  # Its outputs have second views, for which nothing is guessed.
        ids = torch.tensor(tokens, device=self.device).unsqueeze(1)
        places = torch.tensor(positions, device=self.device)
        self.cache.prepare(places, positions, first)
        with self._slot_attention():
            output = self.model(
                input_ids=ids,
                position_ids=places.unsqueeze(1),
                attention_mask=self.cache.mask(self.dtype),
                past_key_values=self.cache,
                use_cache=True,
                lengths=Lengths(places + 1, prefixes=self.cache.prefix_reads()),
                output_hidden_states=True,
            )
        states = torch.stack([state[:, -1] for state in output.hidden_states])
        self._states[:, first : first + len(tokens)] = states
        return torch.as_tensor(output.logits)[:, -1]

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot, and its states, to another one."""
        super().copy(source, target, length)
        self._states[:, target] = self._states[:, source]

    def early(self, slots: Sequence[int], layers: Sequence[int]) -> Iterator[Tensor]:
        """Read early layers with the output embedding, without the last norm, as transformers does.

        Args:
            slots: whose last tokens.
            layers: which layers, 0 being the embedding.

        Yields:
            [slots, vocab] fp32 logits for each layer.
        """
        places = torch.tensor(slots, device=self.device)
        for layer in layers:
            yield self._read(self._states[layer, places])

    def _read(self, states: Tensor) -> Tensor:
        """[rows, hidden] to [rows, vocab] fp32, in parts whose numbers of rows are allowed."""
        made = []
        for part in torch.split(states, self._rows.most):
            padding = self._rows.padded(len(part)) - len(part)
            fed = torch.nn.functional.pad(part, (0, 0, 0, padding))
            made.append(self._head(fed)[: len(part)].float())
        return torch.cat(made)
