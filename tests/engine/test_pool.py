"""The kernels' pool of threads: who computes a row never shows in its bits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tests.engine import tiny

from ethogram.engine import Engine, native
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


def generated(threads: int) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        decoding = Decoding(strategy="sample", temperature=0.9, top_p=0.9, max_new_tokens=12)
        requests = [
            Request(str(n), "p", n, f"the old lighthouse {n % 5}", decoding, n) for n in range(40)
        ]
        made = {each.identity: each for each in Engine(tiny.loaded("llama")).generate(requests)}
    finally:
        torch.set_num_threads(before)
    return [(made[str(n)].token_ids, made[str(n)].logprobs) for n in range(40)]


def test_outputs_do_not_depend_on_the_number_of_threads(busy_machine: None) -> None:
    expected = generated(1)
    for threads in (2, 3, 5):
        assert generated(threads) == expected, threads


def test_two_engines_at_once_do_not_disturb_each_other() -> None:
    expected = generated(1)
    with ThreadPoolExecutor(2) as both:
        assert list(both.map(generated, (2, 2))) == [expected, expected]
