"""The interface of a forward pass: a prompt alone, then one token of each slot.

A prompt is prefilled alone and in chunks of fixed size, since torch's matrix products round
differently for another number of rows. The caller keeps decode steps to invariant batch sizes for
the same reason. A fused model whose rows are independent of each other needs neither.
"""

from __future__ import annotations

import inspect
import warnings
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol, TypeVar

from torch import Tensor

from ethogram.engine.forward.cuda_graphs import CudaGraphCapturer, StepGraphs
from ethogram.engine.forward.decode_attention import AttentionSwitch
from ethogram.engine.forward.kv_cache import Pairs, SlotCache, bucketed
from ethogram.engine.forward.support import numbers_a_position

# transformers renames the argument. Both names are accepted; there is nothing for a user to do.
warnings.filterwarnings("ignore", "`past_key_values` is deprecated", FutureWarning)


_Result = TypeVar("_Result")


class ServedModel(Protocol):
    """What the engine needs of a loaded model; `ethogram.models.LoadedModel` has it."""

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
    """A prompt's KV cache and first logits, ready to be copied into any number of slots.

    Attributes:
        prefix_id: the same for copies of the same keys and values, and for no others of one
            forward pass: slots filled under one id share a prefix.
        pairs: keys and values of the decoder, one pair a layer, each [1, heads, length, dim].
        cross: keys and values of the encoded source; empty for decoder-only models.
        logits: [1, vocab] of the token after the prompt.
        states: last hidden states of what the decoder read, [positions, width], where the forward
            pass keeps them.
    """

    prefix_id: int
    pairs: Pairs
    cross: Pairs
    logits: Tensor
    states: Tensor | None = None


class ForwardPass(ABC):
    """Forward passes of one model over slots.

    Args:
        loaded: the model.
        rows: number of slots.

    Attributes:
        chunk: tokens of a prompt that are run at a time; prompts share whole chunks. 0 where a
            prompt shares nothing.
        reserved: positions of each slot for which a live batch reserves addresses, where the system
            gives memory by the page; 0 for slots that grow with the longest row.
        keeps_states: whether to keep the last hidden states, which changes nothing else.
        states: [rows run, width] of the last call of `decode`, where they are kept.

    Raises:
        ModelError: the architecture cannot be run row by row in one batch.
    """

    chunk: int
    #: Whether a decode step depends on nothing but tokens, positions and slots that can change,
    #: so that it can be captured as a CUDA graph.
    uses_cuda_graphs: bool

    def __init__(self, loaded: ServedModel, rows: int) -> None:
        self.keeps_states = False
        self.reserved = 0
        self.states: Tensor | None = None
        self.model = loaded.model
        self.rows = rows
        self.config = loaded.model.config.get_text_config(decoder=True)
        self.dtype, self.device = loaded.model.dtype, loaded.model.device
        self.context_length = loaded.context_length
        self.cache = SlotCache(0, rows)
        self._prefix_ids = count()
        self._accepts = set(inspect.signature(loaded.model.forward).parameters)
        self._check()
        self._slot_attention = AttentionSwitch(loaded.model)
        self.graphs: StepGraphs | None = None
        if self.device.type == "cuda" and self.uses_cuda_graphs:
            self.graphs = StepGraphs(CudaGraphCapturer(), rows, self.device)

    @abstractmethod
    def _check(self) -> None:
        """Refuse an architecture that cannot be batched."""

    @abstractmethod
    def decoder_prompt(self, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """The ids that the decoder reads before it generates."""

    @abstractmethod
    def source_capacity(self, prompt_ids: Sequence[int]) -> int:
        """Positions that the prompt takes in cross attention."""

    @abstractmethod
    def prefill(self, prompt_ids: Sequence[int], cached: Pairs = ()) -> Prefilled:
        """Run a prompt alone.

        Args:
            prompt_ids: the whole prompt.
            cached: keys and values of a prefix of it, whole chunks but not all tokens.
        """

    @abstractmethod
    def decode(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        first: int = 0,
        *,
        same_slot: bool = False,
    ) -> Tensor:
        """Run one token of each row.

        Args:
            tokens: id for each of some consecutive slots; unused slots get any id.
            positions: its position in the row's slot.
            first: the first of these slots.
            same_slot: the tokens are consecutive ones of this one slot. They still run as rows, so
                that each has the bits that it has alone.

        Returns:
            [rows run, vocab] logits.
        """

    def slot_bytes(self, length: int, source_capacity: int) -> int:
        """Memory of a slot of so many positions and source positions."""
        position = numbers_a_position(self.config) * self.dtype.itemsize
        return int(position * (bucketed(length) + source_capacity))

    def start(self, source_capacity: int) -> None:
        """Start with empty slots."""
        self.cache = self._new_cache(0)

    def _new_cache(self, layers: int) -> SlotCache:
        return SlotCache(layers, self.rows, self.reserved if self.device.type == "cpu" else 0)

    def prefill_in_parts(
        self, prompt_ids: Sequence[int], cached: Pairs = ()
    ) -> Generator[int, None, Prefilled]:
        """Run a prompt alone and stop after each chunk but the last; the same bits as `prefill`.

        Yields:
            How many tokens were run.
        """
        return self.prefill(prompt_ids, cached)
        yield  # Models that run a prompt at once never stop.

    def chunk_size(self, length: int) -> int:
        """Tokens that a prompt of this length is run at a time; 1 where any number is the same."""
        return self.chunk

    def fill(self, row: int, prompt: Prefilled) -> None:
        """Copy a prompt into a slot."""
        if not len(self.cache.layers):
            self.cache = self._new_cache(len(prompt.pairs))
        self.cache.fill(row, prompt.pairs, prompt.prefix_id)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot to another one."""
        self.cache.copy(source, target, length)

    def release(self, row: int, length: int) -> None:
        """A slot of so many written positions fell free."""
        self.cache.release(row, length)

    def reorder(
        self, rows: Sequence[int], parents: Sequence[int], length: int, shared_length: int = 0
    ) -> None:
        """Let slots continue their parents; the first `shared_length` positions are equal."""
        self.cache.reorder(rows, parents, length, shared_length)

    @property
    def _wanted(self) -> dict[str, bool]:
        """Outputs that the model is called for besides logits."""
        return {"output_hidden_states": True} if self.keeps_states else {}


def pairs_of(cache: Any) -> Pairs:
    """Keys and values of each layer of a transformers cache."""
    return tuple((layer.keys, layer.values) for layer in cache.layers)


def finished(parts: Generator[int, None, _Result]) -> _Result:
    """What a prefill in parts returns, run to its end without a stop."""
    while True:
        try:
            next(parts)
        except StopIteration as end:
            result: _Result = end.value
            return result
