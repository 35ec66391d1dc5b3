"""Remote backend: generations of a model at an OpenAI-compatible endpoint.

An endpoint gives text, how it ended, and how many tokens were counted. It gives no token ids that
another tokenizer could read, no traces, and no promise of equal bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from ethogram.backends.asking import Asking, Retry, Spending
from ethogram.backends.client import LONGEST_REPLY, Connection, Hints, clean, token_count
from ethogram.backends.endpoint import VARIABLE, Budget, endpoint_of, machine_options
from ethogram.engine.work import Work
from ethogram.errors import RequestError
from ethogram.spec.endpoint import NEUTRAL, RemoteModel, decoding_refusal, parameters
from ethogram.spec.generation import FinishReason, Generation, Request

HINTS = Hints(
    key="set OPENAI_API_KEY for OpenAI, or for another host "
    f'{VARIABLE}={{"keys": {{"HOST": "VARIABLE"}}}}',
    model="check model and base_url of the version; text prompts need /completions, `prompt.chat: "
    "true` uses /chat/completions",
    timeout=f'give it more time: {VARIABLE}={{"timeout": 300}}',
    concurrency=f'lower concurrency: {VARIABLE}={{"concurrency": 2}}',
    stored="outputs so far are stored, and the next run goes on",
)
#: Parameters that some models refuse: OpenAI's reasoning models rename the limit.
_RENAMED = {"max_tokens": "max_completion_tokens"}
#: Left out where a server refuses it: no server promises what a seed should.
_SEED = "seed"
#: Tokens of a chat's markers, by message, added to a prompt's bytes as the most it can cost.
_MARKERS = 16
_REASONS: dict[str, FinishReason] = {"length": "length", "stop": "eos", "eos": "eos"}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an endpoint gave for a request."""

    request: Request
    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class RemoteBackend:
    """Generates with one model of one endpoint.

    Args:
        model: which, and where.
        budget: of this run; what it leaves open is as in ETHOGRAM_ENDPOINT.

    Attributes:
        work: tokens that the endpoint reported in the last call of `generate` so far.
        where: the address, without secrets.

    Raises:
        MissingExtraError: the openai package is not installed.
        BackendError: no usable address, no key, or no prices for a money budget.
        SpecError: an option of ETHOGRAM_ENDPOINT is wrong.
    """

    def __init__(self, model: RemoteModel, *, budget: Budget | None = None) -> None:
        options, budget = machine_options(), budget or Budget()
        merged = Budget(
            options.budget.tokens if budget.tokens is None else budget.tokens,
            options.budget.money if budget.money is None else budget.money,
            {**options.budget.prices, **budget.prices},
        )
        self.model, self.work = model, Work()
        self._endpoint = endpoint_of(model.base_url, options)
        self._connection = Connection(model.name, self._endpoint, HINTS, extra="endpoint")
        self.where = self._connection.where
        self.spending = Spending(merged, model.name)
        self._refused: set[str] = set()

    def __str__(self) -> str:
        return f"{self.model.name} at {self.where}: {self.spending.words}"

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
    ) -> Iterator[Generation]:
        """Generate; all requests are checked before the first is sent.

        Args:
            requests: in any order; requests of equal identity are sent once.
            on_tokens: called after each answer with its completion tokens.
            trace: refused, since an endpoint does not report how a token was chosen.

        Returns:
            Generations as they arrive.

        Raises:
            RequestError: a decoding has a setting that the endpoint cannot take.
            BackendError: the endpoint fails; what arrived before is returned.
        """
        if trace:
            raise RequestError(
                "an endpoint does not report how a token was chosen",
                where=f"model {self.model.name}",
                hint="run with --no-trace",
            )
        distinct = list({request.identity: request for request in requests}.values())
        for request in distinct:
            self._check(request)
        self.work = Work()
        return self._generate(distinct, on_tokens)

    def _check(self, request: Request) -> None:
        found = decoding_refusal(request.decoding, self.model.api)
        where, what, hint = "", "", ""
        if found is not None:
            where, what, hint = found.setting, found.what, found.hint
        elif request.chat.continues:
            where, what = f"prompt {request.prompt_id}", "an endpoint cannot continue a message"
            hint = "end the chat with a user's message"
        if what:
            error = RequestError(what, where=where, hint=hint)
            error.request = request.identity
            raise error

    def _generate(
        self, requests: Sequence[Request], on_tokens: Callable[[int], None] | None
    ) -> Iterator[Generation]:
        asking: Asking[Request, _Answer] = Asking(
            self._one,
            self._failed,
            self._endpoint,
            spending=self.spending,
            costs=_costs,
            used=lambda answer: (answer.prompt_tokens, answer.completion_tokens),
            where=self.where,
            hanging=self._connection.hanging(),
        )
        for answer in asking.ask(requests):
            self._count(answer)
            if on_tokens is not None:
                on_tokens(answer.completion_tokens)
            yield _generation(answer)

    def _count(self, answer: _Answer) -> None:
        self.work.prefills += 1
        self.work.output_tokens += answer.completion_tokens
        self.work.computed_tokens += max(answer.completion_tokens, 1) - 1
        self.work.prompt_tokens += answer.prompt_tokens
        self.work.prompt_tokens_computed += answer.prompt_tokens

    def _failed(self, error: Exception, tries: int) -> Retry:
        return self._connection.failed(error, tries)

    def stream(self, request: Request, on_text: Callable[[str], None]) -> Generation:
        """Generate one output and call `on_text` with its pieces as they arrive.

        Nothing is tried again: what was shown cannot be taken back.

        Raises:
            RequestError: as `generate`.
            BackendError: the endpoint fails, or the stream ends before the output does.
        """
        self._check(request)
        began, pieces, reason = perf_counter(), [], ""
        try:
            with self._send(request, stream=True) as stream:
                for chunk in stream:
                    text, ended = self._piece(request, chunk)
                    reason = ended or reason
                    if text:
                        pieces.append(text)
                        on_text(text)
                    if sum(map(len, pieces)) > LONGEST_REPLY:
                        break
        except Exception as error:
            raise self._failed(error, 1).error from None
        if not reason:
            raise self._connection.malformed("the stream ended before the output did")
        text = "".join(pieces)
        return _generation(
            _Answer(request, text, _reason(request, reason), 0, 0, perf_counter() - began)
        )

    def _piece(self, request: Request, chunk: Any) -> tuple[str, str]:
        """The text of a chunk and how the output ended, if it did."""
        if not getattr(chunk, "choices", None):
            return "", ""
        choice = chunk.choices[0]
        if isinstance(request.prompt, str):
            text = getattr(choice, "text", None)
        else:
            text = getattr(getattr(choice, "delta", None), "content", None)
        return clean(text) if isinstance(text, str) else "", str(choice.finish_reason or "")

    def _one(self, request: Request) -> _Answer:
        """One try."""
        began = perf_counter()
        completion = self._send(request, stream=False)
        try:
            choice = completion.choices[0]
            is_text = isinstance(request.prompt, str)
            text = choice.text if is_text else choice.message.content
            if not isinstance(text, str | None):
                raise self._connection.malformed()
            reason = str(choice.finish_reason or "")
            usage = getattr(completion, "usage", None)
        except (AttributeError, IndexError, TypeError, KeyError):
            raise self._connection.malformed() from None
        return _Answer(
            request,
            clean(text or "")[:LONGEST_REPLY],
            _reason(request, reason),
            token_count(getattr(usage, "prompt_tokens", 0)),
            token_count(getattr(usage, "completion_tokens", 0)),
            perf_counter() - began,
        )

    def _send(self, request: Request, *, stream: bool) -> Any:
        """One try; parameters that mean nothing are left out where the endpoint refuses them."""
        seed = None if request.noise_key is None else request.noise_key >> 33
        while True:
            refused = frozenset(self._refused)
            body = parameters(request.decoding, self.model.api, seed)
            for name in refused & body.keys():
                value = body.pop(name)
                if name in _RENAMED:
                    body[_RENAMED[name]] = value
            try:
                return self._post(request, body, stream)
            except Exception as error:
                free = {name for name, value in NEUTRAL.items() if body.get(name) == value}
                names = (*_RENAMED, _SEED, *free)
                again = self._connection.refused_settings(error, names) & body.keys()
                if not again:
                    raise
                self._refused |= again

    def _post(self, request: Request, body: dict[str, Any], stream: bool) -> Any:
        client = self._connection.openai
        common = {"model": self.model.name, "extra_body": body, "stream": stream}
        if isinstance(request.prompt, str):
            return client.completions.create(prompt=clean(request.prompt), **common)
        messages = [
            {"role": message.role, "content": clean(message.content)} for message in request.prompt
        ]
        return client.chat.completions.create(messages=messages, **common)


def _costs(request: Request) -> tuple[int, int]:
    """The most tokens that a request can take: a token has at least a byte."""
    if isinstance(request.prompt, str):
        prompt = len(request.prompt.encode("utf-8", "replace")) + 1
    else:
        prompt = sum(
            len(message.content.encode("utf-8", "replace")) + _MARKERS for message in request.prompt
        )
    return prompt, request.decoding.max_new_tokens


def _reason(request: Request, reported: str) -> FinishReason:
    """How an output ended; an endpoint says `stop` of its own end and of a stop string alike."""
    if reported == "stop" and (request.decoding.stop or request.decoding.stop_token_ids):
        return "stop"
    return _REASONS.get(reported, "unknown")


def _generation(answer: _Answer) -> Generation:
    request = answer.request
    prompt = request.prompt
    if not isinstance(prompt, str):
        prompt = "\n\n".join(f"{message.role}: {message.content}" for message in prompt)
    return Generation(
        identity=request.identity,
        prompt_id=request.prompt_id,
        sample_index=request.sample_index,
        prompt_text=prompt,
        prompt_token_ids=(),
        token_ids=(),
        text=answer.text,
        finish_reason=answer.finish_reason,
        logprobs=(),
        seconds=answer.seconds,
    )
