"""Scores of a rubric, and what hostile replies of a judge look like."""

from __future__ import annotations

import json

import pytest
from tests.judges import answers, prefers_longer, serving
from tests.study.judging import BOTH, judged, words_of

import ethogram as eg
from ethogram.study import RubricJudgement


def test_a_rubric_scores_each_output_by_itself(study: eg.Study) -> None:
    def answer(question: str) -> str:
        (only,) = answers(question)
        if only.endswith("1") and "Question 7?" in question:
            return "No."
        return f'Fine.\n{{"kind": {9 if only.startswith("a longer") else 4}, "true": 6}}'

    with serving(answer) as judge:
        found = judged(study, judge.url, rubric=BOTH)
        again = judged(study, judge.url, rubric=BOTH, offline=True)
    assert isinstance(found, RubricJudgement)
    assert len(judge.asked) == 48
    kind, true, overall = found.differences
    assert (kind.metric.name, true.metric.name, overall.metric.name) == ("kind", "true", "overall")
    assert kind.before == pytest.approx(4)
    # Sample means by prompt; of prompt 7 one sample is left, and it is weighed by what it says.
    assert kind.after == pytest.approx((9 * 7.5 + 4 * 4) / 11.5)
    assert true.estimate == 0
    assert overall.estimate == pytest.approx(kind.estimate / 2)
    assert kind.verdict == "better"
    assert found.unparsed == (1, 1)
    assert again.to_json()["differences"] == found.to_json()["differences"]
    shown = words_of(found)
    assert "1 of 24 for v0.0.1, 1 of 24 for v0.1.0" in " ".join(shown.split())
    assert len(judged(study, judge.url, rubric=BOTH, offline=True, samples=1).scored[0]) == 12


def test_what_a_judge_says_is_inert_wherever_it_is_shown(study: eg.Study) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script> [bold red]x[/] \x9b31m\u202e"

    def answer(question: str) -> str:
        return hostile if "Question 1?" in question else hostile + "\n" + prefers_longer(question)

    with serving(answer) as judge:
        found = judged(study, judge.url)
        scored = judged(study, judge.url, rubric=BOTH)
    for result in (found, scored):
        shown = words_of(result, shown=24)
        assert all(character == "\n" or character.isprintable() for character in shown)
        assert "<script>" in shown  # As text, in a terminal.
        assert "[bold red]" in shown
        assert "<script>" not in result._repr_html_()
        # In JSON the words are whole; escapes are the form's own.
        assert "\x1b" not in json.dumps(result.to_json())
