"""The fused forward pass of models of the Llama family, in few compiled calls.

It uses the weights of the transformers model in place, with joined matrices and without the many
small operations of the model classes. It is compared with transformers when it is made; models that
it does not support, or on which the two differ, run on transformers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ethogram.engine import native
from ethogram.engine.forward.compiled_layers import CompiledLayers
from ethogram.engine.forward.kv_cache import Pairs, SlotCache, bucketed
from ethogram.engine.forward.linear import Linear, has_own_kernel, join
from ethogram.engine.forward.shared_prefixes import PrefixReads, addresses
from ethogram.engine.native.layer_kernels import DTYPES, LayerKernels, strides
from ethogram.engine.threads import AdaptiveThreads

_MODELS = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM")
#: Rotary embeddings whose angles do not depend on the length of the sequence.
_FIXED_ROPES = ("default", "linear", "llama3", "yarn")
#: Rows of a prompt that go through the layers at once: enough for the matrix products to run at
#: full speed, and few enough for the activations to stay in the second-level cache.
_CHUNK = 192
#: Longest prompt that it runs itself. Its attention reads the prompt once for each token, torch's
#: once for a block of tokens: 1.9 times as fast as transformers at 20 tokens, 1.2 times at
#: 250, no faster at 800.
_LONGEST_PROMPT = 256
#: Norm of the difference to transformers' logits over their own, on random tokens. Measured: 1e-6
#: in fp32 and 1e-2 in bf16, where each result is rounded to 8 bits; a wrong layer is beyond 0.1.
_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.05}
_CHECKED_TOKENS = 24

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Layer:
    attention_norm: Tensor
    qkv: Linear
    output: Linear
    mlp_norm: Tensor
    gate_up: Linear
    down: Linear


class _Step:
    """Rows on their way through the layers where torch multiplies: buffers and their addresses.

    Addresses are taken once for all layers: getting them from tensors took longer than some
    kernels.

    Args:
        fused: the model.
        residual: [rows, hidden] embeddings, which the layers add to in place.
        positions: [rows] int64 positions.
    """

    def __init__(self, fused: FusedLlama, residual: Tensor, positions: Tensor) -> None:
        self._model, self._kernels, self._threads = fused, fused.kernels, torch.get_num_threads()
        self._rows, self._residual, self._positions = len(residual), residual, positions
        self._lengths = positions + 1
        make, heads = residual.new_empty, fused.heads * fused.dim
        self._normed, self._added = make(residual.shape), make(residual.shape)
        self._joined = make((self._rows, heads + 2 * fused.kv_heads * fused.dim))
        self._query, self._mixed = make((self._rows, heads)), make((self._rows, heads))
        self._gate_up = make((self._rows, fused.layers[0].gate_up.outputs))
        self._activated = make((self._rows, fused.layers[0].down.inputs))
        self._at_residual, self._at_normed = residual.data_ptr(), self._normed.data_ptr()
        self._at_added, self._at_query = self._added.data_ptr(), self._query.data_ptr()
        self._at_joined, self._at_mixed = self._joined.data_ptr(), self._mixed.data_ptr()
        self._pending: int | None = None

    def bind_slots(
        self,
        slots: tuple[Tensor, Tensor],
        first: int,
        *,
        same_slot: bool,
        prefixes: PrefixReads | None = None,
    ) -> None:
        """Set where the rows read and write: consecutive slots, or all the first one."""
        self._prefixes = prefixes
        self._at_prefixes = addresses(prefixes)
        steps = [side.stride() for side in slots]
        size = self._residual.element_size()
        self._offsets = [first * step[0] * size for step in steps]
        self._strides = [strides(0 if same_slot else step[0], *step[1:3]) for step in steps]

    def norm(self, weight: Tensor) -> Tensor:
        """Add the pending product to the residual and norm it; returns [rows, hidden]."""
        self._kernels.norm(
            *(self._at_residual, self._pending, weight.data_ptr(), self._at_normed),
            *(self._rows, self._residual.shape[1], self._model.epsilon, self._threads),
        )
        return self._normed

    def attend(self, layer: _Layer, keys: Tensor, values: Tensor) -> None:
        """Write keys and values into the slots and attend over them."""
        fused = self._model
        key, value = keys.data_ptr() + self._offsets[0], values.data_ptr() + self._offsets[1]
        layer.qkv(self.norm(layer.attention_norm), self._joined)
        shape = (self._rows, fused.heads, fused.kv_heads, fused.dim)
        self._kernels.rotate(
            *(self._at_joined, fused.cosines.data_ptr(), fused.sines.data_ptr()),
            *(self._positions.data_ptr(), self._at_query, key, value, *self._strides, *shape),
            self._threads,
        )
        failed = self._kernels.attend(
            *(self._at_query, key, value, self._at_mixed, None, 0, self._lengths.data_ptr()),
            *(*self._at_prefixes, *shape, *self._strides, fused.scale, self._threads),
        )
        if failed:
            raise MemoryError("not enough memory for attention scores")
        layer.output(self._mixed, self._added)
        self._pending = self._at_added

    def feed_forward(self, layer: _Layer) -> None:
        """The gated MLP after attention."""
        layer.gate_up(self.norm(layer.mlp_norm), self._gate_up)
        into, width = self._activated.data_ptr(), self._activated.shape[1]
        self._kernels.activate(self._gate_up.data_ptr(), into, self._rows, width, self._threads)
        layer.down(self._activated, self._added)


class FusedLlama:
    """The fused form of a model; made by `fuse`.

    Args:
        model: a transformers model for which `is_known` is true.
        kernels: for its type of number.

    Attributes:
        is_row_independent: whether it is batch-invariant by construction.
        products: its matrix products.
        threads: chooses how many compute, where that changes no bit.
        cosines: [positions, half a head] of the rotary angles, as far as they were needed.
        sines: like `cosines`.
    """

    def __init__(self, model: Any, kernels: LayerKernels) -> None:
        config = model.config
        self.kernels, self.dtype = kernels, model.dtype
        self.is_row_independent = has_own_kernel(self.dtype)
        own = kernels if self.is_row_independent else None
        attention = model.model.layers[0].self_attn
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.dim, self.scale = attention.head_dim, float(attention.scaling)
        self.epsilon = float(model.model.norm.variance_epsilon)
        self.embedding = model.model.embed_tokens.weight.detach()
        self.norm = model.model.norm.weight.detach()
        self.head = Linear(model.lm_head.weight.detach(), _detached(model.lm_head.bias), own)
        self.layers = [_layer(part, own) for part in model.model.layers]
        self.products = [
            self.head,
            *(
                product
                for layer in self.layers
                for product in (layer.qkv, layer.output, layer.gate_up, layer.down)
            ),
        ]
        self.threads = AdaptiveThreads()
        self._rotary = model.model.rotary_emb
        self.cosines = self.sines = torch.empty(0, self.dim // 2)

    def decode(self, ids: Tensor, positions: Tensor, cache: SlotCache, out: Tensor) -> Tensor:
        """Run one token of each of some consecutive slots.

        Args:
            ids: [rows] int64.
            positions: [rows] int64, the position of each in its slot; `cache` is prepared for it.
            cache: the slots.
            out: [rows, vocab], for the logits.

        Returns:
            `out`.
        """
        layers = [(layer.keys, layer.values) for layer in cache.layers]
        self._hidden(
            *(ids, positions, layers, cache.first),
            same_slot=cache.same_slot,
            prefixes=cache.prefix_reads(),
            logits=out,
        )
        return out

    def reads(self, length: int) -> bool:
        """Whether prompts of this length run here rather than by transformers.

        Only the length decides, so that a prompt has the same bits in any batch.
        """
        return self.is_row_independent and length <= _LONGEST_PROMPT

    def prefill(self, ids: Tensor, cached: Pairs = ()) -> tuple[Pairs, Tensor]:
        """Run a prompt, a chunk at a time; the bits do not depend on the chunks.

        Args:
            ids: [length] int64.
            cached: keys and values of a prefix of it, not of all of it.

        Returns:
            Keys and values of each layer, [1, heads, length, dim], and the logits [1, vocab] of
            the token after the prompt.
        """
        layers = self._empty(len(ids))
        known = cached[0][0].shape[2] if cached else 0
        for pair, cached_pair in zip(layers, cached, strict=False):
            for empty, made in zip(pair, cached_pair, strict=True):
                empty[:, :, :known] = made
        hidden = self.embedding.new_empty(0)
        with self.threads.step():
            for start in range(known, len(ids), _CHUNK):
                positions = torch.arange(start, min(start + _CHUNK, len(ids)))
                hidden = self._hidden(ids[positions], positions, layers, same_slot=True)
            return layers, self.head(hidden[-1:])

    def logits(self, ids: Tensor, prompt: int) -> Tensor:
        """Run a sequence as the engine does: a prompt at once, then token by token.

        Args:
            ids: [length] int64.
            prompt: how many of them are the prompt.

        Returns:
            [length, vocab], of the token after each.
        """
        layers = self._empty(len(ids))
        positions = torch.arange(len(ids))
        parts = [positions[:prompt], *(positions[i : i + 1] for i in range(prompt, len(ids)))]
        return torch.cat(
            [self.head(self._hidden(ids[part], part, layers, same_slot=True)) for part in parts]
        )

    def _empty(self, length: int) -> Pairs:
        shape = (1, self.kv_heads, length, self.dim)
        return [
            (torch.empty(shape, dtype=self.dtype), torch.empty(shape, dtype=self.dtype))
            for _ in self.layers
        ]

    def _hidden(
        self,
        ids: Tensor,
        positions: Tensor,
        slots: Pairs,
        first: int = 0,
        *,
        same_slot: bool,
        prefixes: PrefixReads | None = None,
        logits: Tensor | None = None,
    ) -> Tensor:
        """The normed output [rows, hidden] of the last layer.

        Args:
            ids: [rows] int64.
            positions: [rows] int64, the position of each; it sees those up to its own.
            slots: where keys and values go.
            first: slot of the first row.
            same_slot: whether all rows share that slot.
            prefixes: where the rows read their first positions; None for each its own.
            logits: [rows, vocab], to be filled, or None.
        """
        self._extend_rotary(int(positions.max()) + 1)
        residual = functional.embedding(ids, self.embedding)
        if self.is_row_independent:
            return self.compiled.run(
                *(residual, positions, slots, first),
                same_slot=same_slot,
                prefixes=prefixes,
                threads=torch.get_num_threads(),
                logits=logits,
            )
        step = _Step(self, residual, positions)
        step.bind_slots(slots[0], first, same_slot=same_slot, prefixes=prefixes)
        for layer, (keys, values) in zip(self.layers, slots, strict=True):
            step.attend(layer, keys, values)
            step.feed_forward(layer)
        hidden = step.norm(self.norm)
        if logits is not None:
            self.head(hidden, logits)
        return hidden

    @cached_property
    def compiled(self) -> CompiledLayers:
        """All layers in one call, where the products are our own."""
        return CompiledLayers(self, self.kernels)

    def _extend_rotary(self, length: int) -> None:
        """Compute the angles of so many positions, by the model's own module."""
        if length > len(self.cosines):
            positions = torch.arange(bucketed(2 * length)).unsqueeze(0)
            half = self.dim // 2
            self.cosines, self.sines = (
                table[0, :, :half].float().contiguous()
                for table in self._rotary(self.embedding[:1], positions)
            )


