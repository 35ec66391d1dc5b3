"""Tiny tokenizers: one token a byte, besides the special tokens that a test names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Said:
    """A message."""

    role: str
    content: str


def said(*contents: str, system: str | None = None) -> list[Said]:
    """A conversation in which user and assistant take turns."""
    turns = [Said("user" if at % 2 == 0 else "assistant", text) for at, text in enumerate(contents)]
    return [Said("system", system), *turns] if system else turns


def tokenizer(
    special: Sequence[str] = (),
    *,
    eos: str | None = "<eos>",
    bos: str | None = None,
    pad: str | None = None,
    template: str | None = None,
    merges: Sequence[str] = (),
) -> Any:
    """A byte-level tokenizer.

    Args:
        special: tokens with the first ids, in order.
        eos: end token, added to them.
        bos: begin token, added to them.
        pad: padding token, added to them.
        template: chat template.
        merges: words that become tokens of their own.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = list(dict.fromkeys([*special, *(each for each in (eos, bos, pad) if each)]))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: at for at, token in enumerate([*names, *alphabet])}
    pairs = []
    for word in merges:
        for end in range(2, len(word) + 1):
            vocab.setdefault(word[:end], len(vocab))
            pairs.append((word[: end - 1], word[end - 1]))
    raw = Tokenizer(models.BPE(vocab=vocab, merges=pairs))
    raw.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token=eos,
        bos_token=bos,
        pad_token=pad,
        chat_template=template,
        clean_up_tokenization_spaces=False,
    )


def marked(row: Any, words: Any) -> str:
    """A row as text, with what is learned in ⟦brackets⟧."""
    text, inside = "", False
    for token, learned in zip(row.ids, row.learned, strict=True):
        if learned != inside:
            text += "⟦" if learned else "⟧"
            inside = learned
        text += words.decode([token])
    return text + ("⟧" if inside else "")
