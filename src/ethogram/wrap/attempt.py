"""Attempt: one completion of a wrapped request, continued while the loop breaker acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ethogram.engine import loops
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Generation, Request
from ethogram.spec.guarded import Action
from ethogram.spec.identity import digest
from ethogram.spec.wrapper import Fault, Wrapper
from ethogram.wrap import guards
from ethogram.wrap.reply import Reply

#: Text of token ids, without special tokens.
Decode = Callable[[Sequence[int]], str]


@dataclass(slots=True)
class Attempt:
    """A completion in progress.

    Attributes:
        wrapper: what is done around it.
        request: what is generated next; a plain request, without the wrapper.
        tokens: generated so far, those that were thrown away included.
        actions: loops broken so far.
        raw: the first completion, before any loop was broken; it ends where the loop was found.
        reply: when it is finished.
    """

    wrapper: Wrapper
    request: Request
    tokens: int = 0
    actions: list[Action] = field(default_factory=list)
    raw: Generation | None = None
    reply: Reply | None = None
    _ends_at: int | None = None

    def take(self, generation: Generation) -> None:
        """Take in what was generated: finish, or set the request that continues it."""
        replayed = len(self.request.decoding.forced_tokens) if self.raw is not None else 0
        self.tokens += len(generation.token_ids) - replayed
        self.raw = self.raw or generation
        if self._ends_at is not None:  # Only the kept tokens again, for their text.
            generation = replace(generation, finish_reason="loop")
        elif self._continues(generation):
            return
        reply = replace(Reply.of(generation), actions=tuple(self.actions))
        self.reply = _guarded(reply, self.wrapper, cuts=not self.request.decoding.ends_by_form)

    def _continues(self, generation: Generation) -> bool:
        rule = self.wrapper.loop_breaker
        if rule is None or self.request.decoding.ends_by_form:
            return False
        loop = loops.find(generation.token_ids, rule)
        broken = loop is not None and len(self.actions) < rule.breaks
        if loop is None and generation.finish_reason == "length":
            loop = loops.unfinished(generation.token_ids, rule)
        if loop is None:
            return False
        kept = loops.kept(generation.token_ids, loop)
        what = "broke a loop" if broken else "ended in a loop"
        self.actions.append(Action("loop_breaker", f"{what} of {loop.period} tokens"))
        decoding = self.request.decoding
        if broken:
            banned = loops.forbidden(generation.token_ids, loop, rule.ngram)
            decoding = _changed(
                decoding, forced_tokens=kept, bad_words=(*decoding.bad_words, *banned)
            )
        else:
            self._ends_at = len(kept)
            decoding = _changed(decoding, forced_tokens=kept, max_new_tokens=len(kept))
        identity = digest([self.request.identity, "loop", len(self.actions)])
        # The kept tokens are what it continues from, where it was a branch too.
        self.request = replace(
            self.request,
            decoding=decoding,
            identity=identity,
            prefix=(),
            known_logprobs=generation.logprobs[: len(kept)],
        )
        return True

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with the finished reply."""
        reply = self.reply
        assert reply is not None
        acted = {action.guard for action in reply.actions}
        found: dict[Fault, bool] = {
            "empty": not reply.text.strip(),
            "loop": "loop_breaker" in acted,
            "leak": "stop_at_next_turn" in acted,
            "cut": reply.finish_reason in ("length", "closed") or "whole_sentences" in acted,
        }
        return tuple(fault for fault, is_there in found.items() if is_there)

    @property
    def rank(self) -> tuple[int, float]:
        """For the choice among candidates: lowest is best. Mean log-probability prefers loops."""
        reply = self.reply
        assert reply is not None
        logprobs = reply.generation.logprobs
        mean = sum(logprobs) / len(logprobs) if logprobs else float("-inf")
        return len(self.faults), -mean


def _changed(decoding: Decoding, **settings: object) -> Decoding:
    return decoding.model_copy(update=settings)


def _guarded(reply: Reply, wrapper: Wrapper, *, cuts: bool) -> Reply:
    """The reply after the guards that read its text, those that cut most first.

    Args:
        reply: so far.
        wrapper: its guards.
        cuts: whether any may cut: not where the reply has a form, which a cut would break.
    """
    prompt = reply.generation.prompt_text
    return _flagged(_cut(reply, wrapper, prompt) if cuts else reply, wrapper, prompt)


def _cut(reply: Reply, wrapper: Wrapper, prompt: str) -> Reply:
    if wrapper.stop_at_next_turn:
        reply = guards.stop_at_next_turn(reply, prompt)
    if wrapper.stop_when_answered:
        reply = guards.stop_when_answered(reply)
    if wrapper.most_sentences is not None:
        reply = guards.most_sentences(reply, wrapper.most_sentences)
    if wrapper.whole_sentences:
        reply = guards.whole_sentences(reply)
    if wrapper.loop_breaker is not None:
        reply = guards.cut_loops(reply)
    return reply


def _flagged(reply: Reply, wrapper: Wrapper, prompt: str) -> Reply:
    return guards.flag_sources(reply, prompt) if wrapper.flag_sources else reply