def fuse(model: Any) -> FusedLlama | None:
    """Fuse a model.

    Args:
        model: a transformers module.

    Returns:
        None if the model or the processor is not supported, or if the logits differ from those of
        transformers.
    """
    library = native.library() if is_known(model) else None
    if library is None:
        return None
    fused = FusedLlama(model, LayerKernels(library, model.dtype))
    difference = _difference(fused, model)
    if difference <= _TOLERANCE[fused.dtype]:  # false for NaN
        return fused
    _log.warning(
        "the fused forward pass of %s differs from transformers by %.2g; running on transformers",
        type(model).__name__,
        difference,
    )
    return None


def is_known(model: Any) -> bool:
    """Whether a model has the layers that `FusedLlama` computes, and nothing else."""
    kind = type(model)
    if kind.__name__ not in _MODELS or not kind.__module__.startswith("transformers.models."):
        return False
    config, rotary = model.config, model.model.rotary_emb
    weights = list(model.parameters())
    dtype = weights[0].dtype
    plain = (torch.nn.Linear, torch.nn.Embedding)
    return (
        dtype in DTYPES
        and all(weight.dtype == dtype and weight.is_cpu for weight in weights)
        and not any(weight.is_inference() for weight in weights)  # which cannot be joined
        and config._attn_implementation == "sdpa"
        and config.hidden_act == "silu"
        and rotary.rope_type in _FIXED_ROPES
        and 2 * len(rotary.inv_freq) == model.model.layers[0].self_attn.head_dim
        and not any(_is_hooked(part) for part in model.modules())
        and all(
            type(part) in plain
            for part in model.modules()
            if next(part.parameters(recurse=False), None) is not None
            and not type(part).__name__.endswith("RMSNorm")
        )
    )


