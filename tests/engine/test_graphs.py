"""CUDA graphs of decode steps, on a tape that replays operations on the same memory as CUDA does.

Whatever a step takes from Python, or keeps in memory that another step allocates again, is wrong
from the second replay on; so equal outputs show that a step can be captured.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from tests.engine import tiny
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ethogram.engine import Engine, native
from ethogram.engine.forward.batch_invariance import ANY_SIZE, FEW_SIZES
from ethogram.engine.forward.cuda_graphs import RUNS_BEFORE_CAPTURE, StepGraphs
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.early_layers import LayeredDecoder
from ethogram.spec import Decoding


class Tape(TorchDispatchMode):
    """Records every operation with the tensors that it read and wrote."""

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


class TapeCapturer:
    """Stands in the place of CUDA's capturer."""

    def __init__(self) -> None:
        self.captures = 0

    def capture(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        self.captures += 1
        with Tape() as tape:
            result = step()

        def replay() -> Tensor:
            tape.play()
            return result

        return replay


@pytest.fixture
def capturers(monkeypatch: pytest.MonkeyPatch) -> list[TapeCapturer]:
    """Lets every forward pass capture on tape, with torch's attention as on a CUDA device."""
    made: list[TapeCapturer] = []
    plain = DecoderOnly.__init__

    def init(self: DecoderOnly, loaded: Any, rows: int, fused: Any = None) -> None:
        plain(self, loaded, rows, fused)
        if self.uses_cuda_graphs and fused is None:
            made.append(TapeCapturer())
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
@pytest.mark.long
def test_captured_steps_give_what_plain_steps_give(
    kind: str, monkeypatch: pytest.MonkeyPatch, capturers: list[TapeCapturer]
) -> None:
    engine = Engine(tiny.loaded(kind), max_rows=9)
    engine.fused = None
    found = {one.identity: one for one in engine.generate(requests())}
    assert sum(capturer.captures for capturer in capturers) > 3
    monkeypatch.undo()
    monkeypatch.setattr(native, "library", lambda: None)
    plain = Engine(tiny.loaded(kind), max_rows=9)
    plain.fused = None
    for one in plain.generate(requests()):
        assert found[one.identity].token_ids == one.token_ids
        assert found[one.identity].logprobs == one.logprobs


def test_a_step_that_keeps_a_number_of_python_is_caught() -> None:
    """The negative control: a tape knows no Python, as a graph knows none."""
    graphs, number = StepGraphs(TapeCapturer(), 2, torch.device("cpu")), 0
    found = []
    for number in range(RUNS_BEFORE_CAPTURE + 3):
        ids, _ = graphs.write([number, number], [0, 0], 0)
        step = lambda ids=ids, number=number: ids * 2 + number  # noqa: E731
        found.append(int(graphs.run("shape", "memory", step)[0]))
    assert found[: RUNS_BEFORE_CAPTURE + 1] == [3 * step for step in range(RUNS_BEFORE_CAPTURE + 1)]
    assert found[-1] != 3 * (RUNS_BEFORE_CAPTURE + 2)


def test_shapes_are_captured_once_they_return_and_void_when_slots_move() -> None:
    capturer = TapeCapturer()
    graphs = StepGraphs(capturer, 4, torch.device("cpu"))

    def run(value: int, memory: str) -> int:
        ids, places = graphs.write([value, 1], [2, 3], 1)
        return int(graphs.run(2, memory, lambda: ids + places)[0])

    assert [run(value, "here") for value in range(RUNS_BEFORE_CAPTURE + 2)] == [
        value + 2 for value in range(RUNS_BEFORE_CAPTURE + 2)
    ]
    assert (capturer.captures, graphs.replays) == (1, 2)
    assert [run(value, "there") for value in range(RUNS_BEFORE_CAPTURE)] == [
        2 + v for v in range(RUNS_BEFORE_CAPTURE)
    ]
    assert (capturer.captures, graphs.replays) == (1, 2)


def test_a_result_outlives_the_next_replay() -> None:
    graphs = StepGraphs(TapeCapturer(), 1, torch.device("cpu"))
    kept = []
    for value in range(RUNS_BEFORE_CAPTURE + 3):
        ids, _ = graphs.write([value], [0], 0)
        kept.append(graphs.run("shape", "memory", partial(torch.add, ids, 1)))
    assert [int(one) for one in kept] == list(range(1, RUNS_BEFORE_CAPTURE + 4))


def test_few_batch_sizes_make_few_shapes() -> None:
    assert {FEW_SIZES.padded(rows) for rows in range(1, 193)} == set(FEW_SIZES.allowed or ())


def test_a_decoder_that_keeps_layers_captures_nothing(capturers: list[TapeCapturer]) -> None:
    """Its steps leave hidden states behind, which a replay would not hand over."""
    decoder = LayeredDecoder(tiny.loaded("llama"), 2, ANY_SIZE)
    assert decoder.graphs is None
    assert not capturers
