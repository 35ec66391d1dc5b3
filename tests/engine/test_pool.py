"""The kernels' pool of threads: who computes a row never shows in its bits."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch
from tests.engine import tiny

from ethogram.engine import Engine, native
from ethogram.engine.threads import AdaptiveThreads
from ethogram.spec import Decoding, Request

pytestmark = pytest.mark.skipif(native.library() is None, reason="no compiler")


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """A program beside the test that never rests."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as beside:
        try:
            yield
        finally:
            beside.kill()


Made = list[tuple[tuple[int, ...], tuple[float, ...]]]

#: What runs through every kernel: filters, rows that share histories, drafts as rows of one slot.
DECODINGS = (
    Decoding(strategy="sample", temperature=0.9, top_p=0.9, max_new_tokens=12),
    Decoding(strategy="sample", temperature=1.1, min_p=0.05, max_new_tokens=12),
    Decoding(strategy="greedy", prompt_lookup_num_tokens=3, max_new_tokens=12),
)


def requests() -> list[Request]:
    return [
        Request(
            str(n),
            "p",
            n,
            f"the old lighthouse {n % 5}",
            DECODINGS[n % 3],
            None if n % 3 == 2 else n,
        )
        for n in range(40)
    ]


def generated(threads: int, dtype: torch.dtype = torch.float32, *, alone: bool = False) -> Made:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        loaded = tiny.loaded("llama")
        loaded = dataclasses.replace(loaded, model=copy.deepcopy(loaded.model).to(dtype))
        engine = Engine(loaded)
        wanted = requests()
        batches = [[request] for request in wanted[:7]] if alone else [wanted]
        found = {made.identity: made for batch in batches for made in engine.generate(batch)}
    finally:
        torch.set_num_threads(before)
    return [(found[key].token_ids, found[key].logprobs) for key in sorted(found, key=int)]


@pytest.mark.long
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_outputs_do_not_depend_on_the_number_of_threads(
    busy_machine: None, dtype: torch.dtype
) -> None:
    """Nor on the batch: those made alone are the same to the bit, on any number of threads."""
    expected = generated(1, dtype)
    for threads in (2, 3, 5):
        assert generated(threads, dtype) == expected, threads
        assert generated(threads, dtype, alone=True) == expected[:7], threads


def test_outputs_do_not_depend_on_threads_that_change_between_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As they do on a busy machine, where the engine measures which number gives most."""
    expected = generated(1)
    counts = itertools.cycle((3, 1, 2, 5))

    @contextmanager
    def changing(self: AdaptiveThreads, rows: int = 0) -> Iterator[None]:
        torch.set_num_threads(next(counts))
        yield

    monkeypatch.setattr(AdaptiveThreads, "step", changing)
    assert generated(2) == expected


def test_two_engines_at_once_do_not_disturb_each_other() -> None:
    expected = generated(1)
    with ThreadPoolExecutor(2) as both:
        assert list(both.map(generated, (2, 2))) == [expected, expected]
