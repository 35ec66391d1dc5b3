"""Kinds of metric: batches, groups, their place in tables, and scores that are stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from ethogram.errors import ModelError, SpecError
from ethogram.metrics import (
    Metric,
    Models,
    NamedModels,
    Output,
    Score,
    Span,
    Unit,
    get,
    metrics_of,
    named_metrics,
    parallel,
    registry,
    score_outputs,
)
from ethogram.metrics.base import mean_score
from ethogram.metrics.score import BATCH
from ethogram.report.scores import scores_text
from ethogram.spec import ScoringModels
from ethogram.store import Scored, Scorer, Store
from ethogram.study import Study, compare, run
from ethogram.study.measure import Measured, measure

ABOUT: dict[str, Any] = {
    "title": "t",
    "unit": Unit("characters"),
    "direction": "lower",
    "formula": "f",
    "source": "s",
    "reference": "r",
    "pitfalls": "p",
}


class StubModels:
    """Counts what it is asked, so that a test can tell what was computed again."""

    def __init__(self, name: str = "one") -> None:
        self.name = name
        self.batches: list[int] = []
        self.order: list[str] = []

    def identity(self, kinds: Sequence[str]) -> str:
        return f"{self.name}:{','.join(kinds)}"


def _length(outputs: Sequence[Output], models: Models) -> list[Score]:
    models.batches.append(len(outputs))  # type: ignore[attr-defined]
    models.order.append("length")  # type: ignore[attr-defined]
    return [
        mean_score(len(output.text), (Span(0, min(1, len(output.text)), "start"),))
        for output in outputs
    ]


def _distinct(outputs: Sequence[Output]) -> Score:
    return mean_score(len({output.text for output in outputs}) / len(outputs))


LENGTH = Metric(name="stub_length", function=_length, needs=("encoder",), **ABOUT)


DISTINCT = Metric(name="stub_distinct", function=_distinct, scope="prompt", **ABOUT)


def _distinct_of_all(groups: Sequence[Sequence[Output]], models: Models) -> list[Score]:
    models.order.append("distinct")  # type: ignore[attr-defined]
    return [_distinct(outputs) for outputs in groups]


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> StubModels:
    for metric in (LENGTH, DISTINCT):
        monkeypatch.setitem(registry._METRICS, metric.name, metric)
    return StubModels()


def _outputs(count: int, samples: int = 1) -> list[Output]:
    return [
        Output("x" * (n % 7 + 1), prompt_id=str(n), sample_index=k)
        for n in range(count)
        for k in range(samples)
    ]


def test_a_batch_metric_takes_many_outputs_at_once(stubs: StubModels) -> None:
    outputs = _outputs(BATCH + 10)
    table = score_outputs(outputs, ["stub_length"], models=cast(Models, stubs))
    assert stubs.batches == [BATCH, 10]
    row = table["stub_length"]
    assert row.value == pytest.approx(np.mean([len(output.text) for output in outputs]))
    assert row.applies_to == BATCH + 10
    assert row.evidence is not None
    assert row.evidence.value == 7


def test_a_group_metric_takes_the_samples_of_a_prompt_in_any_order(stubs: StubModels) -> None:
    outputs = [
        Output("a", prompt_id="p", sample_index=0),
        Output("a", prompt_id="q", sample_index=0),
        Output("b", prompt_id="p", sample_index=1),
        Output("a", prompt_id="q", sample_index=1),
    ]
    row = score_outputs(outputs, ["stub_distinct"], models=cast(Models, stubs))["stub_distinct"]
    assert (row.value, row.applies_to, row.by_sample) == (0.75, 2, {})
    assert DISTINCT.measure_groups([outputs[:1]], cast(Models, stubs))[0].value == 1.0
    table = score_outputs(outputs, ["stub_distinct", "words"], models=cast(Models, stubs))
    (line,) = (line for line in scores_text(table).splitlines() if "stub" in line)
    assert line.split() == ["stub_distinct", "0.75", "characters", "lower", "–", "–", "2"]


def test_whole_prompts_go_through_every_metric_of_a_model_together(
    stubs: StubModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that an encoder that remembers a batch reads each text once."""
    distinct = replace(DISTINCT, function=_distinct_of_all, needs=("encoder",))
    monkeypatch.setitem(registry._METRICS, distinct.name, distinct)
    by_sample = sorted(_outputs(BATCH, samples=2), key=lambda output: output.sample_index)
    told: list[int] = []
    names = ["stub_length", "stub_distinct"]
    table = score_outputs(by_sample, names, models=cast(Models, stubs), on_progress=told.append)
    assert stubs.order == ["length", "distinct"] * 2
    assert stubs.batches == told[:1] * 2 == [BATCH, BATCH]
    assert told == [BATCH, 2 * BATCH]
    for name in names:
        alone = score_outputs(by_sample, [name], models=cast(Models, StubModels()))[name]
        assert table[name].value == pytest.approx(alone.value)
        assert table[name].applies_to == alone.applies_to


