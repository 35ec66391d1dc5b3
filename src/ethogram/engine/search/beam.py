"""Beam search, equal to that of transformers.

Scores are fp32 tensors combined in the same order as there, so that ties and rounding agree; the
hypotheses themselves are plain tuples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ethogram.engine.jobs import Job
from ethogram.engine.sampling.trace import Distribution, TraceRow, apply_steps_counting, record_step
from ethogram.engine.search.base import Search
from ethogram.engine.sequence import as_generation
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.steps.response_format import within_form
from ethogram.engine.stopping import StopWatch
from ethogram.engine.structure import OutputForm
from ethogram.spec.generation import FinishReason, Generation

#: Stands for minus infinity in scores, as in transformers; its exact size decides no comparison
#: between real beams.
_NEVER = -1.0e9


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One beam.

    Attributes:
        token_ids: the new tokens.
        logprobs: their raw log-probabilities, nats.
        stops: checks whether it ends.
        form: where it stands in its form, if it has one.
        finish_reason: why it ended, or None.
        trace_rows: how each token was found, where a trace is wanted.
    """

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    stops: StopWatch
    form: OutputForm | None = None
    finish_reason: FinishReason | None = None
    trace_rows: tuple[TraceRow, ...] = ()

    def extend(
        self, token: int, logprob: float, trace_rows: Sequence[TraceRow], form: OutputForm | None
    ) -> Hypothesis:
        """The hypothesis with one more token, after which it stands in its form as given."""
        stops = self.stops.fork()
        reason = stops.push(token)
        if reason == "eos" and form is not None and form.is_closed:
            reason = "closed"
        ids, logprobs = (*self.token_ids, token), (*self.logprobs, logprob)
        return Hypothesis(ids, logprobs, stops, form, reason, (*self.trace_rows, *trace_rows))


