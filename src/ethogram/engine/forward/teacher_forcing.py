"""Teacher forcing: log-probabilities that a model gives to given tokens.

Sequences of similar length share a batch, padded on the right, where no token of a causal model
sees the padding.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ethogram.engine.forward.passes import ServedModel
from ethogram.errors import ModelError, RequestError

#: Logits over the vocabulary held at once: 200 MB in float32.
MOST_SCORES = 50_000_000
#: Tokens in a batch, padding included, where the vocabulary is small.
BATCH_TOKENS = 2048
#: Sequences cached, since several metrics need the same ones: a few MB.
CACHED = 2048


@dataclass(frozen=True, slots=True)
class ForcedSequence:
    """The model's log-probabilities of a sequence of n tokens.

    Attributes:
        logprobs: [n - 1]; entry t is log p(token t + 1 | tokens 0..t), in nats.
        argmax: [n - 1]; entry t is the likeliest token after tokens 0..t, the first of equals.
    """

    logprobs: np.ndarray[Any, np.dtype[np.float32]]
    argmax: np.ndarray[Any, np.dtype[np.int64]]


def _not_causal(what: str) -> ModelError:
    return ModelError(what, where="reference model", hint="name a decoder-only model")


class TeacherForced:
    """A decoder-only model that runs given tokens instead of its own.

    Args:
        loaded: the model.
        on_sequences: called after each batch with how many more sequences are done.

    Raises:
        ModelError: the model is not causal, so that it gives no likelihood of a text: it has an
            encoder of its own, or each token sees those after it, as in BERT.
    """

    def __init__(
        self, loaded: ServedModel, *, on_sequences: Callable[[int], None] | None = None
    ) -> None:
        if loaded.is_encoder_decoder:
            raise _not_causal("an encoder-decoder model gives no likelihood of a text by itself")
        self._loaded, self._on_sequences = loaded, on_sequences
        self._known: OrderedDict[tuple[int, ...], ForcedSequence] = OrderedDict()
        first, other = self._run(torch.tensor([[1, 2], [1, 3]]), torch.ones(2, 2)).logits[:, 0]
        if not torch.allclose(first.float(), other.float(), atol=1e-2, rtol=1e-2):
            raise _not_causal(
                "its tokens see those after them, so it gives no likelihood of a text"
            )

    @property
    def start(self) -> tuple[int, ...]:
        """The beginning-of-text token, if the tokenizer has one."""
        begin = self._loaded.tokenizer.bos_token_id
        return () if begin is None else (int(begin),)

    @property
    def prefix(self) -> tuple[int, ...]:
        """What the tokenizer puts before a text by itself: nothing for GPT-2's or SmolLM2's."""
        plain = self.ids("a")
        whole = tuple(self._loaded.tokenizer("a", verbose=False).input_ids)
        ends = range(len(whole) - len(plain) + 1)
        return next((whole[:at] for at in ends if whole[at : at + len(plain)] == plain), ())

    @property
    def context_length(self) -> int:
        """Most tokens of a sequence."""
        return self._loaded.context_length

    def ids(self, text: str) -> tuple[int, ...]:
        """A text's token ids, without special tokens; half surrogate pairs become `?`."""
        encodable = text.encode("utf-8", "replace").decode("utf-8")
        coded = self._loaded.tokenizer(encodable, add_special_tokens=False, verbose=False)
        return tuple(coded.input_ids)

    def force(self, sequences: Sequence[Sequence[int]]) -> list[ForcedSequence]:
        """Run the sequences; returns the result for each, in their order.

        Raises:
            RequestError: a sequence is longer than the model's context, or empty.
        """
        keys = [tuple(sequence) for sequence in sequences]
        fresh = [sequence for sequence in dict.fromkeys(keys) if sequence not in self._known]
        known = {sequence: self._known[sequence] for sequence in keys if sequence in self._known}
        for sequence, forced in zip(fresh, self._run_all(fresh), strict=True):
            known[sequence] = self._known[sequence] = forced
        while len(self._known) > CACHED:
            self._known.popitem(last=False)
        return [known[sequence] for sequence in keys]

    def _run_all(self, sequences: Sequence[tuple[int, ...]]) -> list[ForcedSequence]:
        found: dict[int, ForcedSequence] = {}
        for indices, ids, mask in self._batches(sequences):
            logits = self._run(ids, mask).logits[:, :-1].float()
            targets = ids[:, 1:].to(logits.device)
            logprobs = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
            logprobs = (logprobs - logits.logsumexp(-1)).cpu().numpy()
            likeliest = logits.argmax(-1).cpu().numpy()
            for row, index in enumerate(indices):
                end = len(sequences[index]) - 1
                found[index] = ForcedSequence(logprobs[row, :end], likeliest[row, :end])
        return [found[index] for index in range(len(sequences))]

    def likeliest(
        self, sequence: Sequence[int], count: int
    ) -> tuple[list[float], list[list[tuple[int, float]]]]:
        """Log-probabilities of a sequence of n tokens, and the likeliest tokens beside them.

        Args:
            sequence: token ids.
            count: how many of the likeliest at each position.

        Returns:
            [n - 1] as `force`, and ids with log-probabilities in nats, the likeliest first; a
            token among them has the same float in both.

        Raises:
            RequestError: the sequence is longer than the model's context, or empty.
        """
        [(_, ids, mask)] = list(self._batches([sequence]))
        logits = self._run(ids, mask).logits[0, :-1].float()
        total = logits.logsumexp(-1, keepdim=True)
        own = logits.gather(-1, ids[0, 1:].to(logits.device).unsqueeze(-1)) - total
        best = logits.topk(min(count, logits.shape[-1]), dim=-1)
        values = (best.values - total).cpu().tolist()
        pairs = zip(best.indices.cpu().tolist(), values, strict=True)
        return own.squeeze(-1).cpu().tolist(), [list(zip(*each, strict=True)) for each in pairs]

    def features(
        self, texts: Sequence[str], *, max_tokens: int
    ) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The last hidden state at each text's last token: [texts, dimensions].

        Args:
            texts: without special tokens; an empty one runs as the beginning-of-text token.
            max_tokens: where each text is cut.

        Raises:
            RequestError: a text has no tokens, and the model no beginning-of-text token.
        """
        limit = min(max_tokens, self.context_length)
        sequences = [self.ids(text)[:limit] or self.start for text in texts]
        found: dict[int, Tensor] = {}
        for indices, ids, mask in self._batches(sequences):
            states = self._run(ids, mask, output_hidden_states=True).hidden_states[-1]
            for row, index in enumerate(indices):
                found[index] = states[row, len(sequences[index]) - 1].float().cpu()
        return torch.stack([found[index] for index in range(len(texts))]).numpy()

    def _run(self, ids: Tensor, mask: Tensor, **options: Any) -> Any:
        model = self._loaded.model
        with torch.inference_mode():
            return model(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                use_cache=False,
                **options,
            )

    def _batches(
        self, sequences: Sequence[Sequence[int]]
    ) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        """Indices of sequences of similar length, padded ids and masks; the longest first."""
        for index, sequence in enumerate(sequences):
            if not 0 < len(sequence) <= self.context_length:
                raise RequestError(
                    f"{len(sequence)} tokens do not fit in a context of {self.context_length}",
                    where=f"sequence {index}",
                )
        tokens = max(1, min(BATCH_TOKENS, MOST_SCORES // self._loaded.vocab_size))
        order = sorted(range(len(sequences)), key=lambda index: -len(sequences[index]))
        start = 0
        while start < len(order):
            longest = len(sequences[order[start]])
            indices = order[start : start + max(1, tokens // longest)]
            ids = torch.zeros(len(indices), longest, dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, index in enumerate(indices):
                ids[row, : len(sequences[index])] = torch.tensor(sequences[index])
                mask[row, : len(sequences[index])] = 1
            yield indices, ids, mask
            start += len(indices)
            if self._on_sequences:
                self._on_sequences(len(indices))
