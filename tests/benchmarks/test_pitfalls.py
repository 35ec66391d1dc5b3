"""The rules' worth: what the page prints is what the code computes, and no rule falls below."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import pitfalls as bench
from ethogram.metrics import PITFALLS, NamedModels

#: Lowest (precision, recall) on the prompts held out. Those that the page calls reliable stay so;
#: of fabrication and echo too few are labelled, or found, for a floor to mean anything.
FLOORS = {
    "loop": (0.9, 0.65),
    "drift": (0.85, 0.4),
    "format_break": (0.85, 0.6),
    "truncation": (0.97, 0.97),
    "empty": (1.0, 1.0),
    "turn_leakage": (0.8, 0.5),
}


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(bench.measured()))
    return found


def test_the_results_and_the_page_are_what_the_code_computes(measured: dict[str, Any]) -> None:
    stored = json.loads(bench.RESULTS.read_text(encoding="utf-8"))
    page = bench.PAGE.read_text(encoding="utf-8")
    for part in ("held_out", "tuning", "all", "prompts"):
        assert stored[part] == measured[part], "run: python -m benchmarks.pitfalls"
    for part in ("held_out", "all"):
        assert f"<!-- {part}:begin -->\n\n{bench.quality_table(measured[part])}\n" in page
    assert bench.rules_table() in page
    read = json.loads(bench.READINGS.read_text(encoding="utf-8"))
    assert bench.confirm_table(stored["confirmed"], read) in page


def test_the_halves_share_no_prompt_and_make_up_the_whole(measured: dict[str, Any]) -> None:
    assert measured["prompts"] == {"held_out": 22, "all": 42}
    for pitfall in PITFALLS:
        rows = [measured[part][pitfall.name] for part in ("held_out", "tuning", "all")]
        for name in ("labelled", "found", "right"):
            assert rows[0][name] + rows[1][name] == rows[2][name]


@pytest.mark.model
def test_the_encoder_finds_more_drift_than_the_rule_alone(measured: dict[str, Any]) -> None:
    stored = json.loads(bench.RESULTS.read_text(encoding="utf-8"))
    found = json.loads(json.dumps(bench.measured_off_topic(NamedModels().encoder)))
    # Processors round vectors differently, so a text at the bound may fall on either side.
    for part, row in stored["off_topic"].items():
        for name in ("labelled", "found", "right"):
            assert abs(found[part][name] - row[name]) <= 2, "run: python -m benchmarks.pitfalls"
    assert bench.off_topic_table(stored) in bench.PAGE.read_text(encoding="utf-8")
    assert found["held_out"]["f1"][0] > measured["held_out"]["drift"]["f1"][0]


@pytest.mark.parametrize("name", FLOORS)
def test_no_rule_falls_below_its_floor(measured: dict[str, Any], name: str) -> None:
    row = measured["held_out"][name]
    assert row["precision"][0] >= FLOORS[name][0]
    assert row["recall"][0] >= FLOORS[name][1]


def test_rates_and_their_bounds_are_those_of_a_table_by_hand() -> None:
    from ethogram.metrics import Output

    loop, plain = "No use. No use. No use.", "It was cold and the door was shut."
    rows = [
        (Output(loop, prompt_id="a"), frozenset({"loop"})),
        (Output(loop, prompt_id="b"), frozenset()),
        (Output(plain, prompt_id="c"), frozenset({"loop"})),
        (Output(plain, prompt_id="d"), frozenset()),
    ]
    row = bench.quality(rows)["loop"]
    assert (row["labelled"], row["found"], row["right"]) == (2, 2, 1)
    assert row["precision"] == [0.5, 0.0, 1.0]
    assert row["f1"][0] == 0.5
    right = bench.quality(rows[:1])["loop"]
    assert right["precision"] == [1.0, 0.025, 1.0]  # 0.025 ** (1 / 1)


@pytest.mark.skipif(not bench.RELEASED.is_dir(), reason="shared/data does not lie beside it")
@pytest.mark.long
def test_released_answers_are_counted_as_stored_and_the_readings_are_of_them() -> None:
    stored = json.loads(bench.RESULTS.read_text(encoding="utf-8"))["confirmed"]
    found = json.loads(json.dumps(bench.confirm()))
    assert found == stored, "run: python -m benchmarks.pitfalls"
    for name in ("loop", "turn_leakage", "echo"):
        low, high = found[f"pitfall_{name}"]["difference"][1:]
        assert low <= high < 0
    read = json.loads(bench.READINGS.read_text(encoding="utf-8"))
    drawn = bench.sampled()
    assert {name: [tuple(row[:2]) for row in rows] for name, rows in read.items()} == {
        name: rows for name, rows in drawn.items() if rows
    }
