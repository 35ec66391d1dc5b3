"""Translates requests to vLLM's sampling parameters, and its outputs to generations.

Imports no vLLM.
"""

from __future__ import annotations

from typing import Any

from ethogram.engine.jobs import Job
from ethogram.engine.sequence import as_generation
from ethogram.engine.stopping import StopWatch
from ethogram.errors import ModelError, RequestError
from ethogram.spec.generation import FinishReason, Generation
from ethogram.spec.vllm import SAME_NAMES


def sampling_settings(job: Job, tokenizer: Any) -> dict[str, Any]:
    """Arguments of `vllm.SamplingParams` for a request, without the seed.

    The engine's rules end outputs: the model's end-of-sequence ids are passed as stop tokens, since
    vLLM looks for them in other files, and stop strings are checked here, by the engine's
    `StopWatch`. Under min_new_tokens, stop tokens are checked here too: vLLM would suppress them.

    Args:
        job: the prepared request.
        tokenizer: the model's.

    Raises:
        RequestError: vLLM would let a spelling of a bad word through.
    """
    decoding, rules = job.request.decoding, job.rules
    active = decoding.active_step_names()
    settings: dict[str, Any] = {
        "temperature": decoding.temperature if decoding.is_stochastic else 0.0,
        "max_tokens": rules.limit,
        "ignore_eos": True,
        "stop_token_ids": sorted(rules.ending_ids),
        "logprobs": 0,  # Only that of the chosen token.
        "detokenize": False,
    }
    settings |= {name: getattr(decoding, name) for name in SAME_NAMES if name in active}
    if "logit_bias" in active:
        settings["logit_bias"] = dict(decoding.step_value("logit_bias"))  # type: ignore[call-overload]
    if "min_new_tokens" in active:
        settings["min_tokens"] = min(decoding.min_new_tokens, rules.limit)
        settings["stop_token_ids"] = sorted(rules.eos_token_ids)
    if "bad_words" in active:
        _check_bad_words(job, tokenizer)
        settings["bad_words"] = [str(word) for word in decoding.bad_words]
    return settings


def seed_of(noise_key: int | None) -> int | None:
    """A noise key as a seed: 63 bits, since parts of vLLM store it as a signed integer."""
    return None if noise_key is None else noise_key >> 1


def _check_bad_words(job: Job, tokenizer: Any) -> None:
    bad = set(job.string_ids.bad)
    theirs = {ids for word in job.request.decoding.bad_words for ids in _spellings(word, tokenizer)}
    if {(token,) for token in job.rules.eos_token_ids} & bad:
        raise _bad_words_error("vLLM would ban the end of sequence, which the engine keeps")
    if bad != theirs:
        missed = tokenizer.decode(list(min(bad ^ theirs)))
        raise _bad_words_error(f"vLLM spells them differently and would let {missed!r} through")
    if any(
        job.prompt_ids[-length:] == word[:length] for word in bad for length in range(1, len(word))
    ):
        raise _bad_words_error(
            f"prompt {job.request.prompt_id} ends with the start of one, and vLLM checks only "
            "the output"
        )


def _bad_words_error(what: str) -> RequestError:
    return RequestError(what, where="decoding.bad_words", hint="set `backend: engine`")


def _spellings(word: Any, tokenizer: Any) -> list[tuple[int, ...]]:
    """How vLLM spells a bad word (`SamplingParams.update_from_tokenizer`)."""
    bare, spaced = (
        tuple(tokenizer.encode(f"{space}{word.lstrip()}", add_special_tokens=False))
        for space in ("", " ")
    )
    is_another = bare and spaced and spaced[0] != bare[0] and len(spaced) == len(bare)
    return [bare, spaced] if is_another else [bare]


class RunningOutput:
    """An output that vLLM is generating.

    Args:
        job: the prepared request.
        tokenizer: the model's.
        index: its index among the request's candidates.
        candidates: all candidates of the request that have ended; the others are None.

    Attributes:
        started: clock reading at its first token, seconds.
        token_ids: its tokens so far.
        logprobs: their raw log-probabilities, nats.
        new_tokens: how many of them the last step added.
    """

    def __init__(
        self, job: Job, tokenizer: Any, index: int, candidates: list[Generation | None]
    ) -> None:
        self.job, self.candidates = job, candidates
        self.started = 0.0
        self.token_ids: list[int] = []
        self.logprobs: list[float] = []
        self.new_tokens = 0
        self._tokenizer, self._index = tokenizer, index
        self._stops = StopWatch(job.rules, tokenizer)
        self._reason: FinishReason | None = None

    def take(self, completion: Any) -> bool:
        """Add the tokens of a step; returns whether the output has ended.

        Args:
            completion: a `vllm.CompletionOutput` of new tokens only.

        Raises:
            ModelError: vLLM ended the output early.
        """
        before = len(self.token_ids)
        for token, known in zip(completion.token_ids, completion.logprobs or (), strict=True):
            self.token_ids.append(int(token))
            self.logprobs.append(float(known[token].logprob))
            self._reason = self._stops.push(int(token))
            if self._reason is not None:
                break
        self.new_tokens = len(self.token_ids) - before
        if self._reason is None and completion.finish_reason is not None:
            raise ModelError(
                f"vLLM ended an output early ({completion.finish_reason})",
                where=f"prompt {self.job.request.prompt_id}",
                hint="see vLLM's log: VLLM_LOGGING_LEVEL=INFO",
            )
        return self._reason is not None

    def finish(self, now: float) -> None:
        """Add the finished output to the candidates of its request."""
        assert self._reason is not None
        self.candidates[self._index] = as_generation(
            self.job,
            self.token_ids,
            self.logprobs,
            self._reason,
            seconds=now - self.started,
            tokenizer=self._tokenizer,
        )
