"""Scores kept in the store: read again while they hold, computed again when anything changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ethogram.metrics import registry
from ethogram.metrics.base import Metric, Output, Score
from ethogram.study import Study, run
from ethogram.study import kept_scores as kept
from ethogram.study import measure as measuring
from ethogram.study.measure import measure


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Metrics that are computed, one name an output."""
    names: list[str] = []
    plain = Metric.measure

    def measured(self: Metric, output: Output) -> Score:
        names.append(self.name)
        return plain(self, output)

    monkeypatch.setattr(Metric, "measure", measured)
    return names


def test_scores_are_computed_once(tiny_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Study(tiny_study) as study:
        run(study)
    computed = counted(monkeypatch)
    with Study(tiny_study) as study:
        first = measure(study, "v0.0.1", ("words", "loop_rate"))
        assert measure(study, "v0.0.1", ("pitfall_echo",))
    assert set(computed) == {"pitfall_echo"}  # The run's table kept the others.
    computed.clear()
    with Study(tiny_study) as study:
        again = measure(study, "v0.0.1", ("words", "loop_rate", "pitfall_echo"))
    assert computed == []
    assert [each.scores for each in again.values()][:2] == [each.scores for each in first.values()]


@pytest.mark.parametrize("change", ["version", "code", "suite"])
def test_whatever_scores_follow_from_makes_them_again(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    with Study(tiny_study) as study:
        run(study)
    if change == "version":
        newer = replace(registry.get("words"), version=99)
        monkeypatch.setattr(measuring, "get", lambda name: newer)
    elif change == "code":
        monkeypatch.setattr(kept, "code_digest", lambda: "other")
    else:
        suite = next((tiny_study / "suites").glob("*.jsonl"))
        lines = suite.read_text().splitlines()
        lines[0] = lines[0].rstrip("}") + ', "reference": "a new right answer"}'
        suite.write_text("\n".join(lines) + "\n")
    computed = counted(monkeypatch)
    with Study(tiny_study) as study:
        measure(study, "v0.0.1", ("words",))
        assert len(computed) == len(study.identities("v0.0.1"))
        computed.clear()
    with Study(tiny_study) as study:
        measure(study, "v0.0.1", ("words",))
    assert computed == []
