"""The cost of the loop breaker: of the same tokens, and with a sign that cannot be mistaken."""

from __future__ import annotations

import pytest
from tests.engine import tiny

from benchmarks.loop_breaker import lost_throughput, measure_cost
from ethogram.engine import Engine
from ethogram.spec import Decoding


def test_twice_the_seconds_are_half_the_throughput() -> None:
    lost, low, high = lost_throughput([1.0, 1.1, 0.9, 1.0], [2.0, 2.2, 1.8, 2.01])
    assert low < lost < high
    assert lost == pytest.approx(0.5, abs=0.01)
    assert lost_throughput([2.0, 2.1, 1.9], [1.0, 1.0, 1.0])[0] < 0


def test_the_cost_is_that_of_outputs_without_a_loop(capsys: pytest.CaptureFixture[str]) -> None:
    engine = Engine(tiny.loaded("llama"))
    greedy = Decoding(strategy="greedy", logit_bias={"30": 100.0}, max_new_tokens=90)
    sampled = Decoding(temperature=1.5, max_new_tokens=12)
    requests = [tiny.request("the cat", greedy, name="loops")]
    requests += [tiny.request("the cat", sampled, index=at, key=at) for at in range(3)]
    measure_cost(engine, requests, 3, "mixed")
    said = capsys.readouterr().out
    assert "mixed: 3 of 4 outputs without an alarm" in said
    assert said.count("over 3 pairs") == 2
