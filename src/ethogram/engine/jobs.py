"""Prepares requests: tokenises their prompts, resolves their rules and checks them.

Backends share it, so that each runs the same prompt ids under the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ethogram.engine.chat import chat_text, warn_of_dropped
from ethogram.engine.forced import NOTHING_FORCED, Forced, forced_tokens
from ethogram.engine.forward.passes import ServedModel
from ethogram.engine.guidance import GuidanceBranch, GuidanceBranches
from ethogram.engine.stopping import StopRules
from ethogram.engine.structure import Form, form_of
from ethogram.engine.token_strings import StringIds, TokenStrings
from ethogram.errors import PromptTooLongError, RequestError
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Request


@dataclass(frozen=True, slots=True)
class Job:
    """A prepared request.

    Attributes:
        request: the request.
        prompt_text: the text that the model sees.
        prompt_ids: its ids, special tokens included.
        decoder_prompt: the ids that the decoder reads before it generates.
        rules: what ends the output.
        string_ids: token ids of the strings of its decoding.
        slots: slots that it needs: the beams of a beam search, the candidates of contrastive
            search, of best-of and of self-consistency, otherwise one.
        guidance: its guidance branch, if its decoding has one.
        forced: tokens that the output must have.
        form: what the output must be, if its decoding says so.
        known: log-probabilities of its first tokens, which are read with the prompt.
    """

    request: Request
    prompt_text: str
    prompt_ids: tuple[int, ...]
    decoder_prompt: tuple[int, ...]
    rules: StopRules
    string_ids: StringIds
    slots: int
    guidance: GuidanceBranch | None = None
    forced: Forced = NOTHING_FORCED
    form: Form | None = None
    known: tuple[float, ...] = ()

    @property
    def known_tokens(self) -> tuple[int, ...]:
        """Its first tokens, as far as they are known."""
        return tuple(map(int, self.forced.first[: len(self.known)]))

    @property
    def read_ids(self) -> tuple[int, ...]:
        """What is run before its first token is chosen: the prompt and the known tokens."""
        return self.prompt_ids + self.known_tokens


class PromptReader(Protocol):
    """What a model reads of a prompt, and how much fits."""

    @property
    def context_length(self) -> int:
        """Most tokens of prompt and output together."""

    def decoder_prompt(self, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """The ids that the decoder reads before it generates."""


def make_jobs(
    requests: Sequence[Request],
    loaded: ServedModel,
    reader: PromptReader,
    amateurs: Mapping[str, ServedModel] | None = None,
    token_ids: Mapping[str, tuple[int, ...]] | None = None,
) -> list[Job]:
    """Prepare all requests; each distinct prompt is tokenised once.

    Args:
        requests: to prepare.
        loaded: the model.
        reader: what it reads of a prompt.
        amateurs: weaker models, by name.
        token_ids: prompts that come as token ids, by identity of their request.

    Raises:
        RequestError: a prompt is empty or does not fit, messages meet a model without a chat
            template, a sampling request has no noise key, a decoding names a token that the
            model lacks, or its guidance cannot run.
    """
    token_strings = TokenStrings(loaded.tokenizer)
    branches = GuidanceBranches(loaded, reader.context_length, amateurs or {})
    tokenised: dict[Any, tuple[str, tuple[int, ...]]] = {}
    jobs = []
    for request in requests:
        try:
            request = _without_bad_words(request, loaded)
            given = (token_ids or {}).get(request.identity)
            key = request.prompt, request.chat, given
            if key not in tokenised:
                tokenised[key] = tokenise(request, loaded, given)
                _refuse_unembedded(request, tokenised[key][1], loaded)
            text, ids = tokenised[key]
            string_ids = token_strings.resolve(request.decoding)
            _check_ids(request.decoding, string_ids, loaded.vocab_size)
            jobs.append(_make_job(request, text, ids, string_ids, loaded, reader, branches))
        except RequestError as error:
            error.request = request.identity
            raise
    warn_of_dropped(
        (prompt, text)
        for (prompt, _, _), (text, _) in tokenised.items()
        if not isinstance(prompt, str)
    )
    return jobs


def _without_bad_words(request: Request, loaded: ServedModel) -> Request:
    """The request with what the model's own settings rule out, as `generate` does."""
    banned = getattr(loaded, "bad_words_ids", ())
    if not banned or loaded.model is None:
        return request
    if "bad_words" not in request.decoding.chain:
        raise RequestError(
            "the model's own settings ban tokens, but the order does not contain bad_words",
            where="decoding.order",
            hint="add bad_words to the list",
        )
    bad_words = (*request.decoding.bad_words, *banned)
    return replace(request, decoding=request.decoding.model_copy(update={"bad_words": bad_words}))


def _check_ids(decoding: Decoding, string_ids: StringIds, vocab: int) -> None:
    for name, ids in (
        ("logit_bias", set(decoding.logit_bias)),
        ("bad_words", {token for word in string_ids.bad for token in word}),
    ):
        if ids and max(ids) >= vocab:
            raise RequestError(
                f"the model has no token {max(ids)}",
                where=f"decoding.{name}",
                hint=f"use ids from 0 to {vocab - 1}",
            )


