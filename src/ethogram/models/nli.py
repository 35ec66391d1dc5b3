"""NLI: whether one text entails or contradicts another. Knows sequence classifiers; no metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.errors import ModelError
from ethogram.extras import require
from ethogram.models.catalogue import locate
from ethogram.models.load import explained
from ethogram.models.quiet import quiet
from ethogram.models.reference import ModelReference

#: Tokens in a batch, padding included.
BATCH_TOKENS = 4096
#: Positions beyond which a pair is cut where the model names no limit.
MAX_TOKENS = 512
RELATIONS = ("entailment", "neutral", "contradiction")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Probabilities for one pair of premise and hypothesis; they sum to 1."""

    entailment: float
    neutral: float
    contradiction: float


class NliClassifier:
    """A sequence classifier of pairs.

    Args:
        model: transformers module that gives `logits`, in eval mode.
        tokenizer: its tokenizer.
        labels: places of the relations among the logits; a model of two classes lacks neutral.
    """

    def __init__(self, model: Any, tokenizer: Any, labels: Mapping[str, int]) -> None:
        self._model, self._tokenizer, self._labels = model, tokenizer, labels
        limit = getattr(model.config, "max_position_embeddings", None) or MAX_TOKENS
        self._max_tokens = min(int(limit), MAX_TOKENS)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """How premise and hypothesis of each pair relate; long pairs are cut, the longer first."""
        found: dict[tuple[str, str], Judgement] = {}
        distinct = list(dict.fromkeys(pairs))
        lengths = [len(premise) + len(hypothesis) for premise, hypothesis in distinct]
        order = sorted(range(len(distinct)), key=lambda place: -lengths[place])
        start = 0
        while start < len(order):
            # A token is seldom shorter than three characters.
            tokens = min(self._max_tokens, lengths[order[start]] // 3 + 3)
            batch = [distinct[place] for place in order[start : start + BATCH_TOKENS // tokens]]
            found |= dict(zip(batch, self._forward(batch), strict=True))
            start += len(batch)
        return [found[pair] for pair in pairs]

    def _forward(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        import torch

        coded = self._tokenizer(
            [_sayable(premise) for premise, _ in pairs],
            [_sayable(hypothesis) for _, hypothesis in pairs],
            truncation="longest_first",
            max_length=self._max_tokens,
            padding=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            logits = self._model(**coded.to(self._model.device)).logits.float()
        rows, places = logits.softmax(-1).tolist(), self._labels
        return [
            Judgement(*(row[places[name]] if name in places else 0.0 for name in RELATIONS))
            for row in rows
        ]


def load_nli(name: str, *, device: str | None = None) -> NliClassifier:
    """Load a model of natural language inference from this machine.

    Args:
        name: a local folder or a hub id.
        device: as torch names it; default the first CUDA device if there is one, else the CPU.

    Raises:
        ModelError: it is not here, damaged, or its labels do not name entailment and contradiction.
        MissingExtraError: the optional part [engine] is not installed.
    """
    transformers = require("transformers", extra="engine", needed_for="an NLI model")
    torch = require("torch", extra="engine", needed_for="an NLI model")
    folder = locate(ModelReference(name))
    safe = {"local_files_only": True, "trust_remote_code": False}
    with quiet(), explained(name):
        config = transformers.AutoConfig.from_pretrained(folder, **safe)
        labels = _labels(name, config)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder, config=config, dtype=torch.float32, use_safetensors=True, **safe
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **safe)
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return NliClassifier(model.to(place).eval(), tokenizer, labels)


def _labels(name: str, config: Any) -> dict[str, int]:
    """Where the relations stand among the classes, by the names that the config gives them."""
    labels = {
        relation: int(place)
        for place, label in (config.id2label or {}).items()
        for relation in RELATIONS
        if str(label).lower().startswith(relation[:6])
    }
    if "entailment" not in labels or "contradiction" not in labels:
        raise ModelError(
            f"its classes are {', '.join(map(str, (config.id2label or {}).values()))}, not "
            "entailment, neutral and contradiction",
            where=f"model {name}",
            hint="name a model of natural language inference",
        )
    return labels


def _sayable(text: str) -> str:
    """Text with half surrogate pairs replaced, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
