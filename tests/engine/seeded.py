"""Tiny models whose weights are drawn by numpy: the same in any version of transformers."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import torch
import transformers

VOCAB = 96


def config(kind: str, layers: int, tied: bool) -> Any:
    """A configuration of a kind (gpt2, gpt_neox or llama) without an end of sequence."""
    common: dict[str, Any] = {
        "vocab_size": VOCAB,
        "tie_word_embeddings": tied,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": 0,
    }
    if kind == "gpt2":
        return transformers.GPT2Config(
            n_positions=128, n_embd=32, n_layer=layers, n_head=4, **common
        )
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 128,
    }
    if kind == "gpt_neox":
        return transformers.GPTNeoXConfig(**sizes, **common)
    return transformers.LlamaConfig(num_key_value_heads=2, **sizes, **common)


def model(kind: str, layers: int, tied: bool, seed: int) -> Any:
    """A model in eval mode, fp32; each weight depends on the seed and its own name alone."""
    made = transformers.AutoModelForCausalLM.from_config(config(kind, layers, tied))
    with torch.no_grad():
        for full_name, weight in sorted(made.named_parameters()):
            name = full_name.replace("embed_out", "lm_head")  # As GPT-NeoX's was called before 5.
            draw = np.random.default_rng([seed, zlib.crc32(name.encode())]).random(weight.shape)
            spread = 1.0 if weight.dim() > 1 else 0.1
            centre = 1.0 if weight.dim() == 1 and name.endswith("weight") else 0.0
            weight.copy_(torch.from_numpy(centre + spread * (2 * draw - 1)))
    return made.float().eval()