class BeamSearch(Search):
    """An output under beam search; it holds as many slots as beams."""

    def __init__(self, job: Job, started: float, tokenizer: Any) -> None:
        super().__init__(job, started, tokenizer)
        self.written = 0
        beams = job.slots
        form = None if job.form is None else OutputForm(job.form, job.rules.limit)
        empty = Hypothesis((), (), StopWatch(job.rules, tokenizer), form)
        self._running = [empty] * beams
        # A form may let in fewer tokens than there are beams; what is left over is never real.
        self._never = _NEVER if form is None else -torch.inf
        # Only the first beam counts at first: all are equal, and must not be chosen twice.
        self._running_scores = torch.tensor([0.0] + [self._never] * (beams - 1))
        self._finished = [empty] * beams
        self._finished_scores = torch.full((beams,), _NEVER)
        self._is_finished = torch.zeros(beams, dtype=torch.bool)
        self._can_improve = True

    @property
    def length(self) -> int:
        """Positions filled in its slots, once the last tokens have run."""
        return len(self.job.decoder_prompt) + self.written

    @property
    def last_tokens(self) -> list[int]:
        """The token that each of its slots runs next."""
        return [beam.token_ids[-1] for beam in self._running]

    def push(
        self, logits: Tensor, log_probs: Tensor, distribution: Distribution | None = None
    ) -> int:
        """Continue all beams by one token."""
        scores, candidates, parents = self._candidates(log_probs, distribution)
        hits = torch.tensor([one.finish_reason is not None for one in candidates])
        self.written += 1
        self._collect(scores, candidates, hits)

        # Added, as in transformers, where it is a number; times zero, minus infinity is none.
        running = torch.where(hits, scores + self._never, scores)
        chosen = running.topk(self.job.slots).indices
        self._running = [candidates[i] for i in chosen.tolist()]
        self._running_scores = running[chosen]
        self.parents = [parents[i] for i in chosen.tolist()]

        self._can_improve = self._can_improve and self._may_improve()
        full = self.job.request.decoding.early_stopping is True and bool(self._is_finished.all())
        nothing_left = bool((hits | scores.isneginf()).all())
        if not self._can_improve or full or nothing_left:
            self.finish_reason = self._finished[0].finish_reason
        return 1

    def _candidates(
        self, log_probs: Tensor, distribution: Distribution | None
    ) -> tuple[Tensor, list[Hypothesis], list[int]]:
        """The best continuations, enough that some are left if every ending id is among them."""
        beams, vocab = self.job.slots, log_probs.shape[1]
        history = History(
            [self.job.decoder_prompt] * beams,
            [beam.token_ids for beam in self._running],
            self.job.rules.eos_token_ids,
            self.job.string_ids,
            masks=[beam.form.mask() for beam in self._running if beam.form is not None],
        )
        decoding = self.job.request.decoding
        if distribution is None:
            edited = apply_steps(log_probs, decoding, history)
        else:
            edited, kept = apply_steps_counting(log_probs, decoding, history)
        processed = within_form(edited, log_probs, history).cpu()
        total = (processed + self._running_scores.unsqueeze(1)).flatten()
        wanted = max(2, 1 + len(self.job.rules.ending_ids)) * beams
        scores, cells = total.topk(min(wanted, len(total)))
        parents = (cells // vocab).tolist()
        forms = self._forms_after(scores, parents, (cells % vocab).tolist())
        if self.job.form is not None:
            if bool(scores.isneginf().all()):
                for beam in self._running:
                    assert beam.form is not None
                    beam.form.close()
                return self._candidates(log_probs, distribution)
            scores, order = scores.sort(descending=True, stable=True)
            cells = cells[order]
            parents, forms = ([each[at] for at in order.tolist()] for each in (parents, forms))
        tokens = cells % vocab
        logprobs = log_probs.flatten()[cells.to(log_probs.device)].tolist()
        trace_rows: list[Sequence[TraceRow]] = [()] * len(parents)
        if distribution is not None:
            step = record_step(
                distribution, parents, tokens.to(edited.device), edited, kept, scored=parents
            )
            trace_rows = [((step, at),) for at in range(len(parents))]
        candidates = [
            self._running[parent].extend(*new)
            for parent, *new in zip(
                parents, tokens.tolist(), logprobs, trace_rows, forms, strict=True
            )
        ]
        return scores, candidates, parents

    def _forms_after(
        self, scores: Tensor, parents: Sequence[int], tokens: Sequence[int]
    ) -> list[OutputForm | None]:
        """Where the best continuations stand in the form, as many as are needed.

        Args:
            scores: [continuations], best first; those without a place in the form, and those that
                are not needed, become minus infinity.
            parents: the beam that each continues.
            tokens: by which.
        """
        found = [self._running[parent].form for parent in parents]
        needed, closed = self.job.slots, set[int]()
        for at, (parent, token) in enumerate(zip(parents, tokens, strict=True)):
            form = found[at]
            if form is None:
                continue
            after = form.after(token) if needed and scores[at] > -torch.inf else None
            if after is None:
                scores[at] = -torch.inf
                closed.add(parent)
                continue
            after.is_closed = after.is_closed or parent in closed
            found[at] = after
            needed -= token not in self.job.rules.eos_token_ids
        return found

    def _collect(self, scores: Tensor, candidates: list[Hypothesis], hits: Tensor) -> None:
        """Merge the candidates that ended among the best `beams` into the finished ones."""
        beams, decoding = self.job.slots, self.job.request.decoding
        ended = hits & (torch.arange(len(candidates)) < beams)
        final = scores / (self.written**decoding.length_penalty)
        full = decoding.early_stopping is True and bool(self._is_finished.all())
        final = final + float(full) * _NEVER + float(not self._can_improve) * _NEVER
        final = final + (~ended).float() * _NEVER
        merged = torch.cat((self._finished_scores, final))
        flags = torch.cat((self._is_finished, ended))
        best = merged.topk(beams).indices
        pool = [*self._finished, *candidates]
        self._finished = [pool[i] for i in best.tolist()]
        self._finished_scores, self._is_finished = merged[best], flags[best]

    def _may_improve(self) -> bool:
        """Whether the best running beam could still beat the worst finished one (a heuristic)."""
        decoding = self.job.request.decoding
        hopeful = decoding.early_stopping == "never" and decoding.length_penalty > 0
        length = self.job.rules.limit if hopeful else self.written
        best = self._running_scores[0] / (length**decoding.length_penalty)
        worst = torch.where(self._is_finished, self._finished_scores.min(), _NEVER)
        return bool((best > worst).any())

    def generation(self, now: float) -> Generation:
        """The best finished hypothesis."""
        assert self.finish_reason is not None
        best = self._finished[0]
        return as_generation(
            self.job,
            best.token_ids,
            best.logprobs,
            self.finish_reason,
            seconds=now - self.started,
            tokenizer=self.tokenizer,
            trace_rows=best.trace_rows,
        )
