r"""How byte-level vocabularies of GGUF files split a text into words before merging.

A GGUF file names its pre-tokenizer (`tokenizer.ggml.pre`), and the program that reads it has to
know the expressions behind the name. Source of names and expressions: llama.cpp,
`src/llama-vocab.cpp`, `llama_vocab::impl::load` and `llm_tokenizer_bpe`; where it had to rewrite
the expression of a `tokenizer.json`, the table has the original.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ethogram.errors import ModelError
from ethogram.extras import require

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{_REST}"
_QWEN2 = rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{_REST}"
_QWEN35 = (
    rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED_REST = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_START = r"[^\r\n\p{L}\p{N}]?"
_TEKKEN = rf"{_START}{_UPPER}*{_LOWER}+|{_START}{_UPPER}+{_LOWER}*|\p{{N}}|{_CASED_REST}"
_GPT4O = (
    rf"{_START}{_UPPER}*{_LOWER}+{_ENDINGS}?|{_START}{_UPPER}+{_LOWER}*{_ENDINGS}?"
    rf"|\p{{N}}{{1,3}}|{_CASED_REST}"
)
_CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
#: Letters that have a case; the file that deepseek-llm comes from lists them one by one.
_DEEPSEEK_LLM = (
    r"[\r\n]",
    r"\s?[\p{Lu}\p{Ll}\p{Lt}]+",
    "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
    r"\s+$",
    _CJK,
    r"\p{N}+",
)
_DEEPSEEK_CODER = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _CJK, r"\p{N}")
_DEEPSEEK3 = (
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"
    r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
)
_FALCON = (r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, r"[0-9][0-9][0-9]")
_DEFAULT = (r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", r"[0-9][0-9][0-9]")
_DIGITS = (r"\p{N}", _GPT2)
_BAILINGMOE = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
_SEED_CODER = (
    rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}"
    r"| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_BLOOM = r" ?[^(\s|.,!?…。，、।۔،)]+"


@dataclass(frozen=True, slots=True)
class PreTokenizer:
    """How one kind of vocabulary splits a text.

    Attributes:
        splits: expressions, each of which splits the pieces that the ones before it left.
        ignores_merges: a word that is a token as a whole is that token, whatever its merges.
        adds_bos: a prompt begins with the begin token unless the file disables it.
        since: first `CONVERSION` that reads it so.
    """

    splits: tuple[str, ...]
    ignores_merges: bool = False
    adds_bos: bool = False
    since: int = 1


_LLAMA3_KIND = PreTokenizer((_LLAMA3,), ignores_merges=True, adds_bos=True, since=2)
_KINDS: tuple[tuple[PreTokenizer, str], ...] = (
    (
        PreTokenizer((_GPT2,)),
        "gpt-2 phi-2 jina-es jina-de jina-v2-es jina-v2-de gigachat a.x-4.0 mellum olmo mpt jais "
        "trillion granite-docling exaone4",
    ),
    (PreTokenizer(_DIGITS), "smollm starcoder refact command-r codeshell exaone minerva-7b"),
    (PreTokenizer((_QWEN2,)), "qwen2 deepseek-r1-qwen kormo megrez"),
    (PreTokenizer((_QWEN2,), since=2), "stablelm2 hunyuan grok-2"),
    (PreTokenizer((_QWEN35,)), "qwen35"),
    (PreTokenizer((_GPT4O,)), "gpt-4o llama4 minimax-m2"),
    (PreTokenizer((_LLAMA3,)), "dbrx smaug-bpe"),
    (_LLAMA3_KIND, "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2"),
    (PreTokenizer((_LLAMA3,), since=2), "chatglm-bpe glm4"),
    (PreTokenizer((_TEKKEN,), ignores_merges=True, adds_bos=True, since=2), "tekken"),
    (PreTokenizer(_DEEPSEEK_LLM, since=2), "deepseek-llm"),
    (PreTokenizer(_DEEPSEEK_CODER, since=2), "deepseek-coder"),
    (PreTokenizer(_DEEPSEEK3, since=2), "deepseek-v3 hunyuan-dense"),
    (PreTokenizer(_FALCON, since=2), "falcon"),
    (PreTokenizer((_BAILINGMOE,), since=2), "bailingmoe bailingmoe2 llada-moe"),
    (PreTokenizer((_SEED_CODER,), since=2), "seed-coder"),
    (PreTokenizer((_BLOOM,), since=2), "bloom poro-chat gpt3-finnish"),
    (PreTokenizer((_BLOOM, r"\p{N}"), since=2), "viking"),
    (PreTokenizer(_DEFAULT, since=2), "default"),
)
#: By the name that a file gives.
PRE_TOKENIZERS: Mapping[str, PreTokenizer] = {
    name: kind for kind, names in _KINDS for name in names.split()
}
#: `tokenizer.ggml.model` of byte-level vocabularies, the only ones with a pre-tokenizer.
_BYTE_LEVEL = "gpt2"


def pre_tokenizer(metadata: Mapping[str, Any], where: str) -> PreTokenizer | None:
    """The pre-tokenizer that a GGUF file names; a file that names none means llama.cpp's default.

    Args:
        metadata: of the file.
        where: the file, for the message.

    Returns:
        None where its kind of vocabulary has none.

    Raises:
        ModelError: the name is not known.
    """
    if metadata.get("tokenizer.ggml.model") != _BYTE_LEVEL:
        return None
    name = metadata.get("tokenizer.ggml.pre", "default")
    if name not in PRE_TOKENIZERS:
        raise ModelError(
            f"its pre-tokenizer {name!r} is unknown, so its text would be tokenized differently "
            "from the model's training",
            where=where,
            hint="use the model's safetensors folder or hub id",
        )
    return PRE_TOKENIZERS[name]


def apply(kind: PreTokenizer, tokenizer: Any, metadata: Mapping[str, Any]) -> None:
    """Make a byte-level tokenizer of transformers split as its file means it."""
    library = require("tokenizers", extra="engine", needed_for="running a model")
    parts = library.pre_tokenizers
    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = parts.Sequence(
        [
            *(parts.Split(library.Regex(split), behavior="isolated") for split in kind.splits),
            parts.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    if kind.ignores_merges:
        backend.model.ignore_merges = True
    if kind.adds_bos and "tokenizer.ggml.add_bos_token" not in metadata and tokenizer.bos_token:
        tokenizer.add_bos_token = True
        tokenizer.update_post_processor()
