"""Verbs take a study or its folder, one version or several; results are short and subscriptable."""

from __future__ import annotations

from pathlib import Path

import pytest

import ethogram as eg
from ethogram.errors import SpecError


def test_a_folder_and_one_name_will_do(tiny_study: Path) -> None:
    made = eg.run(tiny_study, "v0.0.1")
    assert [row.version for row in made.rows] == ["v0.0.1"]
    with eg.Study(tiny_study) as study:
        assert eg.run(study, ["v0.0.1"]).made == 0
        assert eg.run(study, "v0.1.0").made == 12
    assert eg.check(str(tiny_study), "v0.1.0").study == made.study
    assert eg.show(tiny_study, "v0.1.0").version == "v0.1.0"
    assert eg.diff(tiny_study, "v0.0.1", "v0.1.0").changes


def test_a_misspelt_version_names_the_nearest(tiny_study: Path) -> None:
    for verb in (eg.run, eg.check, eg.show):
        with pytest.raises(
            SpecError, match=r"no version 'v0\.1\.1'.*did you mean 'v0\.[01]\.[01]'"
        ):
            verb(tiny_study, "v0.1.1")


def test_results_have_subscripts_and_a_short_repr(tiny_study: Path) -> None:
    ran = eg.run(tiny_study, ["v0.0.1", "v0.1.0"])
    found = eg.compare(tiny_study, "v0.0.1", "v0.1.0")
    assert found["loop_rate"].metric.name == "loop_rate"
    assert ran["v0.1.0"]["words"] == ran.rows[1].values["words"]
    for wrong in (lambda: found["loop_rat"], lambda: ran["v0.1.0"]["loop_rat"]):
        with pytest.raises(KeyError, match="did you mean 'loop_rate'"):
            wrong()
    with pytest.raises(KeyError, match="did you mean"):
        ran["v0.1.1"]
    for result in (ran, found):
        assert len(repr(result)) < 1500
        assert "v0.1.0" in repr(result)
    assert repr(eg.compare(tiny_study, "v0.0.1", "v0.1.0", metrics="words")).count("\n") == 1
