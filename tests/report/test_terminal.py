"""Tables of a terminal: no word and no number is cut, however narrow it is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from ethogram.metrics import Output, get
from ethogram.metrics.score import score_outputs
from ethogram.report.sweeps import print_sweep
from ethogram.report.terminal import print_differences
from ethogram.spec import Version
from ethogram.spec.space import Setting
from ethogram.stats import paired
from ethogram.study.difference import Difference
from ethogram.study.result import Computed
from ethogram.study.sweeping.result import Objective, SweepResult, Trial

WIDTHS = [80, 100, 120]


def drawn(width: int) -> tuple[Console, io.StringIO]:
    page = io.StringIO()
    return Console(file=page, width=width), page


def a_difference(name: str, shift: float, prompts: int) -> Difference:
    luck = np.random.default_rng(3)
    before, after = (
        np.stack([values, np.ones_like(values)], axis=-1)
        for values in (luck.normal(size=(prompts, 2)), luck.normal(shift, size=(prompts, 2)))
    )
    metric = get(name)
    test = paired(before, after, metric.aggregate, resamples=199, draws=199)
    return Difference(metric, test, test.p)


@pytest.mark.parametrize("width", WIDTHS)
def test_verdicts_are_whole(width: int) -> None:
    console, page = drawn(width)
    found = [
        a_difference("prompt_similarity", 0.0, 24),
        a_difference("answer_first", 9.0, 24),
        a_difference("answer_first", 1.5, 7),
    ]
    print_differences(console, "v10.10.10", "v10.11.10", found)
    lines = page.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(page.getvalue().split())
    assert [one.verdict for one in found] == ["no clear change", "better", "perhaps better"]
    assert "no clear" in words
    assert "better" in words
    assert "perhaps" in words
    assert "…" not in words


@pytest.mark.parametrize("width", WIDTHS)
def test_a_front_is_whole(width: int) -> None:
    objectives = [Objective(get("rep_4"), False), Objective(get("prompt_similarity"), True)]
    fields = ("temperature", "top_p", "repetition_penalty")
    setting = Setting(tuple((f"decoding.{name}", 0.95) for name in fields))
    trial = Trial(
        "p+01",
        setting,
        Version(model="m"),
        4,
        {"rep_4": 12.5, "prompt_similarity": 0.512},
        on_front=True,
        front_share=0.37,
    )
    result = SweepResult(
        base="v1.0.0",
        objectives=objectives,
        trials=[trial],
        requested=1,
        base_values={"rep_4": 40.25, "prompt_similarity": 0.25},
        selection=["a"],
        holdout=None,
        chosen="p+01",
        why="so",
        generations=4,
        tokens=0,
        computed=Computed(),
    )
    console, page = drawn(width)
    print_sweep(console, result)
    assert max(map(len, page.getvalue().splitlines())) <= width
    for shown in ("rep-4 (lower)", "Similarity to the", "12.50", "0.512", "40.25", "37%", "front"):
        assert shown in page.getvalue(), shown


def test_scores_of_single_samples_give_way_in_a_narrow_terminal() -> None:
    outputs = [Output("a b c", prompt_id="p", sample_index=index) for index in range(12)]
    table = score_outputs(outputs, ["words", "distinct_2"])
    wide, narrow = table.to_text(width=300), table.to_text(width=80)
    assert "sample 11" in wide
    assert "sample" not in narrow.splitlines()[0]
    assert max(map(len, narrow.splitlines())) <= 80
    assert table.to_text() == wide
