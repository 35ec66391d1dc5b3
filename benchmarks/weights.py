"""The same weights in each form that a peer reads: float32 and bf16 safetensors, bf16 GGUF.

OpenVINO's and CTranslate2's forms are made by those peers' own converters, in their environments.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

#: Names of a Llama's tensors: transformers to llama.cpp (`gguf-py/gguf/tensor_mapping.py`).
_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_WHOLE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def prepare(float32: Path, cache: Path) -> dict[str, str]:
    """Make the other forms from a float32 folder, once.

    Returns:
        Paths by form.
    """
    cache.mkdir(parents=True, exist_ok=True)
    forms = {"float32": float32, "bfloat16": cache / "bfloat16", "gguf": cache / "bfloat16.gguf"}
    if not (forms["bfloat16"] / "model.safetensors").is_file():
        _write_bfloat16(float32, forms["bfloat16"])
    if not forms["gguf"].is_file():
        _write_gguf(float32, forms["gguf"])
    return {name: str(path) for name, path in forms.items()}


def _write_bfloat16(source: Path, folder: Path) -> None:
    import safetensors.torch
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.is_file() and file.suffix != ".safetensors":
            shutil.copy(file, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}, indent=2))
    tensors = safetensors.torch.load_file(source / "model.safetensors")
    halves = {name: tensor.to(torch.bfloat16) for name, tensor in tensors.items()}
    safetensors.torch.save_file(halves, folder / "model.safetensors", {"format": "pt"})


def _write_gguf(source: Path, file: Path) -> None:
    """A Llama with a byte-level BPE tokenizer as a GGUF file; norms stay float32 as usual."""
    import gguf
    import safetensors.numpy

    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    part = file.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "llama")
    _add_shape(writer, config)
    _add_tokenizer(writer, source, config)
    kind = gguf.GGMLQuantizationType.BF16
    for name, tensor in safetensors.numpy.load_file(source / "model.safetensors").items():
        array = _for_rotation(name, tensor, config)
        if array.ndim == 1:
            writer.add_tensor(_gguf_name(name), array)
        else:
            writer.add_tensor(_gguf_name(name), gguf.quants.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(file)


def _add_shape(writer: Any, config: dict[str, Any]) -> None:
    import gguf

    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)


def _add_tokenizer(writer: Any, source: Path, config: dict[str, Any]) -> None:
    import gguf

    data = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    special = {token["content"] for token in data["added_tokens"] if token["special"]}
    ids = {**data["model"]["vocab"], **{t["content"]: t["id"] for t in data["added_tokens"]}}
    tokens = sorted(ids, key=ids.__getitem__)
    kinds = (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL)
    merges = [m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds[token in special] for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])


def _gguf_name(name: str) -> str:
    if name in _WHOLE:
        return _WHOLE[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{_LAYER[rest.removesuffix('.weight')]}.weight"


def _for_rotation(name: str, tensor: Any, config: dict[str, Any]) -> Any:
    """Queries and keys in the order in which llama.cpp rotates them: neighbours, not halves."""
    heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
    which = next((config[key] for part, key in heads.items() if part in name), None)
    if which is None:
        return tensor
    pairs = tensor.reshape(which, 2, -1, *tensor.shape[1:])  # [heads, halves, width / 2, in]
    return pairs.swapaxes(1, 2).reshape(tensor.shape)
