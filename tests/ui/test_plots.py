"""One chart of each kind: notebook, page, report and files hold one specification."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient
from tests.ui.whole import held, unpacked

import ethogram as eg
from ethogram.cli import cli
from ethogram.errors import EthogramError
from ethogram.plots import Chart
from ethogram.plots.chart import RELEASE
from ethogram.ui.app import make_api
from ethogram.ui.context import Context
from ethogram.ui.report import write_report
from ethogram.ui.report_views import key_of

pytestmark = pytest.mark.long
FIELDS = {"x": "decoding.temperature", "y": "decoding.max_new_tokens"}


@dataclass(frozen=True)
class Same:
    """How one chart is asked for.

    Attributes:
        notebook: in Python.
        route: of the page's server.
        query: to it.
        kept: key of the report's answer.
        command: words behind `ethogram plot`.
    """

    notebook: Callable[[Path], Chart]
    route: str
    query: dict[str, Any]
    kept: str
    command: str


def of_sweep(kind: str, command: str, **query: Any) -> Same:
    kept = {**query, "fixed": ()} if kind == "heat" else query
    asked = {key: value for key, value in query.items() if key != "metrics"}
    return Same(
        lambda folder: eg.plot_sweep(folder, 1, kind, **asked),  # type: ignore[arg-type]
        f"sweeps/1/{kind}",
        query,
        key_of(f"/api/sweeps/{{number}}/{kind}", number=1, **kept),
        f"sweep 1 --kind {kind} {command}",
    )


CURVES = {"id": [1, 2], "log": True, "window": 5}
CHARTS = {
    "paired": Same(
        lambda folder: eg.plot_comparison(folder, "v0.1.0", "v0.2.0", "words"),
        "compare/chart",
        {"versions": ["v0.1.0", "v0.2.0"], "metric": "words"},
        key_of("/api/compare/chart", versions=["v0.1.0", "v0.2.0"], metric="words"),
        "compare v0.1.0 v0.2.0 -m words",
    ),
    "heat": of_sweep(
        "heat",
        "--x decoding.temperature --y decoding.max_new_tokens -m loop_rate",
        **FIELDS,
        metric="loop_rate",
    ),
    "front": of_sweep("front", "--x tokens --y loop_rate", x="tokens", y="loop_rate"),
    "parallel": of_sweep("parallel", "", metrics=["words", "tokens"]),
    "race": of_sweep("race", "-m tokens", metric="tokens"),
    "curves": Same(
        lambda folder: eg.plot_training(folder, [1, 2], "tokens_per_second", log=True, window=5),
        "trainings/curves",
        {**CURVES, "quantity": ["tokens_per_second"]},
        key_of("/api/trainings/curves", **CURVES),
        "train 1 2 --quantity tokens_per_second --log --window 5",
    ),
}
each_chart = pytest.mark.parametrize("same", CHARTS.values(), ids=CHARTS.keys())


def asked(folder: Path, route: str, **query: Any) -> Any:
    """The answer of the page's server."""
    context = Context(folder)
    try:
        answer = TestClient(make_api(context)).get(f"/api/{route}", params=query)
    finally:
        context.close()
    assert answer.status_code == 200, answer.text
    return answer.json()


def plot(*words: object) -> str:
    """What `ethogram plot` prints, or why it refuses."""
    done = CliRunner().invoke(cli, ["plot", *map(str, words)])
    if isinstance(done.exception, EthogramError):
        return f"refused: {done.exception}"
    said = " ".join(done.output.split())
    return said if done.exit_code == 0 else f"refused: {said}"


def spec_of(answer: Any, name: str = "tokens_per_second") -> Any:
    """The specification of an answer, of curves that of one quantity."""
    panels = answer.get("panels", ())
    return next((each["spec"] for each in panels if each["name"] == name), answer.get("spec"))


