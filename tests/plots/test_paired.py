"""The chart of paired values: what is in its specification, and that it can be drawn."""

from __future__ import annotations

import json
import math

import pytest

from ethogram.plots import PairedPoint, paired_chart
from ethogram.plots.chart import RELEASE
from ethogram.plots.paired import COUNTED

POINTS = [
    PairedPoint("a", 0.0, 0.5, "better"),
    PairedPoint("<b>", 1.0, 0.25, "worse"),
    PairedPoint("c", math.nan, 0.25, "same"),
]


def test_a_chart_holds_its_data_and_names_no_address() -> None:
    spec = paired_chart(POINTS, title="Loop rate", before="v1", after="v2", percent=True).spec
    text = json.dumps(spec)
    assert "http" not in text
    data = [layer["data"]["values"] for layer in spec["layer"]]
    assert data[0] == [{"at": 0.0}, {"at": 1.0}]
    assert [row["prompt"] for row in data[1]] == ["a", "<b>"]
    assert spec["layer"][1]["encoding"]["x"]["title"] == "Loop rate, v1"
    assert spec["params"][0]["name"] == "clicked"


def test_prompts_at_one_place_are_counted_and_drawn_larger() -> None:
    points = [PairedPoint(each, 0.0, 1.0, "better") for each in "abc"]
    points.append(PairedPoint("d", 1.0, 1.0, "same"))
    spec = paired_chart(points, title="t", before="a", after="b").spec
    assert [row["prompts"] for row in spec["layer"][1]["data"]["values"]] == [3, 3, 3, 1]
    size = spec["layer"][1]["encoding"]["size"]
    assert size["field"] == "prompts"
    assert size["scale"] == {"domain": [1, 3], "range": [60, 180]}  # Areas as the counts are.


def test_a_point_of_many_prompts_has_their_number_on_it_and_can_still_be_clicked() -> None:
    points = [PairedPoint(str(each), 0.0, 1.0, "better") for each in range(COUNTED)]
    points += [PairedPoint("one", 1.0, 1.0, "same")]
    spec = paired_chart(points, title="t", before="a", after="b").spec
    numbers = spec["layer"][2]
    assert [row["prompts"] for row in numbers["data"]["values"]] == [COUNTED]
    vega = pytest.importorskip("vl_convert").vegalite_to_vega(spec, vl_version=RELEASE)
    marks = {mark["type"]: mark for mark in vega["marks"]}
    assert marks["symbol"]["interactive"]
    assert not marks["text"]["interactive"]


@pytest.mark.parametrize("points", [[], [PairedPoint("a", 2.0, 2.0, "same")]])
def test_no_point_and_points_without_spread_make_a_chart(points: list[PairedPoint]) -> None:
    spec = paired_chart(points, title="t", before="a", after="b").spec
    low, high = spec["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert low < high
