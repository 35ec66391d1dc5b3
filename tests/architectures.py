"""Configurations of tiny models, by architecture, and their tokenizer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def tiny_config(kind: str, vocab_size: int, *, width: int = 32) -> Any:
    """Two layers of four heads, 256 positions.

    Args:
        kind: gpt2, gpt_neox, llama, qwen2 or t5.
        vocab_size: of the tokenizer.
        width: of the hidden states.
    """
    import transformers

    ids = {"bos_token_id": 1, "eos_token_id": 1, "pad_token_id": 0}
    if kind == "gpt2":
        return transformers.GPT2Config(
            vocab_size=vocab_size, n_positions=256, n_embd=width, n_layer=2, n_head=4, **ids
        )
    if kind == "t5":
        return transformers.T5Config(
            vocab_size=vocab_size,
            d_model=width,
            d_kv=width // 4,
            d_ff=2 * width,
            num_layers=2,
            num_heads=4,
            decoder_start_token_id=0,
            eos_token_id=1,
            pad_token_id=0,
        )
    config: type[Any] = {
        "gpt_neox": transformers.GPTNeoXConfig,
        "llama": transformers.LlamaConfig,
        "qwen2": transformers.Qwen2Config,
    }[kind]
    grouped = {} if kind == "gpt_neox" else {"num_key_value_heads": 2}
    return config(
        vocab_size=vocab_size,
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * width,
        max_position_embeddings=256,
        **grouped,
        **ids,
    )


def train_tokenizer(texts: Iterable[str], *, adds_eos: bool = False) -> Any:
    """A byte-level BPE tokenizer of 300 tokens, `<pad>` 0 and `<eos>` 1.

    Args:
        texts: what its merges are learned from.
        adds_eos: end every text with `<eos>`, as T5 does.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<pad>", "<eos>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    if adds_eos:
        raw.post_processor = TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>")
