"""Prefix caching: a prompt is run from where it differs from the prompt before."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from itertools import takewhile

import torch

from ethogram.engine.forward.kv_cache import Pairs
from ethogram.engine.forward.passes import ForwardPass, Prefilled, finished
from ethogram.engine.work import Work


class PrefixCache:
    """Prefills prompts and keeps the last one.

    Args:
        forward: the model.
        work: counts go here.
    """

    def __init__(self, forward: ForwardPass, work: Work) -> None:
        self._forward, self._work = forward, work
        self._last: tuple[tuple[int, ...], Prefilled] | None = None

    def prefill(self, prompt_ids: tuple[int, ...]) -> Prefilled:
        """Run a prompt, except for whole chunks that it shares with the prompt before."""
        return finished(self.prefill_in_parts(prompt_ids))

    def prefill_in_parts(self, prompt_ids: tuple[int, ...]) -> Generator[int, None, Prefilled]:
        """The same with a stop after each chunk but the last; yields how many tokens were run."""
        if self._last is None or self._last[0] != prompt_ids:
            cached, length = self._cached_prefix(prompt_ids)
            prompt = yield from self._forward.prefill_in_parts(prompt_ids, cached)
            if self._last and self._forward.keeps_states:
                prompt = _with_earlier_states(prompt, self._last[1], length)
            self._last = (prompt_ids, prompt)
            self._work.prefills += 1
            self._work.prompt_tokens += len(prompt_ids)
            self._work.prompt_tokens_computed += len(prompt_ids) - length
        return self._last[1]

    def _cached_prefix(self, prompt_ids: tuple[int, ...]) -> tuple[Pairs, int]:
        """Keys and values of the whole chunks that a prompt shares with the one before."""
        chunk = self._forward.chunk_size(len(prompt_ids))
        if self._last is None or not chunk:
            return (), 0
        before, prompt = self._last
        if self._forward.chunk_size(len(before)) != chunk:  # Another forward pass ran it.
            return (), 0
        same = zip(before, prompt_ids[:-1], strict=False)  # The last token makes the logits.
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], same))
        length = common // chunk * chunk
        if not length:
            return (), 0
        return tuple(
            (keys[:, :, :length], values[:, :, :length]) for keys, values in prompt.pairs
        ), length


def _with_earlier_states(prompt: Prefilled, before: Prefilled, length: int) -> Prefilled:
    """A prompt with the states of its cached positions too: its own pass ran only the others."""
    assert prompt.states is not None
    assert before.states is not None
    return replace(prompt, states=torch.cat([before.states[:length], prompt.states]))
