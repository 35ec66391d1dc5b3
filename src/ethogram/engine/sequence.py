"""One output being written, token by token. Knows its job; knows no slot and runs no model."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from ethogram.engine.jobs import Job
from ethogram.engine.sampling.token_history import TokenHistory
from ethogram.engine.sampling.trace import Place, as_trace
from ethogram.engine.steps.mirostat import first_limit, next_limit
from ethogram.engine.stopping import StopWatch, final_text
from ethogram.spec.generation import FinishReason, Generation


class SequenceState:
    """An output under greedy decoding or sampling.

    Args:
        job: what is written.
        started: clock reading at admission, seconds.
        tokenizer: to watch for stop strings and to make the text.
    """

    def __init__(self, job: Job, started: float, tokenizer: Any) -> None:
        self.job, self.started = job, started
        self.token_ids: list[int] = []
        self.logprobs: list[float] = []
        #: How each token was chosen, where that is watched.
        self.watched: list[Place] = []
        self.finish_reason: FinishReason | None = None
        decoding = job.request.decoding
        #: Outputs of one group choose alike, so they choose together.
        self.group: Hashable = (
            decoding.resolved_strategy,
            decoding.steps,
            decoding.guidance_branch,
        )
        #: Prompt and tokens in the form of the compiled choice.
        self.seen = TokenHistory(job.decoder_prompt, job.rules.limit)
        self._mirostat = decoding.mirostat
        #: Most surprise of the next token, bits; each token moves it when mirostat is on.
        self.surprise_limit = first_limit(self._mirostat)
        self._tokenizer = tokenizer
        self._watch = StopWatch(job.rules, tokenizer)

    @property
    def length(self) -> int:
        """Positions of prompt and tokens together."""
        return len(self.job.decoder_prompt) + self.written

    @property
    def written(self) -> int:
        """New tokens so far."""
        return len(self.token_ids)

    def push(self, token: int, logprob: float, surprise: float | None = None) -> None:
        """Add a token.

        Args:
            token: its id.
            logprob: its raw log-probability, nats.
            surprise: its surprise in the draw, bits; only mirostat asks for it.
        """
        if surprise is not None:
            self.surprise_limit = next_limit(self.surprise_limit, surprise, self._mirostat)
        self.token_ids.append(token)
        self.seen.push(token)
        self.logprobs.append(logprob)
        self.finish_reason = self._watch.push(token)

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
            seen=self.watched,
        )


def as_generation(
    job: Job,
    token_ids: Sequence[int],
    logprobs: Sequence[float],
    finish_reason: FinishReason,
    *,
    seconds: float,
    tokenizer: Any,
    seen: Sequence[Place] = (),
) -> Generation:
    """Put a finished output in the form that leaves the room."""
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
        trace=as_trace(seen, request.decoding) if seen else None,
    )
