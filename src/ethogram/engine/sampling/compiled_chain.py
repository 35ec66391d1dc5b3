"""A decoding's steps in the form of the compiled choice. Knows both forms; runs neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.engine.native.sample import STEP, Code, Edit
from ethogram.engine.steps.bias import completed
from ethogram.engine.steps.dry import penalties
from ethogram.engine.token_strings import StringIds
from ethogram.spec.decoding import Decoding
from ethogram.spec.steps import Dry

#: The edits that a step has for an output, from its prompt and its tokens so far.
OwnEdits = Callable[[Sequence[int], Sequence[int]], Edit]

#: Steps of one number.
_CODES = {
    "repetition_penalty": Code.REPETITION,
    "frequency_penalty": Code.FREQUENCY,
    "presence_penalty": Code.PRESENCE,
    "no_repeat_ngram_size": Code.NGRAM,
    "temperature": Code.TEMPERATURE,
    "top_k": Code.TOP_K,
    "top_p": Code.TOP_P,
    "min_p": Code.MIN_P,
    "typical_p": Code.TYPICAL_P,
    "epsilon_cutoff": Code.EPSILON,
    "eta_cutoff": Code.ETA,
    "top_n_sigma": Code.TOP_N_SIGMA,
    "top_h": Code.TOP_H,
}


class CompiledChain:
    """The steps of one decoding.

    Args:
        decoding: the decoding.
        words: its strings as ids.
        eos_token_ids: the model's end-of-sequence ids.

    Attributes:
        steps: of STEP.
        names: of the decoding's step that each of them belongs to.
        own_edits: what tells each output's edits, one for each step of kind ADD_OWN.
        is_stochastic: whether a token is drawn.
        is_steered: whether mirostat wants to know the surprisal of each token.
    """

    def __init__(self, decoding: Decoding, words: StringIds, eos_token_ids: frozenset[int]) -> None:
        self._words, self._eos = words, eos_token_ids
        self._rows: list[tuple[Any, ...]] = []
        self._alive: list[npt.NDArray[Any]] = []  # the arrays that steps point to
        self.names: list[str] = []
        self.own_edits: list[OwnEdits] = []
        for name, value in decoding.steps:
            self._append(name, value)
            self.names += [name] * (len(self._rows) - len(self.names))
        self.steps = np.array(self._rows, STEP)
        self.is_stochastic = decoding.is_stochastic
        self.is_steered = "mirostat_tau" in self.names

    def _append(self, name: str, value: Any) -> None:
        if name in _CODES:
            self._rows.append((_CODES[name], value, 0.0, 0, 0, 0))
        elif name == "xtc_probability":
            self._rows.append((Code.XTC, value.probability, value.threshold, 0, 0, 0))
        elif name == "mirostat_tau":
            self._rows.append((Code.MIROSTAT, 0.0, 0.0, 0, 0, 0))
        elif name == "logit_bias":
            self._add([token for token, _ in value], [added for _, added in value])
        elif name == "min_new_tokens":
            self._ban(sorted(self._eos), before=value)
        elif name == "bad_words":
            self._ban_words()
        elif name == "dry_multiplier":
            self._own(lambda prompt, output: _dry_edit(value, self._words, prompt, output))
        else:
            raise KeyError(name)

    def _ban_words(self) -> None:
        bad = self._words.bad
        self._ban([word[0] for word in bad if len(word) == 1 and word[0] not in self._eos])
        longer = [word for word in bad if len(word) > 1]
        if longer:
            self._own(lambda prompt, output: _ban_edit(completed(longer, prompt, output)))

    def _ban(self, ids: Sequence[int], before: float = np.inf) -> None:
        self._add(ids, [-np.inf] * len(ids), before)

    def _add(self, ids: Sequence[int], values: Sequence[float], before: float = np.inf) -> None:
        if len(ids):
            arrays = np.array(ids, np.int32), np.array(values, np.float32)
            self._alive += arrays
            where = (array.ctypes.data for array in arrays)
            self._rows.append((Code.ADD, before, 0.0, *where, len(ids)))

    def _own(self, edits: OwnEdits) -> None:
        self.own_edits.append(edits)
        self._rows.append((Code.ADD_OWN, 0.0, 0.0, 0, 0, 0))


def _ban_edit(ids: Sequence[int]) -> Edit:
    return ids, [-np.inf] * len(ids)


def _dry_edit(
    settings: Dry, words: StringIds, prompt: Sequence[int], output: Sequence[int]
) -> Edit:
    amounts = penalties(settings, words.breakers, prompt, output)
    return list(amounts), [-amount for amount in amounts.values()]
