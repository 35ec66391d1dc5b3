"""Contrastive search: a probable token whose hidden state differs from those before it.

Su et al. 2022, "A Contrastive Framework for Neural Text Generation" (arXiv 2202.06417), equation 5:
of the k most probable tokens v the one with the highest

    (1 - alpha) p(v) - alpha max_j cos(h(v), h(j)),

h being the model's last hidden states, of v as the next token and of the tokens j before it. Each
candidate runs in a slot of its own, so a token is chosen one step after it became a candidate.
Equal to transformers 4.55.4, the last release that had it; cosines are fp32 here in any dtype.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ethogram.engine.jobs import Job
from ethogram.engine.sampling.trace import (
    Distribution,
    StepTrace,
    apply_steps_counting,
    record_step,
)
from ethogram.engine.search.base import Search
from ethogram.engine.sequence import SequenceState
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.steps.response_format import within_form
from ethogram.engine.structure import OutputForm
from ethogram.spec.generation import Generation


class ContrastiveSearch(Search):
    """An output under contrastive search; it holds a slot for each candidate."""

    needs_states = True

    def __init__(self, job: Job, started: float, tokenizer: Any) -> None:
        super().__init__(job, started, tokenizer)
        self._output = SequenceState(job, started, tokenizer)
        self._candidates: list[int] = []
        #: Where candidates stand in the form, by index; None for one without a place there.
        self._forms: dict[int, OutputForm | None] = {}
        self._is_refused = False  # whether a candidate was that came before
        #: How each candidate was found, where a trace is wanted.
        self._trace: StepTrace | None = None
        self._logprobs: list[float] = []
        self._probs = torch.empty(0)
        self._fresh = torch.empty(0)  # states of the tokens run last
        self._context = torch.empty(0)  # [capacity, width] unit states of the history
        self._states_known = 0

    @property
    def length(self) -> int:
        """Positions filled once the candidates have run."""
        return self._output.length + 1

    @property
    def shared_length(self) -> int:
        """All but the last position, where the candidates differ."""
        return self.length - 2

    @property
    def last_tokens(self) -> list[int]:
        """The candidates."""
        return self._candidates

    def take_states(self, states: Tensor) -> None:
        """Called before `push`: [positions, width] of the prompt, then [candidates, width]."""
        self._fresh = normalize(states.float(), dim=-1)

    def push(
        self, logits: Tensor, log_probs: Tensor, distribution: Distribution | None = None
    ) -> int:
        """Choose among the candidates that ran, then find the next ones."""
        if not self._candidates:
            self._add_states(self._fresh)
            self._find_candidates(logits, log_probs, distribution, 0)
            return 0
        chosen = self._rank()
        self._add_states(self._fresh[chosen : chosen + 1])
        self._output.form = self._forms.get(chosen)
        self._output.push(self._candidates[chosen], self._logprobs[chosen])
        if self._trace is not None:
            self._output.trace_rows.append((self._trace, chosen))
        self.parents = [chosen] * len(self.rows)
        self.finish_reason = self._output.finish_reason
        if self.finish_reason is None:
            self._find_candidates(logits, log_probs, distribution, chosen)
        return 1

    def _rank(self) -> int:
        alpha = self.job.request.decoding.penalty_alpha
        similarity = (self._context[: self._states_known] @ self._fresh.T).amax(0)  # [candidates]
        ranks = (1.0 - alpha) * self._probs - alpha * similarity
        for chosen in ranks.argsort(descending=True, stable=True).tolist():
            if self._output.form is None or self._has_place(chosen):
                return int(chosen)
        raise AssertionError("no candidate has a place in the form")

    def _find_candidates(
        self, logits: Tensor, log_probs: Tensor, distribution: Distribution | None, row: int
    ) -> None:
        """Take the most probable next tokens of a row as candidates."""
        history = History(
            [self.job.decoder_prompt],
            [self._output.token_ids],
            self.job.rules.eos_token_ids,
            self.job.string_ids,
            masks=[self._output.form.mask()] if self._output.form is not None else [],
        )
        decoding, own = self.job.request.decoding, logits[row : row + 1]
        scores, kept = (
            apply_steps_counting(own, decoding, history)
            if distribution
            else (apply_steps(own, decoding, history), None)
        )
        scores = within_form(scores, own, history)
        self._probs, ids = scores.softmax(-1)[0].topk(self.job.slots)
        self._candidates = ids.tolist()
        self._forms, self._is_refused = {}, False
        form = self._output.form
        if form is not None and not any(map(self._has_place, range(len(self._candidates)))):
            form.close()
            self._find_candidates(logits, log_probs, distribution, row)
            return
        self._logprobs = log_probs[row, ids].tolist()
        if distribution is not None and kept is not None:
            same = [0] * len(ids)
            self._trace = record_step(
                distribution, [row] * len(ids), ids, scores, kept, scored=same
            )

    def _has_place(self, index: int) -> bool:
        """Whether a candidate has a place in the form; looked at only where it is needed."""
        form = self._output.form
        assert form is not None
        if index not in self._forms:
            possible = bool(self._probs[index] > 0)
            after = form.after(self._candidates[index]) if possible else None
            if after is not None:
                after.is_closed = after.is_closed or self._is_refused
            self._forms[index] = after
            self._is_refused = self._is_refused or (possible and after is None)
        return self._forms[index] is not None

    def _add_states(self, states: Tensor) -> None:
        """Add unit states [new, width] to those of the history."""
        needed = self._states_known + len(states)
        if not self._states_known:
            capacity = len(states) + self.job.rules.limit
            self._context = states.new_empty((capacity, states.shape[1]))
        self._context[self._states_known : needed] = states
        self._states_known = needed

    def generation(self, now: float) -> Generation:
        """The output."""
        made = self._output.generation(now)
        assert made is not None
        return made
