"""Differences: which prompts of two versions are compared, and which are refused."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import SpecError
from ethogram.metrics import Output, get
from ethogram.report import log
from ethogram.study import Study, check, compare, difference, import_outputs, run
from ethogram.study.difference import Difference
from ethogram.study.measure import Measured, measure
from ethogram.study.shared_prompts import UNKNOWN_PROMPT, shared_prompts

Rows = list[tuple[str, str, str]]


def measured(rows: Rows) -> Measured:
    """The words of outputs that are given as prompt id, prompt and text."""
    metric = get("words")
    outputs = [Output(text, prompt=prompt, prompt_id=name) for name, prompt, text in rows]
    return Measured(metric, outputs, [metric.measure(output) for output in outputs])


def test_prompts_meet_by_id_whatever_their_order() -> None:
    first = measured([("a", "A?", "1"), ("b", "B?", "1 2"), ("c", "C?", "1 2 3")])
    second = measured([("c", "C?", "1 2 3 4"), ("d", "D?", "1"), ("b", "B?", "1 2 3 4")])
    found = difference(first, second, "v1", "v2")
    assert (found.before, found.after, found.test.prompts) == (2.5, 4.0, 2)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([("a", "A?", "1")], [("b", "A?", "1")], "they share no prompt"),
        ([("a", "A?", "1")], [("a", "B?", "1")], "'a' is used for two different prompts"),
        ([("a", "A?", "1"), ("a", "B?", "1")], [("a", "A?", "1")], "'a' is used for two"),
    ],
)
def test_what_cannot_be_compared_is_an_error(first: Rows, second: Rows, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        difference(measured(first), measured(second), "v1", "v2")
    assert str(caught.value).startswith("v1 and v2: ")


def test_only_prompts_of_both_have_to_agree() -> None:
    first = measured([("a", "A?", "1"), ("b", "B?", "1")])
    second = measured([("a", "A?", "1"), ("c", "B?", "1"), ("c", "C?", "1")])
    assert difference(first, second, "v1", "v2").test.prompts == 1


@pytest.mark.parametrize("unknown", ["", UNKNOWN_PROMPT])
def test_a_prompt_that_nobody_kept_is_matched_by_its_id(unknown: str) -> None:
    first, second = ([Output("x", prompt=prompt, prompt_id="a")] for prompt in ("A?", unknown))
    assert shared_prompts(first, second, "v1", "v2") == ["a"]
    with pytest.raises(SpecError, match="two different prompts"):
        shared_prompts(first, second, "v1", "v2", wordings_known=True)


def asking(question: str | None) -> list[dict[str, Any]]:
    """Eight outputs to one question under eight ids."""
    return [{"id": f"p{n}", "prompt": question, "text": "one " * (n + 1)} for n in range(8)]


def study_of(folder: Path, versions: dict[str, list[dict[str, Any]]]) -> Study:
    """A study of imported versions; each is the parent of the next."""
    (folder / "versions").mkdir(parents=True)
    settings = "name: s\nsuite: suites/all.jsonl\nmetrics: [words, loop_rate]\n"
    (folder / "study.yaml").write_text(settings)
    parent = None
    for name, rows in versions.items():
        file = folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with Study(folder) as study:
            path = import_outputs(study, file, name)
        if parent:
            path.write_text(f"parent: {parent}\n{path.read_text()}expect: {{words: '>= 0'}}\n")
        parent = name
    return Study(folder)


def test_run_compare_log_and_check_refuse_an_id_of_two_prompts(tmp_path: Path) -> None:
    with study_of(tmp_path / "s", {"v0.0.1": asking("How?"), "v0.0.2": asking("Why?")}) as study:
        for refused in (
            lambda: run(study),
            lambda: compare(study, "v0.0.1", "v0.0.2"),
            lambda: log(study),
            lambda: check(study, baseline=True),
        ):
            with pytest.raises(SpecError, match="prompt id 'p0' is used for two different"):
                refused()
    # As the message says: one suite in both files makes them one prompt.
    file = tmp_path / "s" / "versions" / "v0.0.2.yaml"
    file.write_text(file.read_text().replace("suites/v0.0.2", "suites/v0.0.1"))
    with Study(tmp_path / "s") as study:
        assert compare(study, "v0.0.1", "v0.0.2").prompts == 8


def test_an_import_without_prompts_can_be_compared(tmp_path: Path) -> None:
    with study_of(tmp_path / "s", {"v0.0.1": asking("How?"), "v0.0.2": asking(None)}) as study:
        run(study)
        assert compare(study, "v0.0.1", "v0.0.2").differences[0].estimate == 0


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ([0, 1], [0, 1], ("b0", "a0", 0)),
        ([1, 0], [2, 1], ("b1", "a1", 1)),
        ([0], [0, 1], ("b0", "a0", 0)),
        ([0], [3, 2], ("b0", "a2", 2)),
        ([2, 1], [0], ("b1", "a0", 0)),
    ],
)
def test_side_by_side_stand_outputs_of_one_sample_index(
    tmp_path: Path, before: list[int], after: list[int], shown: tuple[str, str, int]
) -> None:
    rows = [
        [{"id": "p", "sample": index, "text": f"{side}{index}"} for index in indices]
        for side, indices in (("b", before), ("a", after))
    ]
    with study_of(tmp_path / "s", dict(zip(("v0.0.1", "v0.0.2"), rows, strict=True))) as study:
        run(study)
        found = compare(study, "v0.0.1", "v0.0.2", metrics=["sample_distinct_2", "words"])
    (sample,) = found.samples
    assert (sample.before, sample.after, sample.sample_index) == shown


def test_a_stored_test_does_not_outlive_the_version_of_its_metric(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    testing, measuring = (
        sys.modules[f"ethogram.study.{name}"] for name in ("difference", "measure")
    )
    tested: list[str] = []
    plain = testing.paired

    def counted(*arguments: Any, **options: Any) -> Any:
        tested.append("words")
        return plain(*arguments, **options)

    def found() -> Difference:
        with Study(tiny_study) as study:
            first, second = (measure(study, name, ("words",)) for name in ("v0.0.1", "v0.1.0"))
            return difference(first["words"], second["words"], "v0.0.1", "v0.1.0")

    with Study(tiny_study) as study:
        run(study)
    monkeypatch.setattr(testing, "paired", counted)
    before = found()
    assert tested == []  # The run's table stored it.
    newer = replace(get("words"), version=get("words").version + 1)
    monkeypatch.setattr(measuring, "get", lambda _: newer)
    assert found().estimate == before.estimate
    assert tested == ["words"]
    found()
    assert tested == ["words"]
