"""Check: contracts of versions decided on stored outputs, and regressions from parents."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ethogram.errors import SpecError
from ethogram.metrics import Metric, Output, Score, Span, get
from ethogram.metrics.table import html_table
from ethogram.study.calling import names_of, takes_study
from ethogram.study.decide import decide
from ethogram.study.difference import Difference, differences
from ethogram.study.measure import Measured, measure, metric_names
from ethogram.study.record import OnProgress
from ethogram.study.result import Made
from ethogram.study.run import Maker
from ethogram.study.workspace import Part, Study

Outcome = Literal["pass", "fail", "undecided"]
#: Outputs shown as evidence of a broken contract.
_SHOWN = 3


@dataclass(frozen=True)
class Evidence:
    """An output that breaks a contract most clearly."""

    prompt_id: str
    sample_index: int
    value: float
    text: str
    spans: Sequence[Span]


@dataclass(frozen=True)
class Contract:
    """One bound of a version and the decision of its outputs.

    Attributes:
        version: its name.
        metric: what is bounded.
        bound: as written, such as "< 0.02".
        value: measured; NaN where the metric applies to no output.
        outcome: pass, fail or undecided.
        confidence: 1 less the level at which the likelier of pass and fail would be decided, valid
            however often one has looked; not the probability that it is right.
        outputs: that the decision uses, in whole rounds of samples.
        applies_to: how many outputs of the version the metric applies to.
        missing: further outputs that would decide if they were like these; 0 if decided, None if no
            number would.
        method: how it was decided, in a word or two.
        evidence: outputs that break it, the clearest first; empty unless it is broken.
        file: that states the bound.
        line: 1-based.
        stale: why these are not all the outputs that the version wants.
    """

    version: str
    metric: Metric
    bound: str
    value: float
    outcome: Outcome
    confidence: float
    outputs: int
    applies_to: int
    missing: int | None
    method: str
    evidence: Sequence[Evidence]
    file: Path
    line: int
    stale: str = ""

    @property
    def name(self) -> str:
        """The contract as written: metric and bound."""
        return f"{self.metric.name} {self.bound}"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "version": self.version,
            "metric": self.metric.name,
            "bound": self.bound,
            "value": None if math.isnan(self.value) else self.value,
            "outcome": self.outcome,
            "confidence": round(self.confidence, 6),
            "outputs": self.outputs,
            "applies_to": self.applies_to,
            "missing_outputs": self.missing,
            "method": self.method,
            "file": str(self.file),
            "line": self.line,
            "stale": self.stale,
            "evidence": [
                {
                    "prompt_id": item.prompt_id,
                    "sample_index": item.sample_index,
                    "value": item.value,
                    "text": item.text,
                    "spans": [[span.start, span.end, span.label] for span in item.spans],
                }
                for item in self.evidence
            ],
        }


@dataclass(frozen=True)
class Baseline:
    """A version beside its parent.

    Attributes:
        version: its name.
        parent: that of its parent.
        differences: of the metrics that have a better side.
        file: the version's file.
    """

    version: str
    parent: str
    differences: Sequence[Difference]
    file: Path

    @property
    def regressions(self) -> list[Difference]:
        """The differences that are clearly worse."""
        return [item for item in self.differences if item.verdict == "worse"]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "version": self.version,
            "parent": self.parent,
            "regressions": [item.metric.name for item in self.regressions],
            "differences": [item.to_json() for item in self.differences],
        }


@dataclass(frozen=True)
class CheckResult:
    """Every decision of a check."""

    study: str
    contracts: Sequence[Contract]
    baselines: Sequence[Baseline]

    def __repr__(self) -> str:
        lines = [f"{item.version} {item.name}: {item.outcome}" for item in self.contracts]
        lines += [
            f"{item.version} against {item.parent}: {len(item.regressions)} regressions"
            for item in self.baselines
        ]
        return "\n  ".join([f"CheckResult {self.study}", *lines])

    def failed(self, *, strict: bool = False) -> bool:
        """Whether a contract is broken or a version is worse than its parent.

        Args:
            strict: whether an undecided contract fails too.
        """
        bad = ("fail", "undecided") if strict else ("fail",)
        return any(item.outcome in bad for item in self.contracts) or any(
            item.regressions for item in self.baselines
        )

    def to_json(self, *, strict: bool = False) -> dict[str, Any]:
        """Plain data; `strict` as in `failed`."""
        return {
            "study": self.study,
            "failed": self.failed(strict=strict),
            "contracts": [item.to_json() for item in self.contracts],
            "baselines": [item.to_json() for item in self.baselines],
        }

    def _repr_html_(self) -> str:
        lines = [["version", "expected", "value", ""]]
        lines += [
            [item.version, item.name, f"{item.value:.4g}", item.outcome] for item in self.contracts
        ]
        for item in self.baselines:
            outcome = "fail" if item.regressions else "pass"
            lines.append([item.version, f"no regression against {item.parent}", "", outcome])
        return html_table(lines)


@takes_study
def check(
    study: Study,
    versions: str | Sequence[str] | None = None,
    *,
    baseline: bool = False,
    budget: int = 0,
    on_progress: OnProgress | None = None,
    on_wait: Callable[[], None] | None = None,
    on_load: Callable[[str], None] | None = None,
) -> CheckResult:
    """Decide the contracts of versions from the stored outputs.

    Args:
        study: the opened study.
        versions: a name or several; default all.
        baseline: compare each version with its parent as well.
        budget: how many outputs may be generated, over all versions, to decide what is undecided.
        on_progress: called as generations finish.
        on_wait: called once if another run holds the study.
        on_load: called with a model's name before it is loaded.

    Raises:
        SpecError: a generation is missing, or `expect:` names an unknown metric or a bound that
            its unit excludes.
    """
    names = names_of(study, versions)
    for name in names:
        _refuse_unknown_metrics(study, name)
    if budget:
        with Maker(study, on_progress, on_wait, on_load) as maker:
            contracts = _decided(study, names, maker, budget)
    else:
        contracts = [contract for name in names for contract in check_version(study, name)]
    parents = [(name, study.versions[name].parent) for name in names]
    baselines = [
        _against_parent(study, name, parent) for name, parent in parents if baseline and parent
    ]
    return CheckResult(study.name, contracts, baselines)


def _decided(study: Study, names: Sequence[str], maker: Maker, budget: int) -> list[Contract]:
    """The contracts of versions, after as many more outputs as they need and the budget allows."""
    contracts: list[Contract] = []
    for name in names:
        found = check_version(study, name)
        while rounds := _rounds_to_add(study, name, found, budget):
            samples = study.stored_samples(name) + rounds
            made = maker.make(study, [name], Part(samples=samples)).get(name) or Made()
            budget -= max(1, made.generations)
            found = check_version(study, name)
        contracts += found
    return contracts


def _rounds_to_add(study: Study, name: str, contracts: Sequence[Contract], budget: int) -> int:
    """Rounds of samples to generate before the next look; 0 where that is over.

    As many as the soonest decision is estimated to need, and at most a doubling: estimates from few
    samples are rough, and a look in between costs nothing.
    """
    version = study.spec.version(name)
    if version.outputs or not version.decoding.is_stochastic:
        return 0
    missing = [item.missing for item in contracts if item.outcome == "undecided" and item.missing]
    if not missing:
        return 0
    prompts = len(study.suite(name))
    return min(min(missing) // prompts, study.stored_samples(name), budget // prompts)


def check_version(study: Study, name: str) -> list[Contract]:
    """Decide the contracts of one version.

    Raises:
        SpecError: a generation is missing.
    """
    expect = study.spec.version(name).expect
    if not expect:
        return []
    # To a metric of all samples of a prompt, more samples are no further rounds: its value would
    # change. So that repeated looks stay valid, it always uses the study's number of samples.
    grouped = [metric for metric in expect if get(metric).scope == "prompt"]
    others = [metric for metric in expect if metric not in grouped]
    measured: dict[str, Measured] = {}
    if grouped:
        measured |= measure(study, name, grouped, accept="partial")
    if others:
        part = Part(samples=study.stored_samples(name))
        measured |= measure(study, name, others, part, accept="partial")
    return [_contract(study, name, measured[metric], bound) for metric, bound in expect.items()]


def _place(study: Study, version: str, metric: str) -> tuple[Path, int]:
    places = study.spec.places[version]
    found = places.place(("expect", metric)) or places.place(("expect",)) or places.place(())
    return found or (study.folder / "versions", 1)


def _refuse_unknown_metrics(study: Study, name: str) -> None:
    for metric, bound in study.spec.version(name).expect.items():
        file, line = _place(study, name, metric)
        try:
            found = get(metric)
        except SpecError as error:
            where = f"{file}:{line}: expect.{metric}"
            raise SpecError(error.what, where=where, hint=error.hint) from None
        operator, limit = _limit(bound)
        low, high = found.unit.bounds
        says_nothing = (operator, limit) in ((">=", low), ("<", low), ("<=", high), (">", high))
        if found.unit.is_bounded and (says_nothing or not low <= limit <= high):
            raise SpecError(
                f"a {found.unit} is between {low:g} and {high:g}, so '{bound}' is always or never "
                "true",
                where=f"{file}:{line}: expect.{metric}",
                hint="write something like '< 0.02'",
            )


def _limit(bound: str) -> tuple[str, float]:
    """Operator and number of a bound that the spec has accepted."""
    text = bound.strip()
    operator = text[:2] if text[1] == "=" else text[:1]
    return operator, float(text[len(operator) :])


def _contract(study: Study, version: str, measured: Measured, bound: str) -> Contract:
    operator, limit = _limit(bound)
    metric, value = measured.metric, measured.value
    decision, method = decide(study.spec.version(version), measured, operator, limit)
    wanted = "below" if operator.startswith("<") else "above"
    outcome: Outcome = "undecided"
    if decision.side != "undecided":
        outcome = "pass" if decision.side == wanted else "fail"
    prompts = len({output.prompt_id for output in measured.outputs})
    by_rounds = method != "exact" and metric.scope != "prompt"
    more = decision.more
    if metric.scope == "prompt" and more:
        more = None
    file, line = _place(study, version, metric.name)
    return Contract(
        version=version,
        metric=metric,
        bound=f"{operator} {limit:g}",
        value=value,
        outcome=outcome,
        confidence=decision.confidence,
        outputs=decision.rounds * prompts if by_rounds else len(measured.outputs),
        applies_to=sum(score.value is not None for score in measured.scores),
        missing=None if more is None else more * prompts,
        method=method,
        evidence=_evidence(measured, limit, wanted) if outcome == "fail" else [],
        file=file,
        line=line,
        stale=measured.stale,
    )


def _evidence(measured: Measured, limit: float, wanted: str) -> list[Evidence]:
    """The outputs furthest on the wrong side, those that can show it first."""
    sign = 1 if wanted == "below" else -1

    def clearest(pair: tuple[Output, Score]) -> tuple[float, int, str, int]:
        output, score = pair
        return (
            -sign * (score.value or 0.0),
            -len(score.spans),
            output.prompt_id,
            output.sample_index,
        )

    pairs = [
        (output, score)
        for output, score in zip(measured.outputs, measured.scores, strict=True)
        if score.value is not None and sign * (score.value - limit) > 0
    ]
    return [
        Evidence(
            output.prompt_id, output.sample_index, score.value or 0.0, output.text, score.spans
        )
        for output, score in sorted(pairs, key=clearest)[:_SHOWN]
    ]


def _against_parent(study: Study, name: str, parent: str) -> Baseline:
    """The metrics of the table and of the contracts that have a better side, against the parent."""
    wanted = dict.fromkeys((*metric_names(study), *study.spec.version(name).expect))
    names = [metric for metric in wanted if get(metric).direction != "none"]
    first, second = (measure(study, version, names, accept="partial") for version in (parent, name))
    found = differences(first, second, names, parent, name, coupled=study.coupled(parent, name))
    places = study.spec.places[name].place(("title",)) or study.spec.places[name].place(())
    return Baseline(name, parent, list(found.values()), places[0] if places else study.folder)
