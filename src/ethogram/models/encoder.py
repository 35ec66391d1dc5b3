"""Sentence encoder: texts to unit vectors, equal to those of sentence-transformers.

A text is cut at the encoder's limit, its last hidden states are pooled (their mean, or the first of
them, by the settings of the model's folder) and the result is scaled to length 1.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ethogram.cores import use_allowed_threads
from ethogram.errors import ModelError
from ethogram.extras import require
from ethogram.models.catalogue import locate
from ethogram.models.checkpoint import read_json
from ethogram.models.load import explained
from ethogram.models.quiet import quiet
from ethogram.models.reference import ModelReference
from ethogram.models.weights import SAFE, read_weights

Floats = np.ndarray[Any, np.dtype[np.float32]]
#: Most tokens of a batch, padding included: twice as many left the processor's caches and cost a
#: tenth of the speed on two cores, half as many waste calls.
BATCH_TOKENS = 2048
#: A batch ends before a text that would be padded by more than a twentieth of it, once the batch
#: has enough tokens to keep the processor busy: a fifth of the speed where lengths are mixed.
LEAST_FILLED = 0.95
BUSY_TOKENS = 512
#: Vectors kept, since several metrics look at the same texts: 30 MB at 384 dimensions.
REMEMBERED = 20_000


class SentenceEncoder:
    """A BERT-like model that turns texts into vectors.

    Args:
        model: transformers module that gives `last_hidden_state`, in eval mode.
        tokenizer: its fast tokenizer.
        max_tokens: where a text is cut, special tokens included.
        pooling: the mean over the tokens, or the first token's state.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        max_tokens: int,
        pooling: Literal["mean", "first"] = "mean",
    ) -> None:
        self.model, self._tokenizer = model, tokenizer
        self.max_tokens = max_tokens
        self._pooling = pooling
        self._known: OrderedDict[str, Floats] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of the texts: [texts, dimensions], each row of length 1.

        Each distinct text is computed once, in order of length, which keeps padding small.
        """
        found = {text: self._known[text] for text in texts if text in self._known}
        fresh = [text for text in dict.fromkeys(texts) if text not in found]
        for batch, vectors in self._batches(fresh):
            found |= dict(zip(batch, vectors, strict=True))
        self._remember(found)
        vectors = np.zeros((len(texts), self.model.config.hidden_size), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = found[text]
        return vectors

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character offsets [start, end) of the text's tokens, without a limit of length."""
        coded = self._tokenizer(
            _sayable(text),
            add_special_tokens=False,
            return_offsets_mapping=True,
            truncation=False,
            padding=False,
            verbose=False,
        )
        return [(start, end) for start, end in coded.offset_mapping if end > start]

    def _remember(self, found: dict[str, Floats]) -> None:
        for text, vector in found.items():
            self._known[text] = vector
            self._known.move_to_end(text)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[list[str], Floats]]:
        if not texts:
            return
        coded = self._tokenizer(
            [_sayable(text) for text in texts],
            truncation=True,
            max_length=self.max_tokens,
            padding=False,
        ).input_ids
        order = sorted(range(len(texts)), key=lambda index: len(coded[index]), reverse=True)
        for start, end in batches_of_similar_length([len(coded[index]) for index in order]):
            batch = order[start:end]
            yield [texts[i] for i in batch], self._forward([coded[i] for i in batch])

    def _forward(self, rows: Sequence[Sequence[int]]) -> Floats:
        import torch

        longest = max(len(row) for row in rows)
        pad = self._tokenizer.pad_token_id or 0
        ids = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        device = self.model.device
        with torch.inference_mode():
            states = self.model(
                input_ids=ids.to(device), attention_mask=mask.to(device)
            ).last_hidden_state.float()
            if self._pooling == "first":
                pooled = states[:, 0]
            else:
                weights = mask.to(device).unsqueeze(-1).float()
                pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
            vectors = torch.nn.functional.normalize(pooled, dim=1)
        result: Floats = vectors.cpu().numpy()
        return result