@pytest.mark.long
def test_processes_share_out_only_what_needs_no_model(
    stubs: StubModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = _outputs(300, samples=2)
    names = ["words", "stub_length", "corpus_distinct_1", "stub_distinct"]
    tables = [
        score_outputs(outputs, names, models=cast(Models, stubs), processes=count)
        for count in (1, 2)
    ]
    assert tables[0].to_json() == tables[1].to_json()
    assert [row.metric.name for row in tables[1].rows] == names
    assert tables[1]["words"].applies_to == tables[1]["stub_length"].applies_to == 600
    assert stubs.batches == [BATCH, BATCH, 600 - 2 * BATCH] * 2

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("started processes that have nothing to do")

    monkeypatch.setattr(parallel, "ProcessPoolExecutor", refuse)
    assert score_outputs(outputs, names[1:], models=cast(Models, stubs), processes=2).outputs == 600


def test_a_group_metric_has_one_score_a_prompt_whatever_its_first_sample() -> None:
    outputs = [Output("a", prompt_id=name, sample_index=3) for name in "pqr"]
    scores = [mean_score(value) for value in (0.0, 0.5, 1.0)]
    ids, parts = Measured(DISTINCT, outputs, scores).parts_by_sample()
    assert (ids, parts.tolist()) == (["p", "q", "r"], [[[0.0, 1.0]], [[0.5, 1.0]], [[1.0, 1.0]]])


def test_metrics_that_need_a_model_run_only_when_named() -> None:
    table = score_outputs([Output("a", prompt="b")])
    named = {metric.name for metric in named_metrics()}
    assert named
    assert not named & {row.metric.name for row in table.rows}


def test_every_named_metric_says_what_it_is() -> None:
    names = [metric.name for metric in (*named_metrics(), *metrics_of("corpus"))]
    assert len(set(names)) == len(names)
    for metric in named_metrics():
        assert get(metric.name) is metric
        texts = (metric.title, metric.unit.name, metric.formula, metric.source, metric.pitfalls)
        assert all((*texts, metric.reference))
    assert all(metric.needs for metric in (m for m in metrics_of("output") if m.needs))
    with pytest.raises(SpecError, match="did you mean 'prompt_similarity'"):
        get("prompt_similarty")


def test_scores_of_models_are_stored_and_not_computed_again(
    tiny_study: Path, stubs: StubModels
) -> None:
    with Study(tiny_study) as study:
        run(study, ["v0.0.1", "v0.1.0"])
        study.__dict__["models"] = stubs
        told: list[tuple[str, int, int]] = []
        study.on_measured = lambda *now: told.append(now)
        first = measure(study, "v0.1.0", ["stub_length", "stub_distinct", "words"])
        assert list(first) == ["stub_length", "stub_distinct", "words"]
        assert stubs.batches == [12]
        assert told == [("v0.1.0", 12, 12)]
        assert len(first["stub_length"].scores) == 12
        assert len(first["stub_distinct"].scores) == 6
        assert [o.sample_index for o in first["stub_distinct"].outputs] == [0] * 6
    with Study(tiny_study) as study:  # An opened study remembers what it has measured.
        study.__dict__["models"] = stubs
        again = measure(study, "v0.1.0", ["stub_length"])
        assert stubs.batches == [12]
        assert again["stub_length"].scores == first["stub_length"].scores
    stubs.name = "two"
    with Study(tiny_study) as study:
        study.__dict__["models"] = stubs
        measure(study, "v0.1.0", ["stub_length"])
        assert stubs.batches == [12, 12]
        result = compare(study, "v0.0.1", "v0.1.0", metrics=["stub_length", "stub_distinct"])
        assert [item.metric.name for item in result.differences] == ["stub_length", "stub_distinct"]
        for item in result.differences:
            assert item.low <= item.estimate <= item.high


def test_a_changed_right_answer_is_read_again(tiny_study: Path, stubs: StubModels) -> None:
    with Study(tiny_study) as study:
        run(study, ["v0.0.1"])
        study.__dict__["models"] = stubs
        measure(study, "v0.0.1", ["stub_length"])
    suite = tiny_study / "suites" / "prompts.jsonl"
    lines = suite.read_text().splitlines()
    lines[0] = lines[0].replace("}", ', "reference": "the sea"}')
    suite.write_text("\n".join(lines))
    with Study(tiny_study) as study:
        study.__dict__["models"] = stubs
        measure(study, "v0.0.1", ["stub_length"])
    assert stubs.batches[-1] == stubs.batches[0] // 6


def test_stored_scores_come_back_as_they_were(tmp_path: Path) -> None:
    scorer = Scorer("metric", 1, "model")
    scores = {
        Scored("a", "r"): Score(0.1, (0.1, 1.0), (Span(0, 3, "label"), Span(4, 5, "other"))),
        Scored("a", "other"): Score(None, (0.0, 0.0)),
    }
    with Store.open(tmp_path / "s.sqlite") as store:
        store.add_scores(scorer, scores)
        store.add_scores(scorer, {Scored("a", "r"): Score(9.0, (9.0, 1.0))})
        assert store.scores(scorer, [*scores, Scored("b", "r")]) == scores
        for other in (
            Scorer("metric", 2, "model"),
            Scorer("metric", 1, ""),
            Scorer("m", 1, "model"),
        ):
            assert store.scores(other, list(scores)) == {}


def test_a_store_of_the_schema_before_gains_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ethogram.store import schema

    path = tmp_path / "s.sqlite"
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        older.setattr(schema, "SCHEMA_VERSION", 1)
        Store.open(path).close()
    with Store.open(path) as store:
        store.add_scores(Scorer("m", 1, ""), {Scored("a", "r"): Score(1.0, (1.0, 1.0))})
        assert len(store.scores(Scorer("m", 1, ""), [Scored("a", "r")])) == 1


def test_models_are_loaded_once_and_reported(
    checkpoint: Callable[..., Path], model_cache: Path
) -> None:
    folder = str(checkpoint("llama"))
    told: list[str] = []
    models = NamedModels(ScoringModels(reference=folder), on_load=told.append)
    assert models.reference is models.reference
    assert told == [folder]
    assert models.identity(["reference"]).startswith("local:")
    assert models.identity(["encoder", "reference"]).startswith("all-minilm-l6-v2-")


def test_wrong_models_are_errors_of_one_line(
    checkpoint: Callable[..., Path], model_cache: Path
) -> None:
    cases = [
        (ScoringModels(), "nli", "none is set; name one in study.yaml"),
        (ScoringModels(encoder="all-minilm"), "encoder", "did you mean the built-in all-minilm-l6"),
        (ScoringModels(reference="no/such/model"), "reference", "model folder not found"),
        (ScoringModels(reference=str(checkpoint("t5"))), "reference", "name a decoder-only model"),
        (ScoringModels(nli=str(checkpoint("llama"))), "nli", "not entailment, neutral and"),
        (ScoringModels(encoder=str(checkpoint("t5"))), "encoder", "it is not a sentence encoder"),
    ]
    for named, kind, line in cases:
        with pytest.raises(ModelError, match=line) as caught:
            getattr(NamedModels(named), kind)
        assert "\n" not in str(caught.value)


def test_aggregates_of_named_metrics_say_nothing_of_nothing() -> None:
    for metric in named_metrics():
        assert math.isnan(metric.aggregate(np.zeros(2)))
