"""Models for scoring: what metrics ask of a model, each loaded once on first use.

Importing it loads no torch: a metric that needs a model gets it from here when it measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np

from ethogram.errors import ModelError
from ethogram.spec.scoring import ScoringModels

Floats = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
#: encoder: texts to vectors; reference: a language model; nli: natural language inference.
ModelKind = Literal["encoder", "reference", "nli"]


class Encoder(Protocol):
    """Turns texts into vectors of length 1."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """[texts, dimensions], each row of length 1."""

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character offsets [start, end) of the text's tokens, without a limit of length."""


class Forced(Protocol):
    """What a language model said of one sequence of n tokens that it was fed.

    Attributes:
        logprobs: [n - 1]; place t holds log p(token t + 1 | tokens 0..t), in nats.
        argmax: [n - 1]; place t holds the likeliest token after tokens 0..t.
    """

    @property
    def logprobs(self) -> Floats:
        """Of each token but the first, given those before it."""

    @property
    def argmax(self) -> Ints:
        """The likeliest token at each place but the first."""


class ReferenceModel(Protocol):
    """A language model that judges texts by their likelihood."""

    @property
    def start(self) -> tuple[int, ...]:
        """What precedes every sequence: the token that begins a text, if the model has one."""

    @property
    def prefix(self) -> tuple[int, ...]:
        """What its tokenizer puts before a text by itself; empty for many."""

    @property
    def context_length(self) -> int:
        """Most tokens of a sequence."""

    def ids(self, text: str) -> tuple[int, ...]:
        """A text's token ids, without special tokens."""

    def force(self, sequences: Sequence[Sequence[int]]) -> Sequence[Forced]:
        """Feed the sequences; what the model said of each, in their order."""

    def features(self, texts: Sequence[str], *, max_tokens: int) -> Floats:
        """[texts, dimensions]: the last hidden state at each text's last token."""


class Judgement(Protocol):
    """Probabilities of an NLI model for one pair of premise and hypothesis; they sum to 1."""

    @property
    def entailment(self) -> float:
        """That the hypothesis follows from the premise."""

    @property
    def neutral(self) -> float:
        """That it neither follows nor is contradicted."""

    @property
    def contradiction(self) -> float:
        """That the premise rules the hypothesis out."""


class NliModel(Protocol):
    """Says whether a premise entails or contradicts a hypothesis."""

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Judgement]:
        """Of each (premise, hypothesis)."""


class Models(Protocol):
    """The models at hand for scoring."""

    @property
    def encoder(self) -> Encoder:
        """The sentence encoder."""

    @property
    def reference(self) -> ReferenceModel:
        """The reference language model."""

    @property
    def nli(self) -> NliModel:
        """The model of natural language inference."""

    def identity(self, kinds: Sequence[ModelKind]) -> str:
        """What keys scores that read these models: the same string means the same weights."""


class NamedModels:
    """Models by name; each is loaded once, when a metric first needs it.

    Args:
        named: which models.
        on_load: called with a model's name before it is loaded.
    """

    def __init__(
        self,
        named: ScoringModels | None = None,
        *,
        on_load: Callable[[str], None] | None = None,
    ) -> None:
        self.named = named or ScoringModels()
        self._on_load = on_load
        self._identities: dict[ModelKind, str] = {}

    @cached_property
    def encoder(self) -> Encoder:
        """The sentence encoder.

        Raises:
            ModelError: it cannot be had.
        """
        from ethogram.engine.forward.patch import patch_model
        from ethogram.models.encoder import load_encoder

        self._tell(self.named.encoder)
        encoder = load_encoder(self.named.encoder)
        patch_model(encoder.model)
        return encoder

    @cached_property
    def reference(self) -> ReferenceModel:
        """The reference language model.

        Raises:
            ModelError: it cannot be had, or is not a decoder-only model.
        """
        from ethogram.engine.forward.teacher_forcing import TeacherForced
        from ethogram.models import load

        self._tell(self.named.reference)
        return TeacherForced(load(self.named.reference))

    @cached_property
    def nli(self) -> NliModel:
        """The model of natural language inference.

        Raises:
            ModelError: none was named, or it cannot be had.
        """
        from ethogram.models.nli import load_nli

        name = self._nli_name()
        self._tell(name)
        return load_nli(name)

    def identity(self, kinds: Sequence[ModelKind]) -> str:
        """What keys scores that read these models.

        Raises:
            ModelError: a model is not on this machine.
        """
        return " ".join(self._identity(kind) for kind in kinds)

    def _identity(self, kind: ModelKind) -> str:
        from ethogram.models import ModelReference
        from ethogram.models.catalogue import weights_identity

        # The number format is left out: an encoder runs in the quickest that the machine has, and
        # a score that one machine stored holds on another.
        if kind not in self._identities:
            name = self._nli_name() if kind == "nli" else getattr(self.named, kind)
            self._identities[kind] = weights_identity(ModelReference(name))
        return self._identities[kind]

    def _nli_name(self) -> str:
        if self.named.nli is None:
            raise ModelError(
                "this metric needs an NLI model (natural language inference), and none is set",
                where="scoring: nli",
                hint="name one in study.yaml (scoring: {nli: …}) or with --nli-model",
            )
        return self.named.nli

    def _tell(self, name: str) -> None:
        if self._on_load:
            self._on_load(name)