def _is_hooked(part: Any) -> bool:
    """Whether a module has hooks other than those by which transformers captures outputs.

    These stay once it was called for hidden states; they change nothing.
    """
    hooks = (*part._forward_hooks.values(), *part._forward_pre_hooks.values())
    return any(hook.__module__ != "transformers.utils.output_capturing" for hook in hooks)


def _layer(part: Any, kernels: LayerKernels | None) -> _Layer:
    attention, mlp = part.self_attn, part.mlp
    return _Layer(
        attention_norm=part.input_layernorm.weight.detach(),
        qkv=join((attention.q_proj, attention.k_proj, attention.v_proj), kernels),
        output=join((attention.o_proj,), kernels),
        mlp_norm=part.post_attention_layernorm.weight.detach(),
        gate_up=join((mlp.gate_proj, mlp.up_proj), kernels),
        down=join((mlp.down_proj,), kernels),
    )


def _detached(weight: Tensor | None) -> Tensor | None:
    return None if weight is None else weight.detach()


@torch.inference_mode()
def _difference(fused: FusedLlama, model: Any) -> float:
    """Norm of the difference of the logits over random tokens, over that of transformers'."""
    # No longer than a sliding window, within which the engine keeps such models.
    length = min(_CHECKED_TOKENS, getattr(model.config, "sliding_window", None) or _CHECKED_TOKENS)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(len(fused.embedding), (length,), generator=generator)
    expected = model(input_ids=ids.unsqueeze(0)).logits[0].float()
    made = fused.logits(ids, prompt=-(-length // 2)).float()
    return float((made - expected).norm() / expected.norm())
