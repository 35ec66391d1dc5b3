"""Charts of every kind: what notebooks are given, and the files that are drawn."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from tests.plots.test_curves import points
from tests.plots.test_paired import POINTS
from tests.plots.test_sweeps import charts

from ethogram.errors import MissingExtraError, SpecError
from ethogram.plots import Chart, curves_chart, paired_chart
from ethogram.plots.chart import NOTEBOOK, RELEASE

CHARTS = {
    **charts(),
    "paired": paired_chart(POINTS, title="Loops", before="a", after="b", words="Loops by prompt."),
    "curves": curves_chart(points([3, 2, 1]), title="Loss", smoothed=["training"], window=2),
    "curves by a logarithm": curves_chart(points([3, 2, 1]), title="Loss", log=True),
}
every = pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())


@every
def test_the_specification_is_vega_lite(chart: Chart) -> None:
    """Altair checks it against the schema."""
    altair, schema = pytest.importorskip("altair"), pytest.importorskip("jsonschema")
    altair.LayerChart.from_dict(chart.spec)
    with pytest.raises(schema.ValidationError):
        altair.LayerChart.from_dict({**chart.spec, "width": []})


@every
def test_a_notebook_is_given_the_specification_and_its_words(chart: Chart) -> None:
    found = chart._repr_mimebundle_()
    assert found[NOTEBOOK] == chart.spec == chart.to_json()
    assert found["text/plain"] == repr(chart)
    assert repr(CHARTS["paired"]) == "Chart: Loops by prompt."


@every
def test_vega_lite_5_of_notebooks_draws_what_the_page_draws(chart: Chart) -> None:
    convert = pytest.importorskip("vl_convert")
    drawn = [convert.vegalite_to_svg(chart.spec, vl_version=each) for each in ("5.20", RELEASE)]
    # Gradients are numbered through all that one process draws.
    first, second = (re.sub(r"gradient_\d+", "gradient", each) for each in drawn)
    assert first == second


@every
def test_it_is_saved_as_a_picture_and_as_its_specification(chart: Chart, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    svg, png, plain = (chart.save(tmp_path / f"chart.{kind}") for kind in ("svg", "PNG", "json"))
    assert "<path" in svg.read_text(encoding="utf-8")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert json.loads(plain.read_text(encoding="utf-8")) == chart.spec
    assert chart._repr_mimebundle_()["image/svg+xml"].startswith("<svg")


def test_without_the_extra_there_is_no_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    chart = CHARTS["paired"]
    assert chart._repr_mimebundle_().keys() == {NOTEBOOK, "text/plain"}
    with pytest.raises(MissingExtraError, match=r"needs the extra \[plots\]"):
        chart.save(tmp_path / "chart.svg")
    with pytest.raises(SpecError, match=r"cannot be saved as \.pdf"):
        chart.save(tmp_path / "chart.pdf")
    assert not list(tmp_path.iterdir())
