"""CUDA graphs for decode steps: captured once, replayed.

A step of a small model is hundreds of kernels, and launching them one by one from Python takes
longer than running them. A graph launches all of them at once. In exchange only the content of
memory may change between replays: tokens and positions are written into fixed buffers, slot
addresses do not change, and a step of another shape is another graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

import torch
from torch import Tensor

#: Times that a shape runs eagerly before it is captured: capturing takes as long as some steps, and
#: many shapes at the end of a run occur once or twice.
RUNS_BEFORE_CAPTURE = 3
#: Runs before a capture, in which libraries choose their kernels and allocate their workspace.
_WARM_UP = 2


class GraphCapturer(Protocol):
    """Captures steps."""

    def capture(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Capture what `step` does.

        Returns:
            Replays it on the memory that it used, and returns its result, which the next replay
            of any graph may overwrite.
        """


class CudaGraphCapturer:
    """Captures CUDA graphs in one memory pool: they are never replayed at the same time."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def capture(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """As `GraphCapturer.capture`; a step writes the same each time, so it may run before."""
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(_WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            result = step()

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay


class StepGraphs:
    """The captured decode steps of one model over one set of slots.

    Args:
        capturer: captures them.
        rows: number of slots.
        device: of the model.

    Attributes:
        replays: steps that were replayed.
    """

    def __init__(self, capturer: GraphCapturer, rows: int, device: torch.device) -> None:
        self._capturer = capturer
        self._ids = torch.zeros(rows, dtype=torch.int64, device=device)
        self._positions = torch.zeros(rows, dtype=torch.int64, device=device)
        self._memory: Hashable = None
        self._runs: Counter[Hashable] = Counter()
        self._captured: dict[Hashable, Callable[[], Tensor]] = {}
        self.replays = 0

    def write(
        self, tokens: Sequence[int], positions: Sequence[int], first: int
    ) -> tuple[Tensor, Tensor]:
        """Write a step's tokens and positions into the buffers of the graphs.

        Returns:
            The buffers' part for these slots, each [rows] int64.
        """
        ids = self._ids[first : first + len(tokens)]
        at = self._positions[first : first + len(tokens)]
        ids.copy_(torch.tensor(tokens))
        at.copy_(torch.tensor(positions))
        return ids, at

    def run(self, shape: Hashable, memory: Hashable, step: Callable[[], Tensor]) -> Tensor:
        """Run a step, by its graph where there is one.

        Args:
            shape: what its operations depend on.
            memory: identifies the memory of the slots; graphs are void once it changes.
            step: reads the buffers of `write`, the slots, and nothing else that changes.

        Returns:
            Its result, in memory of its own.
        """
        if memory != self._memory:
            self._captured.clear()
            self._runs.clear()
            self._memory = memory
        if shape not in self._captured:
            self._runs[shape] += 1
            if self._runs[shape] <= RUNS_BEFORE_CAPTURE:
                return step()
            self._captured[shape] = self._capturer.capture(step)
        self.replays += 1
        return self._captured[shape]().clone()
