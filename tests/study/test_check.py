"""Contracts: decided on stored outputs, at their lines, with evidence, and by further samples."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.stats.studies import allowed, studies

from benchmarks.contract_calibration import KINDS, Kind, calibrate
from ethogram.errors import SpecError
from ethogram.metrics import Output, Score, all_metrics, get
from ethogram.spec import Decoding, Request, Version, load_study
from ethogram.study import Study, check, difference, import_outputs, init, run
from ethogram.study.decide import decide
from ethogram.study.measure import Measured
from ethogram.study.run import Maker
from ethogram.study.workspace import WHOLE, Part


@pytest.fixture
def ran(tiny_study: Path) -> Path:
    with Study(tiny_study) as study:
        run(study)
    return tiny_study


def expect(folder: Path, version: str, *lines: str) -> None:
    path = folder / f"versions/{version}.yaml"
    path.write_text(path.read_text() + "expect:\n" + "".join(f"  {line}\n" for line in lines))


def test_without_chance_the_outputs_decide(ran: Path) -> None:
    """Greedy decoding says the same again, so the value is known."""
    with Study(ran) as study:
        words = np.mean([len(made.text.split()) for made in study.generations("v0.0.1")])
    expect(ran, "v0.0.1", f'words: "<= {words:.12f}"', f'tokens: "< {24}"')
    with Study(ran) as study:
        result = check(study, ["v0.0.1"])
    tokens = np.mean([len(made.token_ids) for made in Study(ran).generations("v0.0.1")])
    assert [item.outcome for item in result.contracts] == [
        "pass",
        "fail" if tokens >= 24 else "pass",
    ]
    assert {item.confidence for item in result.contracts} == {1.0}
    assert {item.method for item in result.contracts} == {"exact"}


def test_a_bound_stands_where_it_was_written(ran: Path) -> None:
    """A child inherits its parent's bounds, and they point into the parent's file."""
    expect(ran, "v0.1.0", 'loop_rate: "< 0.5"', 'words: "> 0.5"')
    expect(ran, "v1.0.0", 'words: "> 1000"')
    with Study(ran) as study:
        result = check(study)
    places = [
        (item.version, item.metric.name, item.file.name, item.line) for item in result.contracts
    ]
    assert places == [
        ("v0.1.0", "loop_rate", "v0.1.0.yaml", 5),
        ("v0.1.0", "words", "v0.1.0.yaml", 6),
        ("v1.0.0", "loop_rate", "v0.1.0.yaml", 5),
        ("v1.0.0", "words", "v1.0.0.yaml", 5),
    ]
    assert load_study(ran).version("v1.0.0").expect == {"loop_rate": "< 0.5", "words": "> 1000"}


def test_a_broken_contract_shows_the_outputs_that_break_it(tmp_path: Path) -> None:
    folder = init(tmp_path / "mine")
    for name in ("v0.0.1", "v0.1.0", "v0.2.0"):
        (folder / f"versions/{name}.yaml").unlink()
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(
            f'{{"prompt_id": "p{prompt}", "sample_index": {sample}, "output": "{text}"}}\n'
            for prompt in range(12)
            for sample in range(3)
            for text in (["so it went on and on and on and on"] if prompt < 8 else ["it ended"])
        )
    )
    with Study(folder) as study:
        import_outputs(study, rows, "v1.0.0")
    expect(folder, "v1.0.0", 'loop_rate: "< 0.05"', 'words: "> 2"')
    with Study(folder) as study:
        run(study)
        loops, words = check(study).contracts
    assert (loops.outcome, loops.method, loops.missing) == ("fail", "betting", 0)
    assert loops.value == pytest.approx(8 / 12)
    assert loops.confidence > 0.95
    assert len(loops.evidence) == 3
    assert all(item.value == 1 and item.spans for item in loops.evidence)
    assert (words.outcome, words.method) == ("undecided", "asymptotic")
    assert words.outputs == 36


def test_mistakes_in_a_bound_are_errors_with_their_line(ran: Path) -> None:
    expect(ran, "v0.1.0", 'loop_rat: "< 0.5"')
    with Study(ran) as study, pytest.raises(SpecError, match=r"v0\.1\.0\.yaml:5.*loop_rate"):
        check(study)
    path = ran / "versions/v0.1.0.yaml"
    path.write_text(path.read_text().replace("loop_rat:", "loop_rate:").replace("0.5", "2"))
    with Study(ran) as study, pytest.raises(SpecError, match="share is between 0 and 1"):
        check(study)


@pytest.mark.parametrize("bound", [">= 0", "< 0", "<= 1", "> 1"])
def test_bounds_that_every_share_keeps_or_breaks_are_refused(ran: Path, bound: str) -> None:
    expect(ran, "v0.1.0", f'loop_rate: "{bound}"')
    with Study(ran) as study, pytest.raises(SpecError, match="is always or never true"):
        check(study, ["v0.1.0"])


def test_a_counter_example_decides_at_the_edge_of_a_share(ran: Path) -> None:
    expect(
        ran,
        "v0.1.0",
        'stop_rate: ">= 1"',
        'pitfall_empty: "<= 0"',
    )
    with Study(ran) as study:
        stopped, empty = check(study, ["v0.1.0"]).contracts
    assert stopped.value < 1
    assert (stopped.outcome, stopped.method, stopped.confidence) == ("fail", "counter-example", 1.0)
    assert stopped.evidence
    assert empty.value == 0
    assert (empty.outcome, empty.missing) == ("undecided", None)


def test_what_was_not_run_is_not_decided(tiny_study: Path) -> None:
    expect(tiny_study, "v0.1.0", 'loop_rate: "< 0.5"')
    with Study(tiny_study) as study, pytest.raises(SpecError, match=r"ethogram run v0\.1\.0"):
        check(study, ["v0.1.0"])


def test_a_budget_buys_the_samples_that_are_missing(ran: Path) -> None:
    expect(ran, "v0.1.0", 'loop_rate: "< 0.1"', 'self_perplexity: "> 1.001"')
    with Study(ran) as study:
        before = check(study, ["v0.1.0"]).contracts
        assert [item.outcome for item in before] == ["undecided", "undecided"]
        assert before[0].outputs == 12
        assert before[0].missing
        assert [item.method for item in before] == ["betting", "asymptotic"]
        spent = check(study, ["v0.1.0"], budget=5).contracts
        assert spent[0].outputs == 12, "less than a round of six prompts buys nothing"
        loaded: list[str] = []
        decided = check(study, ["v0.1.0"], budget=300, on_load=loaded.append).contracts
        assert len(loaded) == 1, "one model serves all rounds"
        assert [item.outcome for item in decided] == ["pass", "pass"]
        assert 12 < decided[0].outputs <= 312
        # What was bought is stored: the next look decides without a budget.
        assert check(study, ["v0.1.0"]).contracts == decided
        # The table of the study stays on the samples that it asks for.
        assert len(study.outputs("v0.1.0")) == 12


def test_a_baseline_finds_what_got_worse(tmp_path: Path) -> None:
    folder = init(tmp_path / "mine")
    for name in ("v0.0.1", "v0.1.0", "v0.2.0"):
        (folder / f"versions/{name}.yaml").unlink()
    plain = "a plain answer that ends number {}"
    texts = {"v1.0.0": plain, "v1.1.0": "{} on and on and on and on"}
    for name, text in texts.items():
        rows = tmp_path / f"{name}.jsonl"
        rows.write_text(
            "".join(
                json.dumps({"prompt_id": f"p{n}", "output": (text if n % 6 else plain).format(n)})
                + "\n"
                for n in range(24)
            )
        )
        with Study(folder) as study:
            import_outputs(study, rows, name)
    path = folder / "versions/v1.1.0.yaml"
    path.write_text("parent: v1.0.0\n" + path.read_text())
    with Study(folder) as study:
        run(study)
        result = check(study, baseline=True)
        assert not check(study).failed()
    assert result.failed()
    (compared,) = result.baselines
    assert (compared.version, compared.parent) == ("v1.1.0", "v1.0.0")
    assert "loop_rate" in [item.metric.name for item in compared.regressions]
    assert all(item.metric.direction != "none" for item in compared.differences)


def test_a_metric_of_all_samples_sees_those_that_the_study_asks_for(ran: Path) -> None:
    """Its value changes with their number, so no budget can decide it."""
    expect(ran, "v0.1.0", 'sample_distinct_2: "> 0.97"')
    with Study(ran) as study:
        (before,) = check(study, ["v0.1.0"]).contracts
        assert (before.outcome, before.outputs, before.missing) == ("undecided", 6, None)
        (after,) = check(study, ["v0.1.0"], budget=24).contracts
        assert after == before
        assert study.stored_samples("v0.1.0") == 2
        with Maker(study) as maker:
            maker.make(study, ["v0.1.0"], Part(samples=4))
        assert study.stored_samples("v0.1.0") == 4
        assert check(study, ["v0.1.0"]).contracts == [before]


def test_counting_stored_rounds_builds_a_few_times_as_many_requests(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Study(tiny_study) as study:
        requests, built = study.requests, 0

        def counted(version: str, part: Part = WHOLE) -> list[Request]:
            nonlocal built
            found = requests(version, part)
            built += len(found)
            return found

        monkeypatch.setattr(study, "requests", counted)
        for rounds in (2, 3, 50, 200):
            held = requests("v0.1.0", Part(samples=rounds))
            stored = {each.identity for each in held}
            # One output of a later round makes no whole round.
            stored.add(requests("v0.1.0", Part(samples=rounds + 2))[-1].identity)
            monkeypatch.setattr(
                study.store,
                "missing",
                lambda asked, stored=stored: [i for i in asked if i not in stored],
            )
            built = 0
            assert study.stored_samples("v0.1.0") == rounds
            assert built <= 4 * len(held)


def decided(values: list[list[float]], name: str, bound: tuple[str, float], longest: int) -> str:
    """Side and method for outputs [prompts, samples] of which only the metric's parts matter."""
    metric = get(name)
    outputs, scores = [], []
    for prompt, row in enumerate(values):
        for sample, value in enumerate(row):
            outputs.append(Output("x", prompt_id=f"p{prompt}", sample_index=sample + prompt % 2))
            parts = (value, 100.0) if name == "rep_4" else (value, 1.0)
            scores.append(Score(value, parts))
    version = Version(model="m", decoding=Decoding(strategy="sample", max_new_tokens=longest))
    decision, method = decide(version, Measured(metric, outputs, scores), *bound)
    return f"{decision.side}, {method}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@studies(40, 150)
