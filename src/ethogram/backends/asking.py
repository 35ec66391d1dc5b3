"""Asking: many calls of an API at once, with retries, a time-out that holds, and a budget."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from ethogram.backends.endpoint import Budget, Endpoint
from ethogram.errors import BackendError

Call = TypeVar("Call")
Reply = TypeVar("Reply")
#: Longest wait that is accepted from a Retry-After, seconds; as the openai package does.
LONGEST_WAIT = 120.0
#: Seconds that the main thread waits longer than a call may take.
_GRACE = 0.5


@dataclass(frozen=True, slots=True)
class Retry:
    """What to do after a try that failed.

    Attributes:
        error: for the user, if there is no further try.
        may_pass: whether another try may succeed.
        timed_out: whether there was no answer in time.
        charged: whether an answer may have been made, and charged for, that did not arrive whole.
        after: seconds that the endpoint asks to wait; None if it does not say.
        most: further tries for this kind of failure.
    """

    error: BackendError
    may_pass: bool = False
    timed_out: bool = False
    charged: bool = False
    after: float | None = None
    most: int | None = None


class Spending:
    """Counts what calls cost, and says whether the next one still fits the budget.

    Args:
        budget: of the run; None is unlimited.
        model: its name in the budget's prices.
    """

    def __init__(self, budget: Budget | None, model: str) -> None:
        self._budget, self._lock = budget or Budget(), Lock()
        self._price = self._budget.prices.get(model)
        if self._budget.money is not None and self._price is None:
            raise BackendError(
                f"a money budget needs the prices of {model!r}",
                where="money budget",
                hint='set ETHOGRAM_ENDPOINT={"prices": {"MODEL": [INPUT, OUTPUT]}}, each of a '
                "million tokens",
            )
        self.prompt_tokens = self.completion_tokens = 0
        self._reserved_prompt = self._reserved_completion = 0

    @property
    def money(self) -> float | None:
        """Spent so far, if the prices are known."""
        if self._price is None:
            return None
        return self._cost(self.prompt_tokens, self.completion_tokens)

    def _cost(self, prompt: int, completion: int) -> float:
        price = self._price or (0.0, 0.0)
        return (prompt * price[0] + completion * price[1]) / 1e6

    def reserve(self, prompt: int, completion: int) -> str:
        """Reserve what a call can cost at most; returns which budget is used up, else nothing."""
        with self._lock:
            prompts = self.prompt_tokens + self._reserved_prompt + prompt
            completions = self.completion_tokens + self._reserved_completion + completion
            most, money = self._budget.tokens, self._budget.money
            if most is not None and prompts + completions > most:
                return f"the token budget of {most} is used up"
            if money is not None and self._cost(prompts, completions) > money:
                return f"the money budget of {money:g} is used up"
            self._reserved_prompt += prompt
            self._reserved_completion += completion
            return ""

    def settle(self, reserved: tuple[int, int], used: tuple[int, int]) -> None:
        """Replace what was reserved by what the endpoint reports."""
        with self._lock:
            self._reserved_prompt -= reserved[0]
            self._reserved_completion -= reserved[1]
            self.prompt_tokens += used[0]
            self.completion_tokens += used[1]

    def lose(self, reserved: tuple[int, int]) -> None:
        """Count a try without an answer as if it was used whole: it may be charged."""
        with self._lock:
            self.prompt_tokens += reserved[0]
            self.completion_tokens += reserved[1]

    @property
    def words(self) -> str:
        """What was spent, for a message."""
        words = f"{self.prompt_tokens} prompt and {self.completion_tokens} new tokens"
        return words if self.money is None else f"{words}, {self.money:.4g} by the prices"


class Asking(Generic[Call, Reply]):
    """Sends calls, each in a thread of its own, and returns replies as they arrive.

    Args:
        send: one try of a call.
        failed: what to do after an exception of it, and so many tries.
        endpoint: concurrency, time-out and retries.
        spending: counts tokens.
        costs: most prompt and completion tokens of a call.
        used: the tokens that a reply reports.
        where: the address, for messages.
        hanging: the error for a server that does not answer.
    """

    def __init__(
        self,
        send: Callable[[Call], Reply],
        failed: Callable[[Exception, int], Retry],
        endpoint: Endpoint,
        *,
        spending: Spending,
        costs: Callable[[Call], tuple[int, int]],
        used: Callable[[Reply], tuple[int, int]],
        where: str,
        hanging: BackendError,
    ) -> None:
        self._send, self._failed, self._endpoint = send, failed, endpoint
        self._spending, self._costs, self._used = spending, costs, used
        self._where, self._hanging = where, hanging
        self._stopping = Event()
        #: When something was last heard of the endpoint, or will be heard at the earliest.
        self._heard = time.monotonic()

    def ask(self, calls: Iterable[Call]) -> Iterator[Reply]:
        """Replies as they arrive, in any order.

        After a failure no more calls are sent, but replies in flight are still returned, so that
        nothing that was paid for is lost. A server that hangs is not waited for.

        Raises:
            BackendError: the endpoint is unreachable, hangs, refuses or answers with something
                else, or the budget is used up.
        """
        replies: SimpleQueue[tuple[Call, Reply | BaseException]] = SimpleQueue()
        left, in_flight = iter(calls), 0
        failure: BaseException | None = None
        self._heard = time.monotonic()
        following = next(left, None)
        try:
            while True:
                while (
                    failure is None
                    and following is not None
                    and in_flight < self._endpoint.concurrency
                ):
                    words = self._spending.reserve(*self._costs(following))
                    if words and in_flight:
                        break  # What is in flight may take less than was reserved for it.
                    if words:
                        failure = self._over_budget(words)
                        break
                    self._start(following, replies)
                    in_flight += 1
                    following = next(left, None)
                if not in_flight:
                    break
                try:
                    call, reply = replies.get(timeout=self._patience(failure))
                except Empty:
                    failure = failure or self._hanging
                    break
                in_flight -= 1
                if isinstance(reply, BaseException):
                    failure = failure or reply
                    self._stopping.set()
                else:
                    self._spending.settle(self._costs(call), self._used(reply))
                    yield reply
        finally:
            self._stopping.set()
        if failure is not None:
            raise failure

    def _over_budget(self, words: str) -> BackendError:
        return BackendError(
            f"{words} ({self._spending.words} so far, and the next request may not fit)",
            where=self._where,
            hint="raise it and run again: what is stored is not asked for again",
        )

    def _patience(self, failure: BaseException | None) -> float:
        """Seconds to wait for a reply; none where the server was found to hang."""
        if failure is self._hanging:
            return 0.01
        return max(0.01, self._heard + self._endpoint.timeout + _GRACE - time.monotonic())

    def _is_silent(self) -> bool:
        """Whether nothing at all was heard for about as long as one answer may take."""
        return time.monotonic() - self._heard > 0.9 * self._endpoint.timeout

    def _start(self, call: Call, replies: SimpleQueue[tuple[Call, Reply | BaseException]]) -> None:
        def answer() -> None:
            try:
                replies.put((call, self._answered(call)))
            except BaseException as error:
                replies.put((call, error))

        # Daemon threads, unlike those of a pool: an interrupted program ends at once, without
        # waiting for the slowest reply and all its retries.
        Thread(target=answer, daemon=True).start()

    def _answered(self, call: Call) -> Reply:
        """The reply of a call after as many tries as it takes."""
        for tries in count(1):
            try:
                reply = self._send(call)
            except Exception as error:
                verdict = self._failed(error, tries)
                if verdict.charged:
                    self._spending.lose(self._costs(call))
                if verdict.timed_out and self._is_silent():
                    raise self._hanging from None
                most = self._endpoint.retries
                most = most if verdict.most is None else min(most, verdict.most)
                wait = _wait(tries, verdict.after)
                too_long = (verdict.after or 0) > LONGEST_WAIT
                if not verdict.may_pass or tries > most or too_long:
                    self._heard = time.monotonic()
                    raise verdict.error from None
                # Waiting is our choice: the server is not silent meanwhile.
                self._heard = max(self._heard, time.monotonic() + wait)
                if self._stopping.wait(wait):
                    raise verdict.error from None
            else:
                self._heard = max(self._heard, time.monotonic())
                return reply
        raise AssertionError("count() does not end")


def _wait(tries: int, after: float | None) -> float:
    """Seconds before the next try, with jitter so that many clients do not come back at once."""
    if after is not None:
        return after * (1 + 0.25 * random.random())
    return min(0.5 * 2.0 ** (tries - 1), 8.0) * (0.5 + 0.5 * random.random())
