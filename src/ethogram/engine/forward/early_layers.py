"""Early layers as a guidance branch, for DoLa.

Outputs that need them run in a batch of their own, through the model classes of transformers, which
return hidden states; so the fast path of all other outputs does not depend on them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ethogram.engine.forward.batch_invariance import BatchSizes
from ethogram.engine.forward.decoder_only import DecoderOnly, cache_of
from ethogram.engine.forward.kv_cache import Pairs
from ethogram.engine.forward.passes import Prefilled, ServedModel, pairs_of
from ethogram.errors import RequestError
from ethogram.spec.guidance import EarlyLayers

#: Of deeper models, transformers considers only the first or last so many layers.
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
    # Read with tied weights, the embedding only gives the input token back.
    start = 0 if not config.tie_word_embeddings else 2 if depth > 2 else depth // 2
    if start == depth // 2:
        return (start,)
    found = tuple(range(start, depth // 2 if depth <= _DEEP else _DEEP_SPAN, 2))
    if not found:
        what = f"a model of {depth} layers has no low layers to choose from"
        raise _refusal(what, hint=f"use high, or numbers from 0 to {depth - 1}")
    return found


def _refusal(what: str, hint: str = "turn it off") -> RequestError:
    return RequestError(what, where="decoding.dola_layers", hint=hint)


@dataclass(frozen=True, slots=True)
class LayeredPrompt(Prefilled):
    """A prefilled prompt with the hidden states of its last token.

    Attributes:
        layer_states: [layers + 1, width], the embedding first.
    """

    layer_states: Tensor = field(kw_only=True)


class LayeredDecoder(DecoderOnly):
    """A decoder-only model that keeps the hidden states of each slot's last token.

    Args:
        loaded: the model.
        slots: number of slots.
        sizes: allowed batch sizes of a matrix product.
    """

    uses_cuda_graphs = False  # Each step writes hidden states that are read between steps.

    def __init__(self, loaded: ServedModel, slots: int, sizes: BatchSizes) -> None:
        super().__init__(loaded, slots)
        self._sizes = sizes
        self._head = loaded.model.get_output_embeddings()
        depth, width = self.config.num_hidden_layers, self.config.hidden_size
        #: [layers + 1, slots, width]: part of a slot as its keys and values are.
        self._layer_states = torch.zeros(
            depth + 1, slots, width, dtype=self.dtype, device=self.device
        )

    @property
    def _wanted(self) -> dict[str, bool]:
        return {"output_hidden_states": True}

    def slot_bytes(self, length: int, source_capacity: int) -> int:
        """Memory of a slot of so many positions, with the states of its last token."""
        layers, _, width = self._layer_states.shape
        states = layers * width * self.dtype.itemsize
        return super().slot_bytes(length, source_capacity) + int(states)

    def prefill_in_parts(
        self, prompt_ids: Sequence[int], cached: Pairs = ()
    ) -> Generator[int, None, LayeredPrompt]:
        """Run a prompt alone, chunk by chunk; arguments are those of `ForwardPass.prefill`."""
        cache = cache_of(cached)
        for output in self._chunks(prompt_ids, cache):
            last = output
        logits = last.logits[:, -1].clone()
        states = torch.stack([state[0, -1] for state in last.hidden_states])
        return LayeredPrompt(
            next(self._prefix_ids), pairs_of(cache), (), logits, layer_states=states
        )
        yield  # It runs in batches whose requests are all known, so it never has to stop.

    def fill(self, row: int, prompt: Prefilled) -> None:
        """Copy a prompt into a slot."""
        super().fill(row, prompt)
        assert isinstance(prompt, LayeredPrompt)
        self._layer_states[:, row] = prompt.layer_states

    def _keep_states(self, output: Any) -> None:
        first = self.cache.first
        states = torch.stack([state[:, -1] for state in output.hidden_states])
        self._layer_states[:, first : first + states.shape[1]] = states

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot, and its states, to another one."""
        super().copy(source, target, length)
        self._layer_states[:, target] = self._layer_states[:, source]

    def early(self, slots: Sequence[int], layers: Sequence[int]) -> Iterator[Tensor]:
        """Logits of early layers: their states times the output embedding, without the last norm.

        As in transformers.

        Args:
            slots: whose last tokens.
            layers: which layers, 0 being the embedding.

        Yields:
            [slots, vocab] fp32 logits for each layer.
        """
        where = torch.tensor(slots, device=self.device)
        for layer in layers:
            yield self._read(self._layer_states[layer, where])

    def _read(self, states: Tensor) -> Tensor:
        """[rows, width] to [rows, vocab] fp32, in parts of an allowed batch size."""
        made = []
        for part in torch.split(states, self._sizes.largest):
            padding = self._sizes.padded(len(part)) - len(part)
            padded = torch.nn.functional.pad(part, (0, 0, 0, padding))
            made.append(self._head(padded)[: len(part)].float())
        return torch.cat(made)
