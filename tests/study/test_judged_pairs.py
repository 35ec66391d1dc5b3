"""Preference pairs by the stored verdicts of a judge."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.formats import samples as made
from tests.judges import answers, prefers_longer, serving, verdict

import ethogram as eg
from ethogram.backends import Endpoint
from ethogram.cli import main
from ethogram.errors import EthogramError, SpecError

LONG = "a much longer answer"


@pytest.fixture
def study(empty: Path, tmp_path: Path) -> eg.Study:
    """The second version is longer on p0 and p1, shorter on p2, and the same on p3."""
    texts = {
        "v0.3.0": ["short", "short", LONG, "same"],
        "v0.4.0": [LONG, LONG, "short", "same"],
    }
    for name, each in texts.items():
        rows = [
            {"id": f"p{n}", "prompt": f"Question {n}?", "output": text, "tags": [f"t{n % 2}"]}
            for n, text in enumerate(each)
        ]
        file = tmp_path / "rows.jsonl"
        file.write_text(made.lines(*rows))
        with eg.Study(empty) as opened:
            eg.import_outputs(opened, file, name)
    return eg.Study(empty)


def judged(study: eg.Study, answer: object = prefers_longer) -> None:
    with serving(answer) as judge:  # type: ignore[arg-type]
        endpoint = Endpoint(judge.url, retries=0, timeout=10)
        eg.judge(study, "v0.3.0", "v0.4.0", model="small", endpoint=endpoint)


def test_what_both_orders_decide_is_a_pair(study: eg.Study, tmp_path: Path) -> None:
    judged(study)
    file = tmp_path / "pairs.jsonl"
    assert eg.export(study, file, ["v0.3.0", "v0.4.0"], kind="dpo", metrics=["judge:small"]) == 3
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["prompt_id"] for row in rows] == ["p0", "p1", "p2"]
    assert all((row["chosen"], row["rejected"]) == (LONG, "short") for row in rows)
    assert rows[2]["prompt"] == "Question 2?"
    names, judge = ["v0.4.0", "v0.3.0"], ["judge:small"]
    assert eg.export(study, file, names, tag="t1", kind="dpo", metrics=judge) == 1
    assert json.loads(file.read_text())["prompt_id"] == "p1"


def test_a_judge_that_prefers_a_position_gives_no_pair(study: eg.Study, tmp_path: Path) -> None:
    def first(question: str) -> str:
        return verdict("A" if len(answers(question)) == 2 else "B")

    judged(study, first)
    names = ["v0.3.0", "v0.4.0"]
    assert eg.export(study, tmp_path / "p.jsonl", names, kind="dpo", metrics=["judge:small"]) == 0


def test_without_verdicts_and_with_one_version_it_is_one_line(
    study: eg.Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    judge = ["judge:small"]
    with pytest.raises(SpecError, match="verdicts need two versions"):
        eg.export(study, tmp_path / "p.jsonl", ["v0.3.0"], kind="dpo", metrics=judge)
    with pytest.raises(EthogramError, match="verdict"):
        eg.export(study, tmp_path / "p.jsonl", ["v0.3.0", "v0.4.0"], kind="dpo", metrics=judge)
    folder = ("--study", str(study.folder))
    words = ["export", "-", "v0.3.0", "v0.4.0", "--as", "dpo", "-m", "judge:small", *folder]
    monkeypatch.setattr(sys, "argv", ["ethogram", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    judged(study)
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    assert len(capsys.readouterr().out.splitlines()) == 3
