"""Recorded decode steps, on a tape that plays operations again as a CUDA graph does: on one memory.

Whatever a step took from Python, or kept in memory that another step would have made anew, is wrong
from the second playing on; so outputs that are those of plain steps show that it can be recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.engine import tiny
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ethogram.engine import Engine, native
from ethogram.engine.forward.batch_invariance import FEW_COUNTS
from ethogram.engine.forward.cuda_graphs import PATIENCE, StepGraphs
from ethogram.engine.forward.passes import DecoderOnly
from ethogram.spec import Decoding


class Tape(TorchDispatchMode):
    """Notes every operation with the tensors that it read and wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.notes.append((func, args, kwargs or {}, result))
        return result

    def play(self) -> None:
        for func, args, kwargs, result in self.notes:
            again = func(*args, **kwargs)
            for old, new in zip(tree_leaves(result), tree_leaves(again), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class TapeRecorder:
    """Stands in the place of CUDA's recorder."""

    def __init__(self) -> None:
        self.recordings = 0

    def record(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        self.recordings += 1
        with Tape() as tape:
            result = step()

        def play() -> Tensor:
            tape.play()
            return result

        return play


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> list[TapeRecorder]:
    """Lets every forward pass record on tape, with torch's attention as on a CUDA device."""
    made: list[TapeRecorder] = []
    plain = DecoderOnly.__init__

    def init(self: DecoderOnly, loaded: Any, rows: int, fused: Any = None) -> None:
        plain(self, loaded, rows, fused)
        if self.is_recordable and fused is None:
            made.append(TapeRecorder())
            self.graphs = StepGraphs(made[-1], rows, self.device)

    monkeypatch.setattr(DecoderOnly, "__init__", init)
    monkeypatch.setattr(native, "library", lambda: None)
    return made


def requests() -> list[Any]:
    kinds: list[dict[str, Any]] = [
        {"strategy": "greedy"},
        {"temperature": 0.9, "top_p": 0.9},
        {"strategy": "beam", "num_beams": 3},
        {"guidance_scale": 1.5},
    ]
    return [
        tiny.request(prompt, Decoding(max_new_tokens=length, **kind), key=place, name=f"{place}{n}")
        for n, kind in enumerate(kinds)
        for place, (prompt, length) in enumerate(
            (("the cat sat on", 40), ("alpha beta gamma delta epsilon", 24), ("who was", 75))
        )
    ]


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "llama"])
def test_recorded_steps_give_what_plain_steps_give(
    kind: str, monkeypatch: pytest.MonkeyPatch, recorders: list[TapeRecorder]
) -> None:
    engine = Engine(tiny.loaded(kind), max_rows=9)
    engine.fused = None
    found = {one.identity: one for one in engine.generate(requests())}
    assert sum(recorder.recordings for recorder in recorders) > 3
    monkeypatch.undo()
    monkeypatch.setattr(native, "library", lambda: None)
    plain = Engine(tiny.loaded(kind), max_rows=9)
    plain.fused = None
    for one in plain.generate(requests()):
        assert found[one.identity].token_ids == one.token_ids
        assert found[one.identity].logprobs == one.logprobs


def test_a_step_that_keeps_a_number_of_python_is_caught() -> None:
    """The negative control: a tape knows no Python, as a graph knows none."""
    graphs, number = StepGraphs(TapeRecorder(), 2, torch.device("cpu")), 0
    found = []
    for number in range(PATIENCE + 3):
        ids, _ = graphs.write([number, number], [0, 0], 0)
        step = lambda ids=ids, number=number: ids * 2 + number  # noqa: E731
        found.append(int(graphs.run("shape", "memory", step)[0]))
    assert found[: PATIENCE + 1] == [3 * step for step in range(PATIENCE + 1)]
    assert found[-1] != 3 * (PATIENCE + 2)


def test_shapes_are_recorded_once_they_return_and_void_when_slots_move() -> None:
    recorder = TapeRecorder()
    graphs = StepGraphs(recorder, 4, torch.device("cpu"))

    def run(value: int, memory: str) -> int:
        ids, places = graphs.write([value, 1], [2, 3], 1)
        return int(graphs.run(2, memory, lambda: ids + places)[0])

    assert [run(value, "here") for value in range(PATIENCE + 2)] == [
        value + 2 for value in range(PATIENCE + 2)
    ]
    assert (recorder.recordings, graphs.played) == (1, 2)
    assert [run(value, "there") for value in range(PATIENCE)] == [2 + v for v in range(PATIENCE)]
    assert (recorder.recordings, graphs.played) == (1, 2)


def test_what_is_returned_outlives_the_next_playing() -> None:
    graphs = StepGraphs(TapeRecorder(), 1, torch.device("cpu"))
    kept = []
    for value in range(PATIENCE + 3):
        ids, _ = graphs.write([value], [0], 0)
        kept.append(graphs.run("shape", "memory", lambda ids=ids: ids + 1))
    assert [int(one) for one in kept] == list(range(1, PATIENCE + 4))


def test_few_counts_of_rows_make_few_shapes() -> None:
    assert {FEW_COUNTS.padded(rows) for rows in range(1, 193)} == set(FEW_COUNTS.counts or ())
