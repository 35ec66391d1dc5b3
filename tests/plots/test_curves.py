"""Curves by step: what is kept of many points, and what is in the specification."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from ethogram.plots import CurvePoint, curves_chart, thinned

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400)


def points(values: list[float], run: str = "base", series: str = "training") -> list[CurvePoint]:
    return [CurvePoint(run, series, step, value) for step, value in enumerate(values)]


@given(VALUES, st.integers(4, 60))
def test_thinning_keeps_ends_extremes_and_order(values: list[float], most: int) -> None:
    every = points(values)
    kept = thinned(every, most)
    assert len(kept) <= most
    assert [kept[0], kept[-1]] == [every[0], every[-1]]
    assert kept == sorted(kept, key=lambda each: each.step)
    assert {min(values), max(values)} <= {each.value for each in kept}
    if len(values) <= most:
        assert kept == every


def test_one_training_is_coloured_by_series_and_several_by_name() -> None:
    one = [*points([3, 2]), *points([2.5], series="held-out")]
    spec = curves_chart(one, title="Loss", smoothed=["training"], window=5).spec
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["training", "held-out"]
    (window,) = (
        step for layer in spec["layer"] for step in layer.get("transform", ()) if "window" in step
    )
    assert window["frame"] == [-4, 0]
    assert window["groupby"] == ["run", "series"]
    both = curves_chart([*one, *points([4], run="<b>")], title="Loss", log=True).spec
    encoding = both["layer"][0]["encoding"]
    assert encoding["color"]["scale"]["domain"] == ["base", "<b>"]
    assert encoding["strokeDash"]["scale"]["domain"] == ["training", "held-out"]
    assert encoding["x"]["scale"]["type"] == "log"
    assert {"filter": "datum.step > 0"} in both["layer"][0]["transform"]


def test_it_holds_its_data_once_and_loads_nothing() -> None:
    spec = curves_chart(points([1.0, math.nan, 2.0]), title="Loss").spec
    assert [row["step"] for row in spec["data"]["values"]] == [0, 2]
    text = json.dumps(spec)
    assert text.count('"values"') == 1
    assert "http" not in text
