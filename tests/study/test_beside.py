"""A version against a file: shared prompts by id or wording, nothing stored, clear refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.formats import samples as made

import ethogram as eg
from ethogram.errors import SpecError

LOOP = "and on " * 20
PROMPTS = [f"the old lighthouse keeper number {number} said" for number in range(6)]


@pytest.fixture
def ran(tiny_study: Path) -> eg.Study:
    study = eg.Study(tiny_study)
    eg.run(study, "v0.0.1")
    return study


def by_id(path: Path) -> Path:
    rows = [{"id": f"p{n}", "output": LOOP} for n in range(4)] + [{"id": "new", "output": LOOP}]
    path.write_text(made.lines(*rows))
    return path


def by_wording(path: Path) -> Path:
    """lm-eval numbers its documents; one is no prompt of the study."""
    rows = [made.lm_eval(n, LOOP, LOOP) for n in range(5)]
    for number, row in enumerate(rows[:4]):
        row["arguments"]["gen_args_0"]["arg_0"] = f" {PROMPTS[number + 1]}\n"
    path.write_text(made.lines(*rows))
    return path


def by_test(path: Path) -> Path:
    """promptfoo, on tests that the study exported: the wording is the prompt template's."""
    results = [made.promptfoo_result(n, LOOP) for n in range(5)]
    for number, result in enumerate(results):
        result["testCase"]["metadata"] = {"id": f"p{number}" if number < 4 else "new"}
    path.write_text(json.dumps(made.promptfoo(*results)))
    return path


def by_both(path: Path) -> Path:
    """Ids that mean other prompts: the wording counts."""
    rows = [{"id": f"p{n + 1}", "prompt": PROMPTS[n], "output": LOOP} for n in range(4)]
    path.write_text(made.lines(*rows, {"id": "p0", "prompt": "another", "output": LOOP}))
    return path


@pytest.mark.parametrize("make", [by_id, by_wording, by_test, by_both])
def test_a_version_and_a_file(ran: eg.Study, tmp_path: Path, make: Callable[[Path], Path]) -> None:
    stored = ran.store.count()
    file = make(tmp_path / "theirs.json")
    found = eg.compare(ran, "v0.0.1", file, metrics=["loop_rate", "words"])
    assert (found.before, found.after) == ("v0.0.1", "theirs.json")
    assert (found.prompts, found.own_prompts) == (4, (6, 5))
    assert found["loop_rate"].after == 1
    assert found["loop_rate"].test.prompts == 4
    fields = {change.field for change in found.changes}
    assert "outputs" in fields
    assert not any(each.startswith("decoding") for each in fields)
    turned = eg.compare(ran, file, "v0.0.1", metrics=["words"])
    assert turned["words"].estimate == -found["words"].estimate
    assert all(each.prompt in PROMPTS for each in found.samples)
    assert ran.store.count() == stored


def test_right_answers_of_either_side_count(ran: eg.Study, tmp_path: Path) -> None:
    file = tmp_path / "theirs.jsonl"
    rows = [{"id": f"p{n}", "output": "Oslo", "reference": "Oslo"} for n in range(4)]
    file.write_text(made.lines(*rows))
    found = eg.compare(ran, "v0.0.1", file, metrics=["exact_match"])["exact_match"]
    assert found.after == 1


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        (
            {"prompt": "a", "output": "b"},
            {},
            r"theirs\.jsonl: its prompt is none of v0\.0\.1's, by id or by wording; run a version "
            r"on its prompts: `ethogram import theirs\.jsonl --suite NAME`",
        ),
        ({"id": "p0"}, {}, r"theirs\.jsonl:1: no output text"),
        ({"id": "p0", "output": "b"}, {"select": ["a", "b"]}, "--select: 2 groups for 1 file"),
        ({"id": "p0", "output": "b"}, {"select": ["a"]}, "does not name the models of its outputs"),
    ],
)
def test_what_cannot_be_compared(
    ran: eg.Study, tmp_path: Path, row: Any, options: Any, message: str
) -> None:
    file = tmp_path / "theirs.jsonl"
    file.write_text(made.lines(row))
    with pytest.raises(SpecError, match=message):
        eg.compare(ran, "v0.0.1", file, **options)


def test_groups_are_selected_of_files_alone(ran: eg.Study) -> None:
    with pytest.raises(SpecError, match="--select: groups are selected of files; name a file"):
        eg.compare(ran, "v0.0.1", "v0.1.0", select=["a"])


def test_two_prompts_of_a_file_that_are_one_are_samples(ran: eg.Study, tmp_path: Path) -> None:
    file = tmp_path / "theirs.jsonl"
    rows = [{"id": name, "prompt": PROMPTS[0], "output": "b"} for name in ("x", "y", "x")]
    file.write_text(made.lines(*rows))
    found = eg.compare(ran, "v0.0.1", file, metrics=["words"])
    assert (found.prompts, found.outputs[1]) == (1, 3)
