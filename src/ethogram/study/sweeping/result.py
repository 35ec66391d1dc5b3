"""Sweep result, as data: every setting, the front, the choice and its holdout test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.metrics import Metric
from ethogram.metrics.table import finite_or_none, html_table
from ethogram.spec.space import Setting
from ethogram.spec.version import Version
from ethogram.study.difference import Difference
from ethogram.study.result import Computed


@dataclass(frozen=True)
class Objective:
    """A metric that a sweep makes better.

    Attributes:
        metric: what is measured.
        higher_is_better: its direction here.
    """

    metric: Metric
    higher_is_better: bool

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.metric.name


def trial_name(base: str, number: int) -> str:
    """The name of a setting in its sweep, from its number."""
    return f"{base}+{number:02d}"


@dataclass(frozen=True)
class Trial:
    """One setting and what became of it.

    Attributes:
        name: of the setting in this sweep.
        setting: what it states over the parent.
        version: the whole of it.
        samples: per prompt, when it left the race or the race ended.
        values: of the objectives, on the selection prompts.
        eliminated_by: the setting that beat it on every objective that tells the two apart.
        on_front: no setting that finished is at least as good on all objectives and better on one.
        front_share: share of the bootstrap replicates in which it is on the front.
        against: the setting minus the parent on the selection prompts, one per objective; of those
            that finished the race. Not a test of the choice: that is on held-out prompts.
    """

    name: str
    setting: Setting
    version: Version
    samples: int
    values: dict[str, float]
    eliminated_by: str | None = None
    on_front: bool = False
    front_share: float = 0.0
    against: Sequence[Difference] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data; NaN becomes null."""
        return {
            "name": self.name,
            "setting": dict(self.setting.values),
            "samples": self.samples,
            "values": {name: finite_or_none(value) for name, value in self.values.items()},
            "eliminated_by": self.eliminated_by,
            "on_front": self.on_front,
            "front_share": self.front_share,
            "against_parent": [difference.to_json() for difference in self.against],
        }


@dataclass(frozen=True)
class HoldoutTest:
    """The chosen setting against the parent on held-out prompts, which were not used to choose it.

    Attributes:
        objectives: the metrics to improve.
        prompts: how many.
        differences: one per objective, after minus before.
    """

    objectives: Sequence[Objective]
    prompts: int
    differences: Sequence[Difference]

    @property
    def better(self) -> list[Difference]:
        """Objectives that are clearly better, in the direction that the objective has here."""
        return [d for d in self.differences if d.is_clear and self._gain(d) > 0]

    @property
    def worse(self) -> list[Difference]:
        """Objectives that are clearly worse."""
        return [d for d in self.differences if d.is_clear and self._gain(d) < 0]

    def _gain(self, difference: Difference) -> float:
        objective = next(
            objective for objective in self.objectives if objective.metric == difference.metric
        )
        return difference.estimate if objective.higher_is_better else -difference.estimate

    @property
    def holds(self) -> bool:
        """Whether the choice beats the parent: better on an objective, and worse on none."""
        return bool(self.better) and not self.worse


@dataclass(frozen=True)
class SweepResult:
    """A finished sweep.

    Attributes:
        base: the parent version.
        objectives: the metrics to improve.
        trials: every setting that behaves differently, in the order tried.
        requested: settings requested, including those of equal behaviour.
        base_values: the parent's objectives on the selection prompts.
        selection: ids of the prompts used for selection.
        holdout: the test on the held-out prompts; None where nothing was chosen.
        chosen: name of the chosen setting.
        why: the rule that chose it.
        generations: number made for the sweep.
        tokens: output tokens of these.
        computed: tokens computed for them.
        seconds: of the whole sweep.
        is_parent: whether the chosen setting behaves as the parent does.
        id: of the sweep in the store.
    """

    base: str
    objectives: Sequence[Objective]
    trials: Sequence[Trial]
    requested: int
    base_values: dict[str, float]
    selection: Sequence[str]
    holdout: HoldoutTest | None
    chosen: str | None
    why: str
    generations: int
    tokens: int
    computed: Computed
    seconds: float = 0.0
    is_parent: bool = False
    id: int | None = None

    @property
    def verdict(self) -> str:
        """Whether the choice beats the parent, in one sentence."""
        if self.doubt:
            return f"{self.doubt[:1].upper()}{self.doubt[1:]}."
        better = self.holdout.better if self.holdout else ()
        names = ", ".join(difference.metric.title for difference in better)
        return f"It beats {self.base} on {names}."

    @property
    def doubt(self) -> str:
        """Why the choice does not beat the parent, in words; empty if it does."""
        if self.is_parent:
            return "the best setting is the parent's own"
        if self.holdout is not None and self.holdout.worse:
            names = ", ".join(each.metric.title for each in self.holdout.worse)
            return f"the chosen setting is worse than {self.base} on {names}"
        if self.holdout is None or not self.holdout.holds:
            return f"no setting is clearly better than {self.base}"
        return ""

    def __repr__(self) -> str:
        lines = [
            f"{trial.setting.words}: "
            + ", ".join(f"{name} {value:.4g}" for name, value in trial.values.items())
            for trial in self.front
        ]
        heading = f"SweepResult of {self.base}: {len(self.trials)} settings, front"
        return "\n  ".join([heading, *lines])

    @property
    def front(self) -> list[Trial]:
        """The trials that no other beats on all objectives, best of the first objective first."""
        sign = -1 if self.objectives[0].higher_is_better else 1
        front = [trial for trial in self.trials if trial.on_front]
        return sorted(front, key=lambda trial: sign * trial.values[self.objectives[0].name])

    @property
    def ranked(self) -> list[Trial]:
        """All trials: the front, then those behind it, then those eliminated early."""
        behind = [trial for trial in self.trials if not trial.on_front]
        return [*self.front, *sorted(behind, key=lambda trial: bool(trial.eliminated_by))]

    @property
    def eliminated(self) -> list[Trial]:
        """The trials that lost the race early."""
        return [trial for trial in self.trials if trial.eliminated_by]

    def trial(self, name: str) -> Trial:
        """The trial of that name."""
        return next(trial for trial in self.trials if trial.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain data; NaN becomes null."""
        holdout = self.holdout
        return {
            "sweep": self.id,
            "base": self.base,
            "objectives": [
                {
                    "metric": objective.name,
                    "better": "higher" if objective.higher_is_better else "lower",
                }
                for objective in self.objectives
            ],
            "settings_requested": self.requested,
            "base_values": {
                name: finite_or_none(value) for name, value in self.base_values.items()
            },
            "selection_prompts": list(self.selection),
            "trials": [trial.to_json() for trial in self.trials],
            "front": [trial.name for trial in self.front],
            "chosen": self.chosen,
            "doubt": self.doubt,
            "why": self.why,
            "holdout": holdout
            and {
                "prompts": holdout.prompts,
                "holds": holdout.holds,
                "differences": [difference.to_json() for difference in holdout.differences],
            },
            "generations": self.generations,
            "tokens": self.tokens,
            "computed_tokens": self.computed.rows,
            "seconds": round(self.seconds, 3),
        }

    def _repr_html_(self) -> str:
        titles = (objective.metric.title for objective in self.objectives)
        lines = [["setting", *titles, "on the front"]]
        for trial in self.front:
            values = (f"{trial.values[objective.name]:.4g}" for objective in self.objectives)
            lines.append([trial.setting.words, *values, f"{trial.front_share:.0%}"])
        return html_table(lines)
