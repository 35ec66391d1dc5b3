"""Plans: what a run is said to cost, beside what it cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethogram.errors import SpecError
from ethogram.report.plans import duration, plan_text, quantity, size
from ethogram.store.store import RunRecord
from ethogram.study import Study, run
from ethogram.study.plan import Prices, measured_rate, plan


def record(start: int, end: int | None, tokens: int) -> RunRecord:
    at = [f"2026-01-01T00:{second // 60:02}:{second % 60:02}+00:00" for second in (start, end or 0)]
    return RunRecord(1, "v", "i", at[0], at[1] if end else None, 1, tokens)


@pytest.mark.parametrize(
    ("runs", "rate"),
    [
        ([], None),
        ([record(0, 2, 500)], None),  # Too short: the clock has whole seconds.
        ([record(0, 10, 500)], 50),
        ([record(0, 10, 500), record(0, 10, 500)], 100),  # Two versions in one batch.
        ([record(0, 10, 500), record(5, 20, 500)], 50),
        ([record(0, 10, 500), record(100, 110, 300)], 40),
        ([record(0, 10, 500), record(20, None, 900)], 50),  # Interrupted.
    ],
)
def test_the_rate_of_a_store(runs: list[RunRecord], rate: float | None) -> None:
    assert measured_rate(runs) == (None if rate is None else pytest.approx(rate))


def test_a_plan_counts_what_a_run_then_makes(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        before = plan(study, rate=100, prices=Prices(hour=36, million=2, million_input=1))
        result = run(study)
        after = plan(study)
    assert before.missing == result.made == 30
    assert [(each.version, each.missing) for each in before.versions] == [
        (row.version, row.work.generations) for row in result.rows
    ]
    # Nothing was stored, so each output counts as long as it may get.
    assert {each.lengths for each in before.versions} == {"limit"}
    assert before.tokens == 30 * 24 >= result.tokens
    assert before.seconds == pytest.approx(7.2)
    assert before.money["hours"] == pytest.approx(36 * 7.2 / 3600)
    assert before.money["tokens"] == pytest.approx((2 * 720 + before.prompt_tokens) / 1e6)
    assert (after.missing, after.tokens) == (0, 0)
    assert plan_text(after).startswith("Nothing to generate")


def test_stored_lengths_predict_more_samples(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study)
        predicted = plan(study, ["v0.1.0"], samples=12)
    settings = tiny_study / "study.yaml"
    settings.write_text(settings.read_text().replace("samples: 2", "samples: 12"))
    with Study(tiny_study) as study:
        made = run(study, ["v0.1.0"])
        (row,) = predicted.versions
        read = sum(len(each.prompt_token_ids) for each in study.generations("v0.1.0"))
    assert (row.generations, row.missing, row.lengths) == (72, 60, "stored")
    assert made.made == 60
    assert predicted.tokens == pytest.approx(made.tokens, rel=0.15)
    assert predicted.prompt_tokens == pytest.approx(read * 60 / 72, rel=0.01)


def test_a_billion_outputs_are_arithmetic(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        found = plan(study, ["v0.1.0"], prompts=10**8, samples=10, rate=1000, workers=100)
    assert found.missing == 10**9
    assert found.tokens == 24e9
    assert found.seconds == 24e9 / 1000 / 100
    text = plan_text(found)
    assert "1,000,000,000 outputs, 24 billion tokens" in text
    assert "2.8 days" in text


def test_versions_that_share_outputs_count_them_once(tiny_study: Path) -> None:
    (tiny_study / "versions/v0.1.3.yaml").write_text("title: The same\nparent: v0.1.0\n")
    with Study(tiny_study) as study:
        found = plan(study, ["v0.1.0", "v0.1.3"], rate=1)
    assert [each.missing for each in found.versions] == [12, 0]


@pytest.mark.parametrize("wrong", [{"rate": -1.0}, {"workers": 0}, {"rate": float("nan")}])
def test_numbers_that_are_none(wrong: dict[str, float], tiny_study: Path) -> None:
    with pytest.raises(SpecError, match="is not a positive number"):
        plan(tiny_study, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (duration(3), "3.0 seconds"),
        (duration(119), "119 seconds"),
        (duration(5400), "90 minutes"),
        (duration(4 * 86400), "4.0 days"),
        (duration(3 * 365 * 86400), "3.0 years"),
        (quantity(12_345), "12,345"),
        (quantity(1.25e9), "1.25 billion"),
        (size(999), "999 B"),
        (size(1.5e12), "1.5 TB"),
    ],
)
def test_numbers_in_words(words: str, shown: str) -> None:
    assert words == shown
