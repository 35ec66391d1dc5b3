"""Text encoder: a model's tokenizer as a function from texts to token ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.extras import require
from ethogram.models.load import explained, load_tokenizer
from ethogram.models.quiet import quiet
from ethogram.models.reference import ModelReference
from ethogram.models.weights import SAFE

_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """What counts tokens.

    Attributes:
        encode: texts to token ids, without special tokens and without a limit of length.
        unknown: id of the unknown token, if the tokenizer has one of its own.
        byte_tokens: ids of byte-fallback tokens.
    """

    encode: Callable[[Sequence[str]], Sequence[Sequence[int]]]
    unknown: int | None
    byte_tokens: frozenset[int]


def text_encoder(name: str) -> TextEncoder:
    """The encoder of a model, by its name, hub id or folder; a folder may hold only a tokenizer.

    Raises:
        ModelError: it cannot be found or read.
    """
    folder = Path(name).expanduser()
    alone = (folder / "tokenizer.json").is_file() and not (folder / "config.json").exists()
    tokenizer = _alone(folder) if alone else load_tokenizer(ModelReference.parse(name))

    def encode(texts: Sequence[str]) -> Sequence[Sequence[int]]:
        coded = tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        ids: Sequence[Sequence[int]] = coded.input_ids
        return ids

    unknown = tokenizer.unk_token_id
    # GPT-2's tokenizers name their end token as unknown and never write it for a text.
    if unknown == tokenizer.eos_token_id:
        unknown = None
    found = (number for text, number in tokenizer.get_vocab().items() if _BYTE.fullmatch(text))
    return TextEncoder(encode, unknown, frozenset(found))


def _alone(folder: Path) -> Any:
    """The tokenizer of a folder without a model."""
    transformers = require("transformers", extra="engine", needed_for="reading tokens")
    with quiet(), explained(str(folder), what="its tokenizer"):
        return transformers.AutoTokenizer.from_pretrained(folder, **SAFE)
