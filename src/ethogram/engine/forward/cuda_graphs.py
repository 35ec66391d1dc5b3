"""Decode steps recorded once and played again. Knows shapes and memory; knows no model, no token.

A step of a small model is hundreds of kernels, and starting them one by one from Python takes a GPU
longer than running them. A recording starts all of them at once; in exchange nothing may change
from one playing to the next but the content of memory: tokens and positions are written into
buffers that stay, slots lie where they lay, and a step of another shape is another recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

import torch
from torch import Tensor

#: Times that a shape is run as it is before it is recorded: recording takes some steps' time, and
#: many shapes at the end of a run are met once or twice.
PATIENCE = 3
#: Runs before a recording, in which libraries choose their kernels and take their workspace.
_WARM_UP = 2


class GraphRecorder(Protocol):
    """What records a step."""

    def record(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Record what `step` does.

        Returns:
            Plays it again on the memory that it used, and returns its result, which the next
            playing of any recording may overwrite.
        """


class CudaGraphRecorder:
    """Records CUDA graphs, all in one pool of memory: they are never played at the same time."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def record(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """As `GraphRecorder.record`; a step writes the same each time, so it may run beforehand."""
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(_WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            result = step()

        def play() -> Tensor:
            graph.replay()
            return result

        return play


class StepGraphs:
    """The recordings of one model's decode steps over one set of slots.

    Args:
        recorder: what records.
        rows: number of slots.
        device: of the model.

    Attributes:
        played: steps that came from a recording.
    """

    def __init__(self, recorder: GraphRecorder, rows: int, device: torch.device) -> None:
        self._recorder = recorder
        self._ids = torch.zeros(rows, dtype=torch.int64, device=device)
        self._places = torch.zeros(rows, dtype=torch.int64, device=device)
        self._memory: Hashable = None
        self._met: Counter[Hashable] = Counter()
        self._recorded: dict[Hashable, Callable[[], Tensor]] = {}
        self.played = 0

    def write(
        self, tokens: Sequence[int], positions: Sequence[int], first: int
    ) -> tuple[Tensor, Tensor]:
        """Put a step's tokens and positions where recordings look for them.

        Returns:
            The buffers' part of these slots, each [rows fed] int64.
        """
        ids = self._ids[first : first + len(tokens)]
        places = self._places[first : first + len(tokens)]
        ids.copy_(torch.tensor(tokens))
        places.copy_(torch.tensor(positions))
        return ids, places

    def run(self, shape: Hashable, memory: Hashable, step: Callable[[], Tensor]) -> Tensor:
        """Run a step, from its recording where there is one.

        Args:
            shape: what its operations depend on.
            memory: tells where the slots lie; once it changes, recordings are void.
            step: reads the buffers of `write` and the slots, and nothing else that changes.

        Returns:
            Its result, in memory of its own.
        """
        if memory != self._memory:
            self._recorded.clear()
            self._met.clear()
            self._memory = memory
        if shape not in self._recorded:
            self._met[shape] += 1
            if self._met[shape] <= PATIENCE:
                return step()
            self._recorded[shape] = self._recorder.record(step)
        self.played += 1
        return self._recorded[shape]().clone()
