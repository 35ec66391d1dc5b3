"""Best-of-n and self-consistency: one generation selected from several sampled candidates.

The candidates are ordinary outputs, each with its own RNG key: they share rows until they diverge,
and the selection is made when the last of them has ended. Best-of-n:
Stiennon et al. 2020 (arXiv 2009.01325), here with the model's own log-probability as the score.
Self-consistency: Wang et al. 2022 (arXiv 2203.11171), the unweighted vote of section 2.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from ethogram.engine.jobs import Job
from ethogram.engine.noise import stream_state
from ethogram.engine.search.answers import answer_of, majority
from ethogram.engine.sequence import SequenceState
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Generation
from ethogram.spec.selection import Selection

#: Separates the keys of candidates from every other use of the hash.
_CANDIDATES = 0x6265737420_6F66


def candidate_key(key: int, index: int) -> int:
    """The RNG key of a candidate; the first one has that of the plain sample."""
    return key if index == 0 else stream_state(key ^ _CANDIDATES, index)


class Candidate(SequenceState):
    """One of the outputs from which a generation is selected.

    Args:
        job: the request, with the candidate's own RNG key.
        started: clock reading at admission, seconds.
        tokenizer: the model's.
        siblings: all candidates of the request in order; it adds itself.
        running: those that have not ended; it adds itself, and removes itself at its end.
    """

    def __init__(
        self,
        job: Job,
        started: float,
        tokenizer: Any,
        siblings: list[Candidate],
        running: set[int],
    ) -> None:
        super().__init__(job, started, tokenizer)
        self._siblings, self._running, self._index = siblings, running, len(siblings)
        siblings.append(self)
        running.add(self._index)

    def generation(self, now: float) -> Generation | None:
        """The selected candidate, once the last one has ended."""
        self._running.discard(self._index)
        if self._running:
            return None
        made = [sibling.own_generation(now) for sibling in self._siblings]
        return select_candidate(self.job.request.decoding, made)

    def own_generation(self, now: float) -> Generation:
        """This candidate, selected or not."""
        made = super().generation(now)
        assert made is not None
        return made


def candidates(job: Job, started: float, tokenizer: Any) -> list[SequenceState]:
    """The outputs of a sampling request: one, or all its candidates."""
    request = job.request
    if request.decoding.candidates == 1 or request.noise_key is None:
        return [SequenceState(job, started, tokenizer)]
    siblings: list[Candidate] = []
    running: set[int] = set()
    for index in range(request.decoding.candidates):
        key = candidate_key(request.noise_key, index)
        own = dataclasses.replace(job, request=dataclasses.replace(request, noise_key=key))
        Candidate(own, started, tokenizer, siblings, running)
    return list(siblings)


def select_candidate(decoding: Decoding, made: Sequence[Generation]) -> Generation:
    """The candidate that a decoding selects, with the scores or votes behind it.

    Args:
        decoding: the rule.
        made: all candidates in order.
    """
    scores = tuple(_score(decoding, one.logprobs) for one in made)
    answers: tuple[str | None, ...] = ()
    if decoding.self_consistency > 1:
        answers = tuple(answer_of(one.text, decoding) for one in made)
        chosen = majority(answers)
    else:
        chosen = scores.index(max(scores))
    tokens = tuple(len(one.token_ids) for one in made)
    return dataclasses.replace(made[chosen], selection=Selection(chosen, scores, answers, tokens))


def _score(decoding: Decoding, logprobs: Sequence[float]) -> float:
    """Raw log-probability of a candidate, nats, per token unless best-of uses the total."""
    total = math.fsum(logprobs)
    is_total = decoding.best_of > 1 and decoding.best_of_by == "total"
    return total if is_total else total / len(logprobs)