def batches_of_similar_length(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ranges [start, end) of batches with little padding; the lengths must not increase."""
    start = 0
    while start < len(lengths):
        longest = max(1, lengths[start])
        end = min(len(lengths), start + max(1, BATCH_TOKENS // longest))
        busy = start + math.ceil(BUSY_TOKENS / longest)
        shorter = (at for at in range(busy, end) if lengths[at] < LEAST_FILLED * longest)
        end = next(shorter, end)
        yield start, end
        start = end


def load_encoder(
    name: str, *, device: str | None = None, dtype: str | None = None
) -> SentenceEncoder:
    """Load a sentence encoder from this machine; a built-in is fetched on first use.

    Weights are bfloat16 where the processor multiplies it natively: twice as fast on two cores,
    with vectors at a cosine above 0.999 to those of float32. Elsewhere they are float32.

    Args:
        name: a built-in's name, a local folder or a hub id.
        device: name of a torch device; default: the first CUDA device, else the CPU.
        dtype: of the weights, float32 or bfloat16; default: as above.

    Raises:
        ModelError: it is not downloaded, damaged, not an encoder, or pools in an unsupported way.
        MissingExtraError: the extra [engine] is not installed.
    """
    transformers = require("transformers", extra="engine", needed_for="a sentence encoder")
    torch = require("torch", extra="engine", needed_for="a sentence encoder")
    folder = locate(ModelReference(name))
    pooling = _pooling(folder)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with quiet(), explained(name):
        config = transformers.AutoConfig.from_pretrained(folder, **SAFE)
        if config.is_encoder_decoder or getattr(config, "is_decoder", False):
            raise ValueError("it is not a sentence encoder")
        number = getattr(torch, dtype) if dtype else _dtype(device)
        options: dict[str, Any] = {"notes": [], "uses_all": False, "without": "pooler."}
        model = read_weights(transformers.AutoModel, folder, config, number, **options)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **SAFE)
    if not tokenizer.is_fast:
        raise ModelError(
            "it needs a fast tokenizer, which gives character offsets",
            where=f"model {name}",
            hint="name an encoder that has a tokenizer.json",
        )
    use_allowed_threads()
    limit = _max_tokens(folder, config, tokenizer)
    return SentenceEncoder(model.to(device).eval(), tokenizer, max_tokens=limit, pooling=pooling)


def _dtype(device: str) -> Any:
    import torch

    has = torch.cpu.get_capabilities()
    quick = device != "cpu" or has.get("avx512_bf16") or has.get("amx_bf16")
    return torch.bfloat16 if quick else torch.float32


def _pooling(folder: Path) -> Literal["mean", "first"]:
    """Pooling by the folder's settings; the mean where it has none, which most encoders use."""
    file = folder / "1_Pooling" / "config.json"
    if not file.is_file():
        return "mean"
    settings = read_json(file)
    chosen = [key for key, value in settings.items() if key.startswith("pooling_mode_") and value]
    ways: dict[str, Literal["mean", "first"]] = {
        "pooling_mode_mean_tokens": "mean",
        "pooling_mode_cls_token": "first",
    }
    if len(chosen) != 1 or chosen[0] not in ways:
        raise ModelError(
            f"its pooling is {', '.join(chosen) or 'not stated'}",
            where=str(file),
            hint="use an encoder with mean or first-token pooling",
        )
    return ways[chosen[0]]


def _max_tokens(folder: Path, config: Any, tokenizer: Any) -> int:
    """The limit that the encoder was tuned with, else what its positions can hold."""
    file = folder / "sentence_bert_config.json"
    limits = [
        int(limit)
        for limit in (
            read_json(file).get("max_seq_length") if file.is_file() else None,
            getattr(config, "max_position_embeddings", None),
            getattr(tokenizer, "model_max_length", None),
        )
        if limit
    ]
    return min(limits, default=512)


def _sayable(text: str) -> str:
    """Text with half surrogate pairs replaced, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
