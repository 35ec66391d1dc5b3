"""Diverse beam search, equal to transformers 4.55.4. Knows log-probabilities; runs no model.

Vijayakumar et al. 2016, "Diverse Beam Search" (arXiv 1610.02424), algorithm 1 with the Hamming
diversity of section 3: the groups go one after the other, and a token costs a group
`diversity_penalty` for each beam of the groups before it that has just chosen it. Each group is a
plain beam search of its own, of the older kind: hypotheses are kept when they end, and a group is
done when none of its beams can better the worst of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ethogram.engine.jobs import Job
from ethogram.engine.sampling.trace import Distribution, TraceRow, apply_steps_counting, record_step
from ethogram.engine.search.base import Search
from ethogram.engine.search.beam import Hypothesis
from ethogram.engine.sequence import as_generation
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.stopping import StopWatch
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Generation

#: The score of beams that do not count yet, as in transformers.
_NEVER = -1.0e9


class _Group:
    """The beams of one group and the hypotheses that it has finished.

    Attributes:
        beams: those that go on.
        scores: [beams] fp32, sums of what each token scored.
        finished: final score and hypothesis, at most as many as beams, in the order of ending.
        is_done: no beam can better the worst of the finished.
    """

    def __init__(self, size: int, empty: Hypothesis) -> None:
        self.beams = [empty] * size
        # Only the first beam counts at first: all are equal, and must not be chosen twice.
        self.scores = torch.tensor([0.0] + [_NEVER] * (size - 1))
        self.finished: list[tuple[float, Hypothesis]] = []
        self.is_done = False

    def finish(self, total: float, hypothesis: Hypothesis, length_penalty: float) -> None:
        """Keep an ended hypothesis if it is among the best as many as there are beams."""
        score = total / len(hypothesis.token_ids) ** length_penalty
        if len(self.finished) < len(self.beams) or score > self.worst:
            self.finished.append((score, hypothesis))
        if len(self.finished) > len(self.beams):
            scores = [one for one, _ in self.finished]
            del self.finished[scores.index(min(scores))]

    @property
    def worst(self) -> float:
        """The lowest final score kept."""
        return min(score for score, _ in self.finished)

    def cannot_improve(self, best: float, written: int, limit: int, decoding: Decoding) -> bool:
        """Whether the group is complete and its best running sum cannot better its worst."""
        if len(self.finished) < len(self.beams):
            return False
        if decoding.early_stopping is True:
            return True
        hopeful = decoding.early_stopping == "never" and decoding.length_penalty > 0
        length = limit if hopeful else written
        return self.worst >= best / float(length**decoding.length_penalty)


class GroupBeamSearch(Search):
    """An output under diverse beam search; it holds a slot for each beam of each group."""

    def __init__(self, job: Job, started: float, tokenizer: Any) -> None:
        super().__init__(job, started, tokenizer)
        self.written = 0
        decoding = job.request.decoding
        self._size = job.slots // decoding.num_beam_groups
        empty = Hypothesis((), (), StopWatch(job.rules, tokenizer))
        self._groups = [_Group(self._size, empty) for _ in range(decoding.num_beam_groups)]

    @property
    def length(self) -> int:
        """Positions filled in its slots, once the last tokens have been fed."""
        return len(self.job.decoder_prompt) + self.written

    @property
    def last_tokens(self) -> list[int]:
        """The token that each of its rows feeds next; any, for a group that is done."""
        return [
            0 if group.is_done else beam.token_ids[-1]
            for group in self._groups
            for beam in group.beams
        ]

    def push(
        self, logits: Tensor, log_probs: Tensor, distribution: Distribution | None = None
    ) -> int:
        """Continue the beams of all groups by one token."""
        self.written += 1
        self.parents = list(range(len(self.rows)))
        chosen: Counter[int] = Counter()
        for number, group in enumerate(self._groups):
            first = number * self._size
            if not group.is_done:
                stop = first + self._size
                mine = distribution.rows(first, stop) if distribution else None
                parents = self._extend(group, log_probs[first:stop], chosen, mine)
                self.parents[first : first + self._size] = [first + parent for parent in parents]
                new = [beam for beam in group.beams if len(beam.token_ids) == self.written]
                chosen.update(beam.token_ids[-1] for beam in new)
        is_full = self.written >= self.job.rules.limit
        if is_full or all(group.is_done for group in self._groups):
            self._close()
        return 1

    def _extend(
        self,
        group: _Group,
        log_probs: Tensor,
        chosen: Counter[int],
        distribution: Distribution | None,
    ) -> list[int]:
        """Continue one group; returns the parent of each of its new beams."""
        decoding = self.job.request.decoding
        history = History(
            [self.job.decoder_prompt] * self._size,
            [beam.token_ids for beam in group.beams],
            self.job.rules.eos_token_ids,
            self.job.string_ids,
        )
        scores, kept = (
            apply_steps_counting(log_probs, decoding, history)
            if distribution
            else (apply_steps(log_probs, decoding, history), None)
        )
        if chosen:
            tokens, counts = (torch.tensor(list(side)) for side in (chosen, chosen.values()))
            cost = torch.zeros(scores.shape[1]).index_put_((tokens,), counts.float())
            scores = scores - decoding.diversity_penalty * cost.to(scores.device)
        total = (scores.cpu() + group.scores.unsqueeze(1)).flatten()
        wanted = max(2, 1 + len(self.job.rules.ending_ids)) * self._size
        best, places = total.topk(min(wanted, len(total)))
        vocab = log_probs.shape[1]
        found = places.tolist()
        news = list(
            zip(
                (place % vocab for place in found),
                log_probs.flatten()[places.to(log_probs.device)].tolist(),
                _watched(
                    distribution, [place // vocab for place in found], places % vocab, scores, kept
                ),
                strict=True,
            )
        )
        return self._sort_out(group, best.tolist(), [place // vocab for place in found], news)

    def _sort_out(
        self,
        group: _Group,
        totals: list[float],
        origins: list[int],
        news: list[tuple[int, float, Sequence[TraceRow]]],
    ) -> list[int]:
        """Let the best continuations run, and keep those of the first few that ended."""
        decoding = self.job.request.decoding
        beams, scores, parents = [], [], []
        for rank, (total, parent, new) in enumerate(zip(totals, origins, news, strict=True)):
            hypothesis = group.beams[parent].extend(*new)
            if hypothesis.finish_reason in ("eos", "stop"):
                if rank < self._size:
                    group.finish(total, hypothesis, decoding.length_penalty)
                continue
            beams.append(hypothesis)
            scores.append(total)
            parents.append(parent)
            if len(beams) == self._size:
                break
        if len(beams) < self._size:
            # Stop strings ended all the others, one of the first few among them.
            group.is_done = True
            return list(range(self._size))
        limit = self.job.rules.limit
        group.is_done = group.cannot_improve(totals[0], self.written, limit, decoding)
        group.beams, group.scores = beams, torch.tensor(scores)
        return parents

    def _close(self) -> None:
        """Take the beams that still run as finished, and the best of all groups as the output."""
        penalty = self.job.request.decoding.length_penalty
        for group in self._groups:
            if not group.is_done:
                for total, beam in zip(group.scores.tolist(), group.beams, strict=True):
                    group.finish(total, beam, penalty)
        self._best = self._best_of_all()
        self.finish_reason = self._best.finish_reason

    def _best_of_all(self) -> Hypothesis:
        finished = [one for group in self._groups for one in group.finished]
        # The last of equals, as in transformers.
        return max(reversed(finished), key=lambda one: one[0])[1]

    def generation(self, now: float) -> Generation:
        """The best hypothesis of all groups."""
        assert self.finish_reason is not None
        return as_generation(
            self.job,
            self._best.token_ids,
            self._best.logprobs,
            self.finish_reason,
            seconds=now - self.started,
            tokenizer=self.tokenizer,
            trace_rows=self._best.trace_rows,
        )


def _watched(
    distribution: Distribution | None,
    parents: Sequence[int],
    tokens: Tensor,
    scores: Tensor,
    kept: NDArray[np.int32] | None,
) -> list[Sequence[TraceRow]]:
    """How each continuation was chosen, where that is traced."""
    if distribution is None or kept is None:
        return [()] * len(parents)
    step = record_step(
        distribution, parents, tokens.to(scores.device), scores, kept, scored=parents
    )
    return [((step, at),) for at in range(len(parents))]