@pytest.mark.long
def test_contracts_are_rarely_decided_wrongly_however_often_one_looks(
    kind: Kind, trials: int
) -> None:
    """At the bound itself either side is wrong: 5 % each, and three standard errors."""
    found = calibrate(kind, 24, 8, trials=trials)
    assert max(found.above, found.below) <= 100 * allowed(0.05, trials)


def test_contracts_at_an_edge_and_beyond_the_limit_of_tokens() -> None:
    rare = [[0.0] * 4 for _ in range(24)]
    rare[3][1] = 30.0
    assert decided(rare, "post_answer_words", ("<=", 0), 80) == "above, counter-example"
    assert decided(rare, "rep_4", ("<=", 0), 120) == "above, counter-example"
    never = [[0.0] * 16 for _ in range(24)]
    assert decided(never, "rep_4", ("<", 5), 120) == "below, betting or asymptotic"
    assert decided(never, "rep_4", ("<", 0.01), 120) == "undecided, betting or asymptotic"
    usual = [
        [20.0 + (7 * prompt + 13 * sample) % 55 for sample in range(8)] for prompt in range(24)
    ]
    assert decided(usual, "words", ("<", 70), 80) == "below, betting or asymptotic"
    usual[0][0] = 81.0
    assert decided(usual, "words", ("<", 70), 80) == "below, betting or asymptotic"


