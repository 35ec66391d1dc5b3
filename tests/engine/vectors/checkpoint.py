"""Tiny checkpoints made of a numpy seed, the same under every release of transformers.

Recorded vectors name the kind and the seed; no weights are shipped. Only numpy, torch and
transformers are imported, so that old environments can use it.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import torch
import transformers

VOCAB = 97
PAD, EOS = 0, 1


def build(kind: str, seed: int) -> Any:
    """A model of a kind (gpt2, llama or t5) in eval mode, fp32."""
    model = _empty(kind).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            # Keyed by name: the order of parameters is no part of any release's promise.
            random = np.random.default_rng([seed, zlib.crc32(name.encode())])
            uniform = random.random(tuple(weight.shape)) * 2 - 1
            weight.copy_(torch.from_numpy(_scaled(name, uniform)))
    return model


def _scaled(name: str, uniform: np.ndarray) -> np.ndarray:
    """Weights under which outputs differ by prompt and the distribution is neither flat nor one."""
    if uniform.ndim == 1:
        is_scale = "norm" in name.lower() or ".ln_" in name
        return 1 + 0.2 * uniform if is_scale and name.endswith("weight") else 0.2 * uniform
    if "relative_attention_bias" in name:
        return uniform
    is_embedding = any(part in name for part in ("wte", "wpe", "embed_tokens", "shared"))
    return uniform * (0.8 if is_embedding else 2.5 / np.sqrt(max(uniform.shape)))


def _empty(kind: str) -> Any:
    ids = {"bos_token_id": EOS, "eos_token_id": EOS, "pad_token_id": PAD}
    if kind == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=VOCAB, n_positions=128, n_embd=32, n_layer=2, n_head=4, **ids
        )
        return transformers.GPT2LMHeadModel(config)
    if kind == "llama":
        config = transformers.LlamaConfig(
            vocab_size=VOCAB,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=64,
            max_position_embeddings=128,
            **ids,
        )
        return transformers.LlamaForCausalLM(config)
    config = transformers.T5Config(
        vocab_size=VOCAB,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=PAD,
        eos_token_id=EOS,
        pad_token_id=PAD,
    )
    return transformers.T5ForConditionalGeneration(config)
