"""Parallel: the metrics of single outputs, measured by several processes.

Outputs go out in chunks and their scores come back in the order of the outputs, so that sums are
added in one order and a table is the same, bit for bit, whatever the number of processes. Of the
evidence, a process sends back only what is clearer than all before it in its chunk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context

from ethogram.cores import threads_to_use
from ethogram.metrics.base import Metric, Output, Score

#: Outputs that one process takes at a time: some 0.3 s of work, so that handing over costs little.
CHUNK = 128
#: Up to this many outputs one process is as fast: starting another takes about a second.
SERIAL_OUTPUTS = 1024
#: Makes the metrics in the process that uses them; importable there, and equal to its copies, so
#: that a process makes them once.
Choose = Callable[[], Sequence[Metric]]
Scores = list[Score]


def measured(
    outputs: Iterable[Output], choose: Choose, processes: int | None = None
) -> Iterator[tuple[Output, Scores]]:
    """Each output with its scores, in order of the outputs.

    A few chunks are on their way at any time, so memory does not grow with their number.

    Args:
        outputs: any iterable, read once.
        choose: makes the metrics; picklable and hashable by value, as a module's function is.
        processes: how many; default all cores this process may use, and one for few outputs.
    """
    stream = iter(outputs)
    count = processes or threads_to_use()
    head = list(islice(stream, SERIAL_OUTPUTS + 1)) if processes is None else []
    if count == 1 or (processes is None and len(head) <= SERIAL_OUTPUTS):
        metrics = choose()
        for output in _chain(head, stream):
            yield output, [metric.measure(output) for metric in metrics]
        return
    # Spawned, as forking a process that has threads (torch, a progress bar) may lock up.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from _in_order(pool, choose, _chain(head, stream), waiting=2 * count)


def _chain(head: list[Output], rest: Iterator[Output]) -> Iterator[Output]:
    """`itertools.chain`, which would keep the whole head to the end."""
    head.reverse()
    while head:
        yield head.pop()
    yield from rest


def _in_order(
    pool: ProcessPoolExecutor, choose: Choose, outputs: Iterator[Output], waiting: int
) -> Iterator[tuple[Output, Scores]]:
    sent: deque[tuple[list[Output], Future[list[Scores]]]] = deque()
    try:
        while True:
            while len(sent) < waiting and (chunk := list(islice(outputs, CHUNK))):
                sent.append((chunk, pool.submit(measure_chunk, choose, chunk)))
            if not sent:
                return
            chunk, future = sent.popleft()
            yield from zip(chunk, future.result(), strict=True)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@lru_cache(maxsize=1)
def _chosen(choose: Choose) -> Sequence[Metric]:
    """The metrics, made once in a process."""
    return choose()


def measure_chunk(choose: Choose, outputs: Sequence[Output]) -> list[Scores]:
    """The scores of a chunk; spans only where no output before it in the chunk shows as much."""
    metrics = _chosen(choose)
    clearest = [-float("inf")] * len(metrics)
    rows = []
    for output in outputs:
        row = []
        for at, metric in enumerate(metrics):
            score = metric.measure(output)
            if score.spans and score.value is not None:
                badness = metric.badness(score.value)
                if badness > clearest[at]:
                    clearest[at] = badness
                else:
                    score = Score(score.value, score.parts)
            row.append(score)
        rows.append(row)
    return rows
