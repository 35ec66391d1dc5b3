"""Aims and notes: what a version claims, tested against its parent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ethogram.errors import SpecError
from ethogram.report import verify, write_progress
from ethogram.study import Study, ablate, compare, import_outputs, init, run
from ethogram.study.aims import Aims

LOOP = "the sea is wide and " * 12
LONG = "A quiet harbour " + " ".join(["word"] * 40)
PLAIN = [
    "A quiet harbour lies behind the old wall.",
    "Nobody counted the boats that morning.",
    "Rain came late, then left for the hills.",
    "My neighbour plants beans every spring.",
]


@pytest.fixture
def outcome(tmp_path: Path) -> Callable[..., Aims | None]:
    """Aims of texts against others, 12 prompts: `outcome(before, after, "{loop_rate: lower}")`."""

    def find(before: list[str], after: list[str], aim: str) -> Aims | None:
        folder = init(tmp_path / "study")
        for name, texts in (("v5.0.0", before), ("v6.0.0", after)):
            rows = [
                {"prompt_id": f"p{n}", "prompt": f"q{n}", "output": texts[n % len(texts)]}
                for n in range(12)
            ]
            path = tmp_path / f"{name}.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            with Study(folder) as study:
                import_outputs(study, path, name)
        child = folder / "versions/v6.0.0.yaml"
        child.write_text(child.read_text() + f"parent: v5.0.0\naim: {aim}\n")
        with Study(folder) as study:
            run(study, ["v5.0.0", "v6.0.0"])
            return compare(study, "v5.0.0", "v6.0.0").aims

    return find


@pytest.mark.parametrize(
    ("before", "after", "aim", "expected"),
    [
        ([LOOP], PLAIN, "{loop_rate: lower}", "met"),
        ([LOOP], PLAIN, "{loop_rate: higher}", "not met"),
        (PLAIN, PLAIN, "{loop_rate: lower}", "undecided"),
        ([LOOP], PLAIN, "{loop_rate: same}", "not met"),
        ([LONG], [f"{LONG} more", LONG, LONG.removesuffix(" word")], "{words: same}", "met"),
    ],
)
def test_an_aim_is_met_or_not(
    outcome: Callable[..., Aims | None],
    before: list[str],
    after: list[str],
    aim: str,
    expected: str,
) -> None:
    aims = outcome(before, after, aim)
    assert aims is not None
    assert aims.outcome == expected


def test_aims_are_corrected_for_each_other_alone(tiny_study: Path) -> None:
    version = tiny_study / "versions/v0.1.0.yaml"
    version.write_text(version.read_text() + "aim: {words: higher}\n")
    with Study(tiny_study) as study:
        run(study)
        found = compare(study, "v0.0.1", "v0.1.0")
    assert found.aims is not None
    (aim,) = found.aims.aims
    assert aim.difference.p_adjusted == aim.difference.test.p  # One aim: nothing to correct for.
    explored = [item for item in found.differences if 0 < item.test.p < 1]
    assert explored
    assert any(item.p_adjusted > item.test.p for item in explored)
    (words,) = [item for item in found.differences if item.metric.name == "words"]
    assert words.p_adjusted >= aim.difference.p_adjusted


def test_an_unknown_metric_stops_a_run_before_it_generates(tiny_study: Path) -> None:
    path = tiny_study / "versions/v0.1.0.yaml"
    path.write_text(path.read_text() + "aim: {lop_rate: lower}\n")
    with Study(tiny_study) as study:
        with pytest.raises(SpecError, match=r"v0\.1\.0\.yaml:\d+.*lop_rate.*loop_rate"):
            run(study)
        assert study.store.missing(study.identities("v0.0.1"))


def test_a_note_that_is_not_shown_fails(tiny_study: Path) -> None:
    path = tiny_study / "versions/v0.1.0.yaml"
    path.write_text(path.read_text() + 'takeaway: {text: It is short., shown_by: {words: "< 0"}}\n')
    with Study(tiny_study) as study:
        run(study)
        write_progress(study)
        found = verify(study)
    assert not found.holds
    assert found.problems == []
    (words,) = found.unshown
    assert "v0.1.0" in words
    assert "measured: words" in words
    assert "v0.0.1: It loops." in found.unmeasured


def test_an_ablation_runs_each_change_in_both_directions(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study)
        found = ablate(study, "v0.1.0", metrics=["words"])
    assert len(found.changes) >= 2
    assert all(each.alone or each.alone_note for each in found.changes)
    assert all(each.left_out or each.left_out_note for each in found.changes)
    assert found.sentence("words").startswith("Words: ")
