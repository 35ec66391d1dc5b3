"""One chart of each kind: notebook, page, report and files hold one specification."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient
from tests.ui.swept import copied
from tests.ui.test_train_view import shown_folder as trained_folder

from ethogram import plots
from ethogram.report.curves import training_curves
from ethogram.study import Study
from ethogram.ui.app import make_api
from ethogram.ui.context import Context
from ethogram.ui.report import write_report

if TYPE_CHECKING:
    from altair import LayerChart

__all__ = ["trained_folder"]  # The fixture: a recorded training.
altair = pytest.importorskip("altair")
pytestmark = pytest.mark.long
#: What Altair writes beside a specification: the schema's address, and its own size of a chart that
#: names none, which ours do.
ALTAIR = {"$schema", "config"}
SWEEP_CHARTS: dict[str, dict[str, Any]] = {
    "heat": {"x": "decoding.max_new_tokens", "y": "decoding.temperature", "metric": "words"},
    "front": {"x": "words", "y": "tokens"},
    "parallel": {"metrics": ["words", "tokens"]},
    "race": {"metric": "words"},
}


@dataclass(frozen=True)
class Shown:
    """One chart everywhere.

    Attributes:
        notebook: as a notebook has it.
        page: the specification that the server sends.
        rows: what the rows of its data are about, such as settings.
    """

    notebook: LayerChart
    page: dict[str, Any]
    rows: set[Any]

    @property
    def whole(self) -> dict[str, Any]:
        """The notebook's specification."""
        found: dict[str, Any] = self.notebook.to_dict()
        return found


def asked(folder: Path, route: str, **query: Any) -> Any:
    """The answer of the page's server."""
    context = Context(folder)
    try:
        answer = TestClient(make_api(context)).get(f"/api/{route}", params=query)
    finally:
        context.close()
    assert answer.status_code == 200, answer.text
    return answer.json()


def drawn(
    monkeypatch: pytest.MonkeyPatch, place: str, page: str, notebook: str, ask: Callable[[], Any]
) -> Shown:
    """A chart of the page, and what a notebook makes of the same plain data.

    Args:
        monkeypatch: of the test.
        place: module of the page that makes it.
        page: the function of `ethogram.plots` that it calls.
        notebook: the one that a notebook calls.
        ask: asks the server.
    """
    given: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    draw: Callable[..., Any] = getattr(plots, page)

    def recorded(*args: Any, **options: Any) -> Any:
        given.append((args, options))
        return draw(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(f"{place}.{page}", recorded)
        spec = ask()["spec"]
    [(args, options)] = given
    data = [
        row for part in (spec, *spec["layer"]) for row in part.get("data", {}).get("values", ())
    ]
    rows = {row.get("setting") or row.get("prompt") for row in data} - {None}
    return Shown(getattr(plots, notebook)(*args, **options), spec, rows)


@pytest.fixture
def shown(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The chart that a test names: `paired`, `curves`, or one of a sweep."""
    kind = request.param
    if kind == "curves":
        return curves(request.getfixturevalue("trained_folder"), width=600)
    if kind == "paired":
        folder, place = request.getfixturevalue("folder"), "ethogram.ui.comparison"
        route, query = "compare/chart", {"versions": ["v0.0.1", "v0.1.0"]}
        page, notebook = "paired_spec", "paired_chart"
    else:
        folder = copied(request.getfixturevalue("swept_folder"), tmp_path / "swept")
        place, page, notebook = "ethogram.ui.sweep_charts", f"{kind}_chart", f"{kind}_chart"
        route, query = f"sweeps/1/{kind}", SWEEP_CHARTS[kind]
    return drawn(monkeypatch, place, page, notebook, lambda: asked(folder, route, **query))


def curves(folder: Path, width: int) -> Shown:
    """The curve of a loss; the page's has the width of its column."""
    page = asked(folder, "trainings/curves", id=[1], quantity=["loss"])["panels"][0]["spec"]
    [loss] = training_curves(folder, [1], ["loss"])
    notebook = loss.chart(width=width, height=page["height"])
    return Shown(
        notebook, {**page, "width": width}, {row["step"] for row in page["data"]["values"]}
    )


@pytest.mark.parametrize("shown", ["paired"], indirect=True)
def test_page_and_report_show_the_paired_values_of_a_notebook(
    shown: Shown, folder: Path, tmp_path: Path
) -> None:
    assert shown.whole.keys() - shown.page.keys() == ALTAIR
    assert {key: shown.whole[key] for key in shown.page} == shown.page
    assert shown.rows  # Prompts without a value are left out.
    with Study(folder) as study:
        write_report(study, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    packed = re.search(r"globalThis\.ethogramReport = (.*);</script>", text)
    assert packed
    assert json.loads(packed[1])["charts"]["v0.0.1 v0.1.0"]["spec"] == shown.page


@pytest.mark.parametrize("shown", [*SWEEP_CHARTS, "curves"], indirect=True)
def test_the_page_shows_sweeps_and_trainings_as_a_notebook_does(shown: Shown) -> None:
    assert shown.whole == shown.page
    assert len(shown.rows) >= 6


def test_only_the_size_of_curves_is_the_page_s_own(trained_folder: Path) -> None:
    answer = asked(trained_folder, "trainings/curves", id=[1], quantity=["loss"])
    page = answer["panels"][0]["spec"]
    [loss] = training_curves(trained_folder, [1], ["loss"])
    whole = loss.chart().to_dict()
    assert {key for key in whole | page if whole.get(key) != page.get(key)} == {"width", "height"}
    assert (whole["width"], page["width"]) == (320, "container")


@pytest.mark.parametrize("kind", ["svg", "png"])
@pytest.mark.parametrize("shown", ["paired", *SWEEP_CHARTS, "curves"], indirect=True)
def test_files_are_drawn_from_the_specification_of_the_page(
    shown: Shown, kind: str, tmp_path: Path
) -> None:
    convert = pytest.importorskip("vl_convert")
    path = tmp_path / f"chart.{kind}"
    shown.notebook.save(str(path))
    release = "_".join(altair.SCHEMA_VERSION.split(".")[:2])
    made = getattr(convert, f"vegalite_to_{kind}")(shown.page, vl_version=release)
    if kind == "png":
        assert path.read_bytes() == made
    else:  # Gradients are numbered through all that one process draws.
        files = (path.read_text(encoding="utf-8"), made)
        written, expected = (re.sub(r"gradient_\d+", "gradient", text) for text in files)
        assert written == expected
