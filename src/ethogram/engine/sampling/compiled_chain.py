"""A decoding's steps as an array for the sampling kernel."""

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
from ethogram.spec.groups import Dry, Mirostat, Xtc

#: The edits that a step has for an output, from its prompt and its tokens so far.
OwnEdits = Callable[[Sequence[int], Sequence[int]], Edit]


class CompiledChain:
    """The steps of one decoding.

    Args:
        decoding: the decoding.
        words: its strings as ids.
        eos_token_ids: the model's end-of-sequence ids.

    Attributes:
        steps: of STEP.
        names: of the step that each of them belongs to.
        own_edits: functions that compute an output's edits, one for each step of kind ADD_OWN.
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
        self.is_steered = "mirostat" in self.names

    def _append(self, name: str, value: Any) -> None:
        translate = _TRANSLATIONS.get(name)
        if translate is not None:
            translate(self, value)
        else:
            self._rows.append((Code[name.upper()], value, 0.0, 0, 0, 0))

    def _xtc(self, settings: Xtc) -> None:
        self._rows.append((Code.XTC, settings.probability, settings.threshold, 0, 0, 0))

    def _mirostat(self, settings: Mirostat) -> None:
        self._rows.append((Code.MIROSTAT, 0.0, 0.0, 0, 0, 0))  # its limit travels with the output

    def _response_format(self, schema: str) -> None:
        self._rows.append((Code.RESPONSE_FORMAT, 0.0, 0.0, 0, 0, 0))  # so does its mask

    def _logit_bias(self, bias: Sequence[tuple[int, float]]) -> None:
        self._add([token for token, _ in bias], [added for _, added in bias])

    def _min_new_tokens(self, minimum: int) -> None:
        self._ban(sorted(self._eos), before=minimum)

    def _dry(self, settings: Dry) -> None:
        self._own(lambda prompt, output: _dry_edit(settings, self._words, prompt, output))

    def _bad_words(self, words: object) -> None:
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


#: The steps that are more than one number for the kernel of their name.
_TRANSLATIONS: dict[str, Callable[[CompiledChain, Any], None]] = {
    "response_format": CompiledChain._response_format,
    "logit_bias": CompiledChain._logit_bias,
    "bad_words": CompiledChain._bad_words,
    "min_new_tokens": CompiledChain._min_new_tokens,
    "dry": CompiledChain._dry,
    "xtc": CompiledChain._xtc,
    "mirostat": CompiledChain._mirostat,
}


def _ban_edit(ids: Sequence[int]) -> Edit:
    return ids, [-np.inf] * len(ids)


def _dry_edit(
    settings: Dry, words: StringIds, prompt: Sequence[int], output: Sequence[int]
) -> Edit:
    amounts = penalties(settings, words.breakers, prompt, output)
    return list(amounts), [-amount for amount in amounts.values()]
