"""JUnit, annotations and lines of a check: model text is data in each of them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ethogram.metrics import Span, get
from ethogram.report.checks import (
    contract_words,
    github_annotations,
    print_check,
    write_junit,
)
from ethogram.study.check import CheckResult, Contract, Evidence, Outcome

HOSTILE = (
    "\x1b[31mred\x00</failure><![CDATA[x]]>&amp; ::error file=x::y\r\n%0A [bold]b[/bold]"
    " \ud800\uffff"
)


def contract(outcome: Outcome = "fail", text: str = HOSTILE, **changes: object) -> Contract:
    fields: dict[str, object] = {
        "version": "v1.0.0",
        "metric": get("loop_rate"),
        "bound": "< 0.02",
        "value": 0.4,
        "outcome": outcome,
        "confidence": 0.9971,
        "outputs": 96,
        "applies_to": 96,
        "missing": 24 if outcome == "undecided" else 0,
        "method": "betting",
        "evidence": [Evidence("p,1:x", 2, 1.0, text, (Span(1, 4, "loop"),))]
        if outcome == "fail"
        else [],
        "file": Path("versions/v1.0.0.yaml"),
        "line": 7,
    }
    return Contract(**{**fields, **changes})  # type: ignore[arg-type]


def result(*contracts: Contract) -> CheckResult:
    return CheckResult("<study>", contracts, [])


def test_junit_counts_and_keeps_hostile_text_inert(tmp_path: Path) -> None:
    path = tmp_path / "out.xml"
    write_junit(result(contract(), contract("pass"), contract("undecided")), path)
    suite = ElementTree.parse(path).getroot()
    assert dict(suite.attrib) == {
        "name": "ethogram <study>",
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "</failure><![CDATA[x]]>" in (failure.text or "")
    assert suite.find("testcase").get("line") == "7"  # type: ignore[union-attr]
    write_junit(result(contract("undecided")), path, strict=True)
    assert ElementTree.parse(path).getroot().get("failures") == "1"


@given(text=st.text())
def test_any_text_gives_xml_that_parses(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("junit") / "out.xml"
    write_junit(result(contract(text=text)), path)
    ElementTree.parse(path)


@given(text=st.text())
def test_an_annotation_is_one_line_and_one_command(text: str) -> None:
    (line,) = github_annotations(result(contract(text=text)))
    assert line.splitlines() == [line]
    assert line.startswith(
        "::error file=versions/v1.0.0.yaml,line=7,title=v1.0.0%3A loop_rate < 0.02::"
    )


def test_annotations_escape_and_grade() -> None:
    (line,) = github_annotations(result(contract(text="100 % : a,b\nc")))
    assert "100 %25 : a,b ⏎ c" in line
    assert not list(github_annotations(result(contract("pass"))))
    (line,) = github_annotations(result(contract("undecided")))
    assert line.startswith("::warning ")
    (line,) = github_annotations(result(contract("undecided")), strict=True)
    assert line.startswith("::error ")


def test_lines_for_people() -> None:
    out = StringIO()
    items = [
        contract(text="say it again it again"),
        contract("pass", value=0.0),
        contract("pass", method="exact", confidence=1.0),
        contract("undecided"),
        contract("undecided", missing=None),
        contract("undecided", value=float("nan"), missing=None),
    ]
    print_check(Console(file=out, width=200), result(*items))
    lines = out.getvalue().splitlines()
    assert lines[0] == "v1.0.0"
    assert "fail" in lines[1]
    assert "loop_rate is 0.400, expected < 0.02, confidence 99.7 % on 96 outputs" in lines[1]
    assert "p,1:x sample 2, 1.000: say it again it again" in lines[2]
    assert "deterministic, on 96 outputs" in lines[4]
    assert "undecided after 96 outputs, about 24 more would decide" in lines[5]
    assert "more samples like these would not decide it" in lines[6]
    assert "applies to none of them" in lines[7]
    assert lines[8] == "2 passed, 1 broken, 3 undecided of 6 contracts"


def test_no_output_drives_the_terminal() -> None:
    out = StringIO()
    print_check(Console(file=out, width=300), result(contract()))
    assert "\x1b" not in out.getvalue()
    assert "\x00" not in out.getvalue()
    assert "[bold]b[/bold]" in out.getvalue()


def test_a_study_without_contracts_says_so() -> None:
    out = StringIO()
    print_check(Console(file=out, width=100), CheckResult("s", [], []))
    assert "No contract to check" in out.getvalue()


def test_a_contract_says_of_how_many_outputs_its_metric_speaks() -> None:
    assert "on 96 outputs (loop_rate applies to 30)" in contract_words(contract(applies_to=30))
    assert "applies" not in contract_words(contract())


@pytest.mark.parametrize("width", [60, 80])
def test_a_check_wraps_beside_its_outcome(width: int) -> None:
    page = StringIO()
    console = Console(file=page, width=width)
    print_check(console, result(contract(), contract("undecided")))
    lines = page.getvalue().splitlines()
    assert lines[0] == "v1.0.0"
    assert all(line.startswith((" ", "fail", "undecided")) for line in lines[1:-1])
    assert lines[-1] == "0 passed, 1 broken, 1 undecided of 2 contracts"


def test_a_notebook_shows_a_check_without_running_it() -> None:
    page = result(contract(version="<b>v</b>"))._repr_html_()
    assert "&lt;b&gt;v&lt;/b&gt;" in page
    assert "<td>fail</td>" in page