def test_a_value_at_its_bound_is_not_below_it_by_rounding() -> None:
    """A value at a bound counts as at it, however floating point rounds."""
    metric = get("rep_4")
    outputs = [Output("x", prompt_id=f"p{n}") for n in range(12)]
    measured = Measured(metric, outputs, [Score(20.0, (1.0, 5.0))] * 12)
    greedy = Version(model="m", decoding=Decoding(strategy="greedy"))
    assert decide(greedy, measured, "<", 20)[0].side == "above"
    assert decide(greedy, measured, "<=", 20)[0].side == "below"


def test_what_a_metric_weighs_is_its_own() -> None:
    """Under `ratio` an output weighs 0 or 1; what weighs more is `pooled`."""
    text = "One here. Two there. See Smith et al. (2020) and Jones (2019). One here. And so on"
    rich = Output(
        f"{text}\n- a b c d\n- e f g h\n" * 3,
        prompt="Name three cities and their rivers.",
        reference="Two there",
        logprobs=(-1.0,) * 90,
        token_ids=tuple(range(90)),
        finish_reason="stop",
    )
    heavy = set()
    for metric in all_metrics():
        if metric.weight:
            parts = metric.measure(rich).parts
            if metric.weight == "output":
                assert parts[1] in (0, 1), metric.name
            elif parts[1] > 1:
                heavy.add(metric.name)
    assert {"unended_sentences", "sentence_words", "near_duplicate_sentences"} <= heavy


def test_a_clear_change_of_every_prompt_fails_against_the_parent() -> None:
    """All 40 outputs loop that did not: zero variance, and a reliable side."""
    metric = get("loop_rate")
    first, second = (
        Measured(
            metric,
            [Output("x", prompt_id=f"p{n}") for n in range(40)],
            [Score(value, (value, 1.0))] * 40,
        )
        for value in (0.0, 1.0)
    )
    assert difference(first, second, "v1", "v2").verdict == "worse"
    words = get("post_answer_words")
    first, second = (replace(each, metric=words) for each in (first, second))
    unbounded = difference(first, second, "v1", "v2")
    assert unbounded.is_unreliable
    assert unbounded.verdict == "worse"