@pytest.fixture(scope="session")
def report_data(whole_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(whole_folder, path)
    return held(path)


@each_chart
def test_notebook_page_report_and_command_have_one_chart(
    same: Same, whole_folder: Path, report_data: dict[str, Any], tmp_path: Path
) -> None:
    chart, page = same.notebook(whole_folder), asked(whole_folder, same.route, **same.query)
    written = plot(*same.command.split(), "-C", whole_folder, "-o", tmp_path / "chart.json")
    file = json.loads((tmp_path / "chart.json").read_text(encoding="utf-8"))
    in_report = unpacked(report_data["answers"][same.kept], report_data["columns"])
    assert spec_of(page) == spec_of(in_report) != {}
    assert chart.words in written
    assert file == chart.spec
    sizes = {"width", "height"} if same.route == "trainings/curves" else set()
    differing = {key for key in chart.spec | spec_of(page) if file[key] != spec_of(page)[key]}
    assert differing == sizes  # Curves fill the column of the page.
    assert chart.words == page.get("words", chart.words)
    rows = [
        row for part in (file, *file["layer"]) for row in part.get("data", {}).get("values", ())
    ]
    assert len(rows) > 5


@each_chart
def test_files_are_drawn_from_the_specification_of_the_page(
    same: Same, whole_folder: Path, tmp_path: Path
) -> None:
    convert = pytest.importorskip("vl_convert")
    chart, page = same.notebook(whole_folder), asked(whole_folder, same.route, **same.query)
    spec = {**spec_of(page), "width": chart.spec["width"], "height": chart.spec["height"]}
    png, svg = chart.save(tmp_path / "chart.png"), chart.save(tmp_path / "chart.svg")
    assert png.read_bytes() == convert.vegalite_to_png(spec, vl_version=RELEASE, scale=2)
    # Gradients are numbered through all that one process draws.
    files = (svg.read_text(encoding="utf-8"), convert.vegalite_to_svg(spec, vl_version=RELEASE))
    written, expected = (re.sub(r"gradient_\d+", "gradient", text) for text in files)
    assert written == expected


def test_without_further_words_charts_are_those_that_the_page_begins_with(
    whole_folder: Path,
) -> None:
    fields = {"x": "decoding.max_new_tokens", "y": "decoding.temperature"}
    heat = asked(whole_folder, "sweeps/1/heat", **fields, metric="words")
    front = asked(whole_folder, "sweeps/1/front", x="words", y="tokens")
    versions = ["v0.1.0", "v0.2.0"]
    paired = asked(whole_folder, "compare/chart", versions=versions)
    assert eg.plot_sweep(whole_folder, 1).spec == heat["spec"]
    assert eg.plot_sweep(whole_folder, 1, "front").spec == front["spec"]
    assert eg.plot_comparison(whole_folder, *versions).spec == paired["spec"]
    assert eg.plot_training(whole_folder, 1).spec["layer"][0]["encoding"]["y"]["title"] == "Loss"
    with eg.Study(whole_folder) as study:  # The newest sweep was interrupted.
        assert eg.plot_sweep(study, kind="race").spec == eg.plot_sweep(study, 2, "race").spec


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("sweep 9 -o a.svg", "no sweep 9"),
        ("sweep 1 --x decoding.top_p -o a.svg", "this field does not vary"),
        ("sweep 1 --kind race -m loop_rate -o a.svg", "only objectives are measured"),
        ("sweep 1 --fix top_p -o a.svg", "'top_p' is not FIELD=VALUE"),
        ("train 9 -o a.svg", "there is no training 9"),
        ("train 1 --quantity lost -o a.svg", "no curve 'lost'"),
        ("compare v0.1.0 v9 -o a.svg", "no version 'v9'"),
        ("compare v0.1.0 v0.2.0 -m wrds -o a.svg", "no metric 'wrds'"),
        ("compare v0.1.0 v0.2.0 -o a.pdf", "cannot be saved as .pdf"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(
    whole_folder: Path, tmp_path: Path, words: str, refusal: str
) -> None:
    *words_before, name = words.split()
    said = plot(*words_before, tmp_path / name, "-C", whole_folder)
    assert said.startswith("refused: ")
    assert refusal in said
    assert not list(tmp_path.iterdir())
