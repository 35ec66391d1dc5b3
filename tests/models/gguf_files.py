"""GGUF files written from loaded models, as llama.cpp's converter lays them out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "model.layers.": "blk.",
}


def _interleaved(weight: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Rows of a query or key projection in GGML's order of rotary pairs."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, weight.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))


def write_gguf(
    path: Path,
    source: Any,
    *,
    pre: str | None,
    part: tuple[int, int] | None = None,
    more: Mapping[str, int] | None = None,
    tensors: Mapping[str, np.ndarray[Any, Any]] | None = None,
    without: str | None = None,
    adds_bos: bool | None = False,
) -> None:
    """Write a loaded LLaMA model as GGUF, as llama.cpp's converter lays it out.

    Args:
        path: the file.
        source: the loaded model.
        pre: name of the pre-tokenizer, if it names one.
        part: number and count of a split file, which holds every so-manieth tensor.
        more: further ids, by the name that the writer gives them.
        tensors: further tensors.
        without: the name of a tensor to leave out.
        adds_bos: whether a prompt begins with the begin token; None leaves that open.
    """
    config = source.model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    _write_tokenizer(writer, source.tokenizer, pre)
    if adds_bos is not None:
        writer.add_add_bos_token(adds_bos)
    for name, token in (more or {}).items():
        getattr(writer, f"add_{name}_token_id")(token)
    for name, values in (tensors or {}).items():
        writer.add_tensor(name, values)
    if part is not None:
        writer.add_uint16("split.no", part[0])
        writer.add_uint16("split.count", part[1])
    for at, (name, tensor) in enumerate(source.model.state_dict().items()):
        if name == without or (part is not None and at % part[1] != part[0]):
            continue
        weight = tensor.numpy()
        if "q_proj" in name:
            weight = _interleaved(weight, config.num_attention_heads)
        elif "k_proj" in name:
            weight = _interleaved(weight, config.num_key_value_heads)
        for ours, theirs in NAMES.items():
            name = name.replace(ours, theirs)
        if name != "lm_head.weight":
            writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_tokenizer(writer: Any, tokenizer: Any, pre: str | None) -> None:
    import json

    inner = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    tokens = sorted(inner["vocab"], key=inner["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    if pre is not None:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in ("<pad>", "<eos>") else 1 for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in inner["merges"]])
    writer.add_eos_token_id(1)
    writer.add_pad_token_id(0)
