"""The wrapped backend: rounds of plain requests, one guarded generation for each wrapped one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import exp

from ethogram.engine.work import Work
from ethogram.spec import Decoding, Generation, Request
from ethogram.spec.wrapper import LoopBreaker, Retry, Wrapper
from ethogram.wrap import WrappedBackend

SAMPLE = Decoding(strategy="sample", temperature=1.0, max_new_tokens=200)


class Scripted:
    """A backend whose completions are given by a function of the request."""

    def __init__(self, write: Callable[[Request], tuple[list[int], str]]) -> None:
        self.write, self.seen = write, list[Request]()
        self.work = Work()

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
    ) -> Iterator[Generation]:
        self.work = Work()
        for request in requests:
            self.seen.append(request)
            ids, ended = self.write(request)
            self.work.output_tokens += len(ids)
            yield Generation(
                identity=request.identity,
                prompt_id=request.prompt_id,
                sample_index=request.sample_index,
                prompt_text=str(request.prompt),
                prompt_token_ids=(0,),
                token_ids=tuple(ids),
                text=text_of(ids),
                finish_reason="length" if ended == "length" else "eos",
                logprobs=(-1.0,) * len(ids),
                seconds=0.0,
            )


def text_of(ids: Sequence[int]) -> str:
    """A word a token, of letters alone: words that differ in a number count as the same."""
    letters = ("".join(chr(97 + int(digit)) for digit in str(each)) for each in ids)
    return "".join(
        f"W{word} " if each else "Done. " for each, word in zip(ids, letters, strict=True)
    )


def request(wrapper: Wrapper | None, identity: str = "a", decoding: Decoding = SAMPLE) -> Request:
    return Request(identity, "p", 0, "Tell me.", decoding, 7, wrapper=wrapper)


def one(backend: WrappedBackend, asked: Request) -> Generation:
    [made] = backend.generate([asked])
    return made


def test_a_plain_request_passes_as_it_is() -> None:
    inner = Scripted(lambda _: ([1, 2], "eos"))
    made = one(WrappedBackend(inner), request(None))
    assert made.guarded is None
    assert inner.seen == [request(None)]


def test_a_loop_is_cut_after_its_first_copy_forbidden_and_continued() -> None:
    loop = [5, 6, 7, 8] * 20

    def write(asked: Request) -> tuple[list[int], str]:
        if not asked.decoding.forced_tokens:
            return [1, 2, *loop], "length"
        return [*map(int, asked.decoding.forced_tokens), 3, 0], "eos"

    inner = Scripted(write)
    made = one(WrappedBackend(inner), request(Wrapper(loop_breaker=LoopBreaker())))
    again = inner.seen[1].decoding
    assert again.forced_tokens == (1, 2, 5, 6, 7, 8)
    assert (5, 6, 7, 8, 5, 6) in again.bad_words
    assert inner.seen[1].noise_key == 7
    assert made.identity == "a"
    assert made.token_ids == (1, 2, 5, 6, 7, 8, 3, 0)
    assert made.guarded is not None
    assert made.guarded.raw_text == text_of([1, 2, *loop])
    assert made.guarded.flags == ("loop_breaker",)
    assert made.guarded.tokens == 82 + 2


def test_an_output_without_a_loop_is_the_same_with_and_without_a_breaker() -> None:
    inner = Scripted(lambda _: ([1, 2, 3, 0], "eos"))
    plain = one(WrappedBackend(inner), request(None))
    made = one(WrappedBackend(inner), request(Wrapper(loop_breaker=LoopBreaker())))
    assert replace(made, guarded=None) == plain
    assert made.guarded is not None
    assert made.guarded.actions == ()


def test_after_the_last_break_the_reply_ends_with_reason_loop() -> None:
    def write(asked: Request) -> tuple[list[int], str]:
        forced = [int(each) for each in asked.decoding.forced_tokens]
        if asked.decoding.max_new_tokens == len(forced):
            return forced, "length"
        new = 10 * (len(forced) + 1)
        return [*forced, *[new, new + 1, new + 2, new + 3] * 12], "length"

    inner = Scripted(write)
    made = one(WrappedBackend(inner), request(Wrapper(loop_breaker=LoopBreaker(breaks=2))))
    assert made.finish_reason == "loop"
    assert len(made.token_ids) == 12
    assert made.guarded is not None
    assert [each.what for each in made.guarded.actions] == [
        "broke a loop of 4 tokens",
        "broke a loop of 4 tokens",
        "ended in a loop of 4 tokens",
    ]
    assert len(inner.seen) == 4


def test_an_empty_reply_is_tried_once_more_with_other_random_numbers_and_settings() -> None:
    inner = Scripted(lambda asked: ([], "eos") if asked.noise_key == 7 else ([4, 0], "eos"))
    wrapper = Wrapper(retry=Retry(when=("empty",), decoding={"min_new_tokens": 2}))
    made = one(WrappedBackend(inner), request(wrapper))
    assert made.text == text_of([4, 0])
    assert [each.decoding.min_new_tokens for each in inner.seen] == [0, 2]
    assert made.guarded is not None
    assert made.guarded.flags == ("retry",)
    assert made.guarded.raw_text == text_of([4, 0])


def test_the_best_candidate_has_no_fault_and_then_the_most_probable_tokens() -> None:
    def write(asked: Request) -> tuple[list[int], str]:
        order = [each.identity for each in inner.seen].index(asked.identity)
        return ([], "eos") if order == 0 else ([order, 0], "eos")

    inner = Scripted(write)
    made = one(WrappedBackend(inner), request(Wrapper(candidates=3)))
    assert len({each.noise_key for each in inner.seen}) == 3
    assert inner.seen[0].noise_key == 7
    assert made.text == text_of([1, 0])
    greedy = replace(
        request(Wrapper(candidates=3)), decoding=Decoding(strategy="greedy"), noise_key=None
    )
    one(WrappedBackend(inner), greedy)
    assert len(inner.seen) == 4


def test_confidence_is_of_the_tokens_that_the_reply_shows() -> None:
    inner = Scripted(lambda _: ([1, 0, 2, 3], "length"))
    wrapper = Wrapper(whole_sentences=True, confidence=True)
    made = one(WrappedBackend(inner, text_of), request(wrapper))
    assert made.text == "Wb Done."
    assert made.guarded is not None
    assert made.guarded.confidence == exp(-1.0)
    assert made.finish_reason == "stop"


def test_work_is_that_of_all_rounds() -> None:
    inner = Scripted(lambda asked: ([], "eos") if asked.noise_key == 7 else ([4, 0], "eos"))
    backend = WrappedBackend(inner)
    one(backend, request(Wrapper(retry=Retry(decoding={}))))
    assert backend.work.output_tokens == 2
