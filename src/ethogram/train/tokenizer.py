"""A byte-level BPE tokenizer trained on a recipe's text, with tokens reserved for chat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

END = "<|endoftext|>"
PAD = "<|pad|>"
ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}
#: One token opens a turn and another ends it; the end of a reply is part of what is learned.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "<|assistant|>{% generation %}{{ message['content'] }}<|endoftext|>{% endgeneration %}"
    "{% elif message['role'] == 'system' %}"
    "<|system|>{{ message['content'] }}<|endoftext|>"
    "{% else %}"
    "<|user|>{{ message['content'] }}<|endoftext|>"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def train_tokenizer(
    texts: Iterable[str], *, vocab_size: int, context: int, chat_tokens: bool = True
) -> Any:
    """Train a tokenizer.

    Args:
        texts: documents; read once.
        vocab_size: most tokens, special ones included; fewer if the text has fewer merges.
        context: longest sequence of the model, in tokens.
        chat_tokens: reserve tokens for roles and padding, and set a chat template.

    Returns:
        A `PreTrainedTokenizerFast`. Byte-level: every text can be written and read back exactly.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = [END, PAD, *(ROLES.values() if chat_tokens else ())]
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    # Its own padding token: where padding is the end token, a loss without padding never learns
    # to end.
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token=END,
        pad_token=PAD,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    if chat_tokens:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
