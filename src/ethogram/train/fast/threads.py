"""Threads: how many to train with, measured rather than assumed.

On a machine with other work, two threads can be six times slower than one: each operation waits for
the thread that another program holds up.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from ethogram.cores import threads_to_use

#: More threads have to be faster by this factor: the measurement is short, and one more thread
#: takes a core from other programs.
_WORTH_IT = 1.15


def choose_threads(
    work: Callable[[], object], *, clock: Callable[[], float] = time.perf_counter, turns: int = 2
) -> tuple[int, dict[int, float]]:
    """Set the number of torch's threads to the fastest for some work.

    Args:
        work: does the same each time, such as a forward and backward pass of a batch.
        clock: seconds.
        turns: each number of threads is timed so often, in turn; its best time counts.

    Returns:
        The number, and the seconds measured for each number tried.

    Raises:
        SpecError: `ETHOGRAM_THREADS` is not a number of threads.
    """
    most = threads_to_use()
    tried = sorted({1, *(2**i for i in range(1, 8) if 2**i < most), most})
    if len(tried) == 1:
        torch.set_num_threads(1)
        return 1, {}
    work()  # The first time allocates.
    seconds: dict[int, float] = {}
    for _ in range(turns):
        for threads in tried:
            torch.set_num_threads(threads)
            began = clock()
            work()
            took = clock() - began
            seconds[threads] = min(took, seconds.get(threads, took))
    chosen = tried[0]
    for threads in tried[1:]:
        if seconds[threads] * _WORTH_IT < seconds[chosen]:
            chosen = threads
    torch.set_num_threads(chosen)
    return chosen, seconds
