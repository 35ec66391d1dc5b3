"""Tables of a terminal: no word and no number is cut, however narrow it is."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from rich.console import Console

from ethogram.metrics import Output, Span, get
from ethogram.metrics.score import score_outputs
from ethogram.report.ablation import print_ablation
from ethogram.report.differences import print_details, print_differences, print_headline
from ethogram.report.reading import print_outputs, print_versions
from ethogram.report.scores import scores_text
from ethogram.report.sweeps import print_sweep
from ethogram.report.terminal import print_comparison, print_run
from ethogram.spec import Change, Version
from ethogram.spec.space import Setting
from ethogram.stats import paired
from ethogram.study.ablate import Ablated, Ablation
from ethogram.study.compare import Comparison, SideBySide
from ethogram.study.difference import Difference
from ethogram.study.headline import by_verdict, sentence
from ethogram.study.reading import Outputs, ReadOutput
from ethogram.study.result import Computed, Made, RunResult, VersionResult
from ethogram.study.sweeping.result import Objective, SweepResult, Trial
from ethogram.study.versions import VersionStatus

WIDTHS = [80, 100, 120]


def drawn(width: int) -> tuple[Console, io.StringIO]:
    page = io.StringIO()
    return Console(file=page, width=width), page


def a_difference(name: str, shift: float, prompts: int, *, same: bool = False) -> Difference:
    random = np.random.default_rng(3)
    before, after = (
        np.stack([values, np.ones_like(values)], axis=-1)
        for values in (random.normal(size=(prompts, 2)), random.normal(shift, size=(prompts, 2)))
    )
    if same:
        after = before
    metric = get(name)
    test = paired(before, after, metric.aggregate, resamples=199, draws=199)
    return Difference(metric, test, test.p)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("everything", [True, False])
def test_differences_are_whole(width: int, everything: bool) -> None:
    console, page = drawn(width)
    found = [
        a_difference("prompt_similarity", 0.0, 24),
        a_difference("answer_first", 9.0, 24),
        a_difference("answer_first", 1.5, 7),
    ]
    assert [one.verdict for one in found] == ["no clear change", "better", "perhaps better"]
    print_headline(console, found)
    print_differences(console, found, everything=everything)
    print_details(console, found)
    lines = page.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(page.getvalue().split())
    for shown in ("Better", "Perhaps better", "Cannot tell", "only 7 prompts", "882.7 %"):
        assert shown in words, shown
    assert "…" not in words


def test_nothing_is_shown_of_metrics_that_are_the_same() -> None:
    console, page = drawn(80)
    same = a_difference("words", 0.0, 12, same=True)
    print_headline(console, [same])
    print_differences(console, [same])
    assert "Same in both" in page.getvalue()
    assert "[" not in page.getvalue()


def test_clear_changes_come_first() -> None:
    found = [a_difference("prompt_similarity", 0.0, 24), a_difference("answer_first", 9.0, 24)]
    assert list(by_verdict(found)) == ["Better", "Cannot tell"]
    assert sentence(found) == "Clear changes in 2 metrics: 1 better."
    assert sentence(found[:1]) == "No clear change in 1 metric."


def a_comparison() -> Comparison:
    loop = "The answer is no. " * 5
    spans = tuple(Span(18 * n, 18 * (n + 1), "") for n in range(5))
    return Comparison(
        before="v0.0.1",
        after="v0.1.0",
        changes=[Change("decoding.temperature", 1.0, 0.5, "less randomness")],
        differences=[a_difference("answer_first", 9.0, 24)],
        samples=[SideBySide("p", "Is it?", 0, loop, "\x1b[2J[bold]It is.[/bold]", spans, ())],
        prompts=24,
        title="Cooler",
        outputs=(24, 96),
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("colour", [None, "truecolor"])
def test_a_comparison_says_the_result_first(
    width: int, colour: Literal["truecolor"] | None
) -> None:
    page = io.StringIO()
    console = Console(file=page, width=width, color_system=colour, force_terminal=bool(colour))
    print_comparison(console, a_comparison(), everything=True, details=True)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", page.getvalue())
    assert max(map(len, shown.splitlines())) <= width
    assert "\x1b[2J" not in page.getvalue()
    assert "[bold]It is.[/bold]" in shown
    assert "[The answer is no.]×5" in shown
    places = [shown.index(words) for words in ("v0.0.1 → v0.1.0", "Better", "95 %", "Is it?")]
    assert places == sorted(places)


def test_a_notebook_shows_the_same_marks() -> None:
    found = a_comparison()._repr_html_()
    for shown in ("Better", "Clear changes in 1 metrics", "[The answer is no.]×5", "24 prompts"):
        assert shown in found
    assert "[bold]" in found
    assert "&lt;" not in found
    doubtful = replace(a_comparison(), differences=[a_difference("answer_first", 1.5, 7)])
    assert "] ?" in doubtful._repr_html_()
    assert "unreliable interval" in doubtful._repr_html_()


def test_versions_and_outputs_are_inert_and_fit() -> None:
    console, page = drawn(80)
    output = Output("\x1b[2J" + "so it was " * 40, prompt="Say\x07 it", prompt_id="p", tags=("t",))
    print_outputs(console, Outputs("v1", "", [ReadOutput(output)]), of=2)
    status = VersionStatus("v1.0.0", "A title of many words " * 6, None, "abc", 3, None, 0, "gone")
    print_versions(console, [status])
    shown = page.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    assert all(character == "\n" or character.isprintable() for character in shown)
    assert "1 of 2 outputs" in shown
    assert "3/?" in shown


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


@pytest.mark.parametrize("width", [80, 120])
def test_a_sweep_shows_every_setting(width: int) -> None:
    objectives = [Objective(get("rep_4"), False)]
    trials = [
        Trial(
            f"p+{n:02d}",
            Setting((("decoding.temperature", n / 10), ("decoding.top_p", 0.9))),
            Version(model="m"),
            4,
            {"rep_4": 10.0 + n},
            on_front=n == 1,
            front_share=0.1 * n,
        )
        for n in range(1, 7)
    ]
    result = SweepResult(
        base="v1.0.0",
        objectives=objectives,
        trials=trials,
        requested=6,
        base_values={"rep_4": 40.25},
        selection=["a"],
        holdout=None,
        chosen=trials[0].name,
        why="nearest to the best of every objective, among the settings on the front that are no "
        "worse than the parent on any objective",
        generations=4,
        tokens=0,
        computed=Computed(),
    )
    console, page = drawn(width)
    print_sweep(console, result)
    shown = page.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    for trial in trials:
        assert trial.setting.words in shown
    assert "…" not in shown


@pytest.mark.parametrize("width", [80, 120])
def test_an_ablation_is_whole(width: int) -> None:
    clear = a_difference("answer_first", 9.0, 24)
    changes = [
        Ablated(Change("decoding.repetition_penalty", 1.0, 1.3, ""), {"answer_first": clear}, {}),
        Ablated(
            Change("prompt.template", "a", "b", ""),
            {"answer_first": a_difference("answer_first", 0.0, 24)},
            {"answer_first": clear},
        ),
    ]
    result = Ablation(
        parent="v1.0.0",
        version="v1.1.0",
        metrics=["answer_first"],
        together={"answer_first": clear},
        changes=changes,
        generations=176,
    )
    console, page = drawn(width)
    print_ablation(console, result)
    shown = page.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    words = " ".join(shown.split())
    for part in ("decoding.repetition_penalty", "prompt.template", "left out", "176 outputs"):
        assert part in words, part
    assert "…" not in shown


def test_scores_of_single_samples_give_way_in_a_narrow_terminal() -> None:
    outputs = [Output("a b c", prompt_id="p", sample_index=index) for index in range(12)]
    table = score_outputs(outputs, ["words", "distinct_2"])
    wide, narrow = scores_text(table, width=300), scores_text(table, width=80)
    assert "sample 11" in wide
    assert "sample" not in narrow.splitlines()[0]
    assert max(map(len, narrow.splitlines())) <= 80
    assert scores_text(table) == wide


@pytest.mark.parametrize("details", [True, False])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_run_says_the_verdicts_first(width: int, details: bool) -> None:
    found = {
        "answer_first": a_difference("answer_first", 9.0, 24),
        "prompt_similarity": a_difference("prompt_similarity", 0.0, 24),
    }
    metrics = [get("answer_first"), get("prompt_similarity")]
    values = {"answer_first": 0.5, "prompt_similarity": float("nan")}
    rows = [
        VersionResult("v0.0.1", "First", None, Made(24, 0, 900), values, {}),
        VersionResult("v10.10.10", "A second one", "v0.0.1", Made(96, 0, 900), values, found),
        *(
            VersionResult(f"v1.0.{n}", "More", "v0.0.1", Made(traced=2), values, {})
            for n in range(9)
        ),
    ]
    console, page = drawn(width)
    print_run(console, RunResult("s", metrics, rows, 2.0), details=details)
    shown = page.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    assert "120 outputs generated" in shown
    assert "50.0 %" in shown
    assert shown.index("Better") < shown.index("120 outputs") < shown.index("Next: ethogram")
    assert ("95 % interval" in shown) == details