def _refuse_unembedded(request: Request, ids: tuple[int, ...], loaded: ServedModel) -> None:
    """Refuse tokens that were added to the tokenizer and that the model has no embedding of."""
    if ids and max(ids) >= loaded.vocab_size:
        token = loaded.tokenizer.convert_ids_to_tokens(max(ids))
        raise RequestError(
            f"the prompt has token {token!r} ({max(ids)}), but the model embeds only "
            f"{loaded.vocab_size} tokens",
            where=f"prompt {request.prompt_id}",
            hint="resize the model's embeddings to its tokenizer, or leave the token out",
        )


def _make_job(
    request: Request,
    text: str,
    ids: tuple[int, ...],
    string_ids: StringIds,
    loaded: ServedModel,
    reader: PromptReader,
    branches: GuidanceBranches,
) -> Job:
    where = f"prompt {request.prompt_id}"
    decoding, context = request.decoding, reader.context_length
    if not ids:
        raise RequestError("the prompt has no tokens", where=where, hint="write at least one word")
    limit = decoding.max_new_tokens if loaded.is_encoder_decoder else context - len(ids)
    if len(ids) > context or limit < 1:
        raise PromptTooLongError(
            f"the prompt has {len(ids)} tokens, which leaves no room in the model's context of "
            f"{context}",
            where=where,
            hint="shorten the prompt or choose a model with a longer context",
        )
    if decoding.is_stochastic and request.noise_key is None:
        raise RequestError(
            "a sampling request needs a noise key", where=where, hint="set noise_key"
        )
    guidance = branches.of(request, text, ids)
    if guidance is not None and guidance.max_new_tokens is not None:
        limit = min(limit, guidance.max_new_tokens)
    rules = StopRules.from_decoding(
        decoding,
        tokenizer=loaded.tokenizer,
        eos_token_ids=loaded.eos_token_ids,
        limit=min(decoding.max_new_tokens, limit),
        loop=request.stop_at_loop,
    )
    slots = _slots(decoding, loaded.vocab_size)
    forced = forced_tokens(decoding, loaded, rules.limit)
    if request.prefix:
        forced = replace(forced, given=_given(request, slots, loaded.vocab_size))
    prompt = reader.decoder_prompt(ids)
    form = form_of(
        decoding,
        tokenizer=loaded.tokenizer,
        vocab_size=loaded.vocab_size,
        eos_token_ids=frozenset(loaded.eos_token_ids),
    )
    if form is not None:
        form.check_limit(rules.limit, forced.first)
    job = Job(request, text, ids, prompt, rules, string_ids, slots, guidance, forced, form)
    return replace(job, known=_known(job)) if request.known_logprobs else job


def _known(job: Job) -> tuple[float, ...]:
    """The log-probabilities of the known tokens that need not be chosen again.

    None where what chose them left a state behind (mirostat, a form), where another model reads
    them too, and where the decoder does not read the prompt (encoder-decoder models).
    """
    decoding = job.request.decoding
    plain = decoding.resolved_strategy in ("greedy", "sample") and not decoding.mirostat.can_act
    if not plain or job.slots > 1 or job.guidance or job.form or job.request.prefix:
        return ()
    if job.decoder_prompt != job.prompt_ids:
        return ()
    # At least one token is chosen: the forced one at the limit.
    return job.request.known_logprobs[: job.rules.limit - 1]


def _given(request: Request, slots: int, vocab: int) -> tuple[int, ...]:
    """The prefix of a request, checked.

    Raises:
        RequestError: the model has no such token, or the decoding follows several continuations.
    """
    if slots > 1:
        raise RequestError(
            "a decoding that follows several continuations cannot continue given tokens",
            where="decoding",
            hint="use greedy decoding or sampling with one candidate",
        )
    if not 0 <= min(request.prefix) <= max(request.prefix) < vocab:
        raise RequestError(
            f"the model has no token {max(request.prefix)}", where=f"prompt {request.prompt_id}"
        )
    return request.prefix


def _slots(decoding: Decoding, vocab: int) -> int:
    if decoding.resolved_strategy == "beam":
        return decoding.num_beams
    if decoding.resolved_strategy == "contrastive":
        return min(decoding.top_k, vocab)
    return decoding.candidates


def tokenise(
    request: Request, loaded: ServedModel, given: tuple[int, ...] | None = None
) -> tuple[str, tuple[int, ...]]:
    """The text that the model reads of a request, and its token ids with special tokens.

    Args:
        request: whose prompt is read.
        loaded: the model.
        given: the ids, where the prompt comes as ids.
    """
    tokenizer = loaded.tokenizer
    if given is not None:
        return str(request.prompt), given
    if isinstance(request.prompt, str):
        return request.prompt, tuple(tokenizer(request.prompt, verbose=False).input_ids)
    text = chat_text(request, loaded)
    return text, tuple(tokenizer(text, add_special_tokens=False, verbose=False).input_ids)
