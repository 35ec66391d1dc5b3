"""The state of one output while its tokens are chosen one by one."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

from ethogram.engine.jobs import Job
from ethogram.engine.sampling.token_history import TokenHistory
from ethogram.engine.sampling.trace import TraceRow, as_trace
from ethogram.engine.steps.mirostat import first_limit, next_limit
from ethogram.engine.stopping import StopWatch, final_text
from ethogram.engine.structure import OutputForm
from ethogram.errors import ModelError
from ethogram.spec.generation import FinishReason, Generation


class SequenceState:
    """An output under greedy decoding or sampling.

    Args:
        job: the prepared request.
        started: clock reading at admission, seconds.
        tokenizer: to find stop strings and to make the text.

    Attributes:
        token_ids: the tokens so far.
        logprobs: their raw log-probabilities, nats.
        trace_rows: how each was chosen, where a trace is wanted.
        finish_reason: why it ended, or None.
        decoding_key: equal for outputs of equal decodings, so that they are sampled together.
        history: prompt and tokens in the form of the sampling kernel.
        surprisal_limit: most surprisal of the next token, bits; mirostat moves it with each token.
        form: where the output stands in its form, if it has one.
    """

    def __init__(self, job: Job, started: float, tokenizer: Any) -> None:
        self.job, self.started = job, started
        self.token_ids: list[int] = []
        self.logprobs: list[float] = []
        self.trace_rows: list[TraceRow] = []
        self.finish_reason: FinishReason | None = None
        decoding = job.request.decoding
        self.decoding_key: Hashable = (
            decoding.resolved_strategy,
            # What a form lets in travels with each output, so one chain serves all forms.
            tuple(step if step[0] != "response_format" else step[:1] for step in decoding.steps),
            decoding.guidance_branch,
        )
        self.form = None if job.form is None else OutputForm(job.form, job.rules.limit)
        self.history = TokenHistory(job.decoder_prompt, job.rules.limit)
        self._mirostat = decoding.mirostat
        self.surprisal_limit = first_limit(self._mirostat)
        self._tokenizer = tokenizer
        self._stops = StopWatch(job.rules, tokenizer)
        for token, logprob in zip(job.known_tokens, job.known, strict=True):
            self.push(token, logprob)

    @property
    def length(self) -> int:
        """Positions of prompt and tokens together."""
        return len(self.job.decoder_prompt) + self.written

    @property
    def written(self) -> int:
        """New tokens so far."""
        return len(self.token_ids)

    @property
    def chosen(self) -> int:
        """New tokens that were chosen here, not known before."""
        return self.written - len(self.job.known)

    def takes(self, token: int) -> bool:
        """Whether its form has place for a token; if not, only one is left for the next choice."""
        return self.form is None or self.form.take(token)

    def push(self, token: int, logprob: float, surprisal: float | None = None) -> None:
        """Add a token.

        Args:
            token: its id.
            logprob: its raw log-probability, nats.
            surprisal: its surprisal in the draw, bits; only mirostat needs it.

        Raises:
            ModelError: the log-probability is NaN, so the model's logits are not numbers.
        """
        if math.isnan(logprob):
            raise ModelError(
                "its logits are NaN or infinite",
                where=f"model, at prompt {self.job.request.prompt_id}, token {self.written}",
                hint="choose dtype float32, or check the weights",
            )
        if surprisal is not None:
            self.surprisal_limit = next_limit(self.surprisal_limit, surprisal, self._mirostat)
        self.token_ids.append(token)
        self.history.push(token)
        self.logprobs.append(logprob)
        self.finish_reason = self._stops.push(token)
        if self.finish_reason == "eos" and self.form is not None and self.form.is_closed:
            self.finish_reason = "closed"

    def generation(self, now: float) -> Generation | None:
        """The finished output; None where it is a candidate and others are not finished."""
        assert self.finish_reason is not None
        return as_generation(
            self.job,
            self.token_ids,
            self.logprobs,
            self.finish_reason,
            seconds=now - self.started,
            tokenizer=self._tokenizer,
            trace_rows=self.trace_rows,
        )


def as_generation(
    job: Job,
    token_ids: Sequence[int],
    logprobs: Sequence[float],
    finish_reason: FinishReason,
    *,
    seconds: float,
    tokenizer: Any,
    trace_rows: Sequence[TraceRow] = (),
) -> Generation:
    """A finished output as a `Generation`; `seconds` is how long it took."""
    request = job.request
    return Generation(
        identity=request.identity,
        prompt_id=request.prompt_id,
        sample_index=request.sample_index,
        prompt_text=job.prompt_text,
        prompt_token_ids=job.prompt_ids,
        token_ids=tuple(token_ids),
        text=final_text(tokenizer, token_ids, job.rules),
        finish_reason=finish_reason,
        logprobs=tuple(logprobs),
        seconds=seconds,
        trace=as_trace(trace_rows, request.decoding) if trace_rows else None,
    )
