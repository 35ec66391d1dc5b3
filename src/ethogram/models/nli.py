"""Natural language inference: whether one text entails or contradicts another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.cores import use_allowed_threads
from ethogram.errors import ModelError
from ethogram.extras import require
from ethogram.models.catalogue import locate
from ethogram.models.load import explained
from ethogram.models.quiet import quiet
from ethogram.models.reference import ModelReference
from ethogram.models.weights import SAFE, read_weights

#: Tokens in a batch, padding included.
BATCH_TOKENS = 4096
#: Positions beyond which a pair is cut where the model names no limit.
MAX_TOKENS = 512
RELATIONS = ("entailment", "neutral", "contradiction")


@dataclass(frozen=True, slots=True)
class NliScores:
    """Probabilities for one pair of premise and hypothesis; they sum to 1."""

    entailment: float
    neutral: float
    contradiction: float


class NliClassifier:
    """A sequence classifier of pairs.

    Args:
        model: transformers module that gives `logits`, in eval mode.
        tokenizer: its tokenizer.
        labels: index of each relation among the logits; a model of two classes lacks neutral.
    """

    def __init__(self, model: Any, tokenizer: Any, labels: Mapping[str, int]) -> None:
        self._model, self._tokenizer, self._labels = model, tokenizer, labels
        limit = getattr(model.config, "max_position_embeddings", None) or MAX_TOKENS
        self._max_tokens = min(int(limit), MAX_TOKENS)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[NliScores]:
        """Scores of each pair of premise and hypothesis; a long pair is cut in its longer text."""
        found: dict[tuple[str, str], NliScores] = {}
        distinct = list(dict.fromkeys(pairs))
        lengths = [len(premise) + len(hypothesis) for premise, hypothesis in distinct]
        order = sorted(range(len(distinct)), key=lambda index: -lengths[index])
        start = 0
        while start < len(order):
            # A token is seldom shorter than three characters.
            tokens = min(self._max_tokens, lengths[order[start]] // 3 + 3)
            batch = [distinct[index] for index in order[start : start + BATCH_TOKENS // tokens]]
            found |= dict(zip(batch, self._forward(batch), strict=True))
            start += len(batch)
        return [found[pair] for pair in pairs]

    def _forward(self, pairs: Sequence[tuple[str, str]]) -> list[NliScores]:
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
        rows, columns = logits.softmax(-1).tolist(), self._labels
        return [
            NliScores(*(row[columns[name]] if name in columns else 0.0 for name in RELATIONS))
            for row in rows
        ]


def load_nli(name: str, *, device: str | None = None) -> NliClassifier:
    """Load a downloaded model of natural language inference.

    Args:
        name: a local folder or a hub id.
        device: name of a torch device; default: the first CUDA device, else the CPU.

    Raises:
        ModelError: it is not downloaded, damaged, or its labels lack entailment or contradiction.
        MissingExtraError: the extra [engine] is not installed.
    """
    transformers = require("transformers", extra="engine", needed_for="an NLI model")
    torch = require("torch", extra="engine", needed_for="an NLI model")
    folder = locate(ModelReference(name))
    with quiet(), explained(name):
        config = transformers.AutoConfig.from_pretrained(folder, **SAFE)
        labels = _labels(name, config)
        auto = transformers.AutoModelForSequenceClassification
        model = read_weights(auto, folder, config, torch.float32, notes=[], uses_all=False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **SAFE)
    use_allowed_threads()
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return NliClassifier(model.to(device).eval(), tokenizer, labels)


def _labels(name: str, config: Any) -> dict[str, int]:
    """Index of each relation among the classes, by the labels of the configuration."""
    labels = {
        relation: int(column)
        for column, label in (config.id2label or {}).items()
        for relation in RELATIONS
        if str(label).lower().startswith(relation[:6])
    }
    if "entailment" not in labels or "contradiction" not in labels:
        raise ModelError(
            f"its classes are {', '.join(map(str, (config.id2label or {}).values()))}, not "
            "entailment, neutral and contradiction",
            where=f"model {name}",
            hint="choose a model of natural language inference",
        )
    return labels


def _sayable(text: str) -> str:
    """Text with half surrogate pairs replaced, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
