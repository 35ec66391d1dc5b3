"""The charts of a sweep: what is in their specifications, and that they can be drawn."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from ethogram.plots import (
    FrontPoint,
    HeatCell,
    ParallelAxis,
    RacePoint,
    front_chart,
    heat_chart,
    parallel_chart,
    race_chart,
)

CELLS = [
    HeatCell("0.2", "a", "s1", 0.1, "10 %", "★"),
    HeatCell("1", "a", "s2", 0.9, "90 %"),
    HeatCell("1", "</script>", "s3", math.nan, "–"),
]
POINTS = [
    FrontPoint("s1", "t 1", 1.0, 5.0, "chosen"),
    FrontPoint("s2", "t 2", 2.0, 3.0, "front"),
    FrontPoint("s3", "t 3", math.nan, 3.0, "eliminated"),
    FrontPoint("", "v1", 0.5, 1.0, "parent"),
]
AXES = [
    ParallelAxis("t", [0.0, 1.0, 0.5], [(0.0, "1"), (1.0, "3")]),
    ParallelAxis("Words", [1.0, None, 0.0], [(0.0, "2"), (1.0, "9")]),
]
LINES = [("s1", "t 1", "chosen"), ("s2", "t 3", "behind"), ("s3", "t 2", "eliminated")]
RACE = [
    RacePoint("s1", "t 1", 1, 3.0, "chosen"),
    RacePoint("s1", "t 1", 2, 4.0, "chosen"),
    RacePoint("s2", "t 2", 1, 1.0, "eliminated", is_last=True),
]


def heat(**options: Any) -> Any:
    asked: dict[str, Any] = {"x_order": ["0.2", "1"], "y_order": ["a", "</script>"], **options}
    return heat_chart(CELLS, x="temperature", y="stop", title="Loop rate", **asked)


def charts() -> dict[str, Any]:
    return {
        "heat": heat(),
        "front": front_chart(POINTS, x="Words", y="Loops"),
        "parallel": parallel_chart(AXES, LINES),  # type: ignore[arg-type]
        "race": race_chart(RACE, title="Words", rounds=["1: 1 sample", "2: 2 samples"]),
    }


@pytest.mark.parametrize("name", ["heat", "front", "parallel", "race"])
def test_a_chart_holds_its_data_and_names_no_address(name: str) -> None:
    spec = charts()[name].spec
    text = json.dumps(spec)
    assert "http" not in text
    assert "NaN" not in text
    assert spec["params"][0]["name"] == "clicked"
    assert spec["params"][0]["select"]["fields"] == ["setting"]


def rows_of(spec: Any) -> list[dict[str, Any]]:
    held = [spec, *spec.get("layer", ())]
    return [row for each in held for row in each.get("data", {}).get("values", ())]


@pytest.mark.parametrize("higher", [True, False])
def test_better_cells_are_brighter_and_their_numbers_dark(higher: bool) -> None:
    spec = heat(higher_is_better=higher).spec
    colour = spec["layer"][0]["encoding"]["color"]["scale"]
    assert colour["domain"] == [0.1, 0.9]
    assert colour["reverse"] is not higher
    ink = {row["setting"]: row["ink"] for row in rows_of(spec)}
    assert ink["s2" if higher else "s1"] == "#111111"
    assert ink["s1" if higher else "s2"] == "#ffffff"
    assert {row["setting"]: row["text"] for row in rows_of(spec)}["s1"] == "10 % ★"


def test_a_metric_without_a_direction_is_not_called_better() -> None:
    colour = heat(higher_is_better=None).spec["layer"][0]["encoding"]["color"]
    assert colour["title"] == ["Loop rate"]
    assert colour["scale"]["reverse"] is False


def test_continuous_settings_are_dots_and_many_cells_have_no_numbers() -> None:
    cells = [HeatCell(at / 7, at / 3, f"s{at}", float(at), str(at)) for at in range(5)]
    spec = heat_chart(cells, x="t", y="p", title="Words").spec
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["circle"]
    assert spec["layer"][0]["encoding"]["x"]["type"] == "quantitative"
    names = [str(at) for at in range(20)]
    many = [HeatCell(x, y, f"{x} {y}", 1.0, "1") for x in names for y in names]
    wide = heat_chart(many, x="t", y="p", title="W", x_order=names, y_order=names).spec
    assert [layer["mark"]["type"] for layer in wide["layer"]] == ["rect"]


def test_what_cannot_be_placed_is_left_out() -> None:
    shown = [row for row in rows_of(charts()["front"].spec) if row["words"] == "t 3"]
    assert shown == []
    lines = rows_of(charts()["parallel"].spec)
    assert {row["axis"] for row in lines if row.get("setting") == "s2"} == {"t"}


def test_only_a_front_of_these_two_metrics_is_joined() -> None:
    joined = front_chart(POINTS, x="a", y="b").spec
    loose = front_chart(POINTS, x="a", y="b", is_whole_front=False).spec
    assert [layer["mark"]["type"] for layer in joined["layer"]] == ["line", "point"]
    assert [layer["mark"]["type"] for layer in loose["layer"]] == ["point"]
