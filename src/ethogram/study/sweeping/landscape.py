"""Landscape: what a sweep found, as data: every setting, the front, the choice and its proof."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.metrics import Metric
from ethogram.metrics.table import finite_or_none
from ethogram.spec.space import Setting
from ethogram.spec.version import Version
from ethogram.study.difference import Difference
from ethogram.study.result import Computed


@dataclass(frozen=True)
class Goal:
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


@dataclass(frozen=True)
class Point:
    """One setting and what became of it.

    Attributes:
        name: of the setting in this sweep.
        setting: what it states over the parent.
        version: the whole of it.
        samples: per prompt, when it left the race or the race ended.
        values: of the goals, on the selection prompts.
        beaten_by: the setting that beat it on every goal that tells the two apart, if dropped.
        on_front: no setting that finished is at least as good on all goals and better on one.
        front_share: share of the bootstrap replicates in which it is on the front.
    """

    name: str
    setting: Setting
    version: Version
    samples: int
    values: dict[str, float]
    beaten_by: str | None = None
    on_front: bool = False
    front_share: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain data; NaN becomes null."""
        return {
            "name": self.name,
            "setting": dict(self.setting.values),
            "samples": self.samples,
            "values": {name: finite_or_none(value) for name, value in self.values.items()},
            "beaten_by": self.beaten_by,
            "on_front": self.on_front,
            "front_share": self.front_share,
        }


@dataclass(frozen=True)
class Confirmation:
    """The chosen setting against the parent on prompts that had no part in choosing it.

    Attributes:
        goals: what was to get better.
        prompts: how many.
        differences: one per goal, after minus before.
    """

    goals: Sequence[Goal]
    prompts: int
    differences: Sequence[Difference]

    @property
    def better(self) -> list[Difference]:
        """Goals that are better beyond doubt, also where that takes the goal's own direction."""
        return [d for d in self.differences if d.is_clear and self._gain(d) > 0]

    @property
    def worse(self) -> list[Difference]:
        """Goals that are worse beyond doubt."""
        return [d for d in self.differences if d.is_clear and self._gain(d) < 0]

    def _gain(self, difference: Difference) -> float:
        goal = next(goal for goal in self.goals if goal.metric == difference.metric)
        return difference.estimate if goal.higher_is_better else -difference.estimate

    @property
    def holds(self) -> bool:
        """Whether the choice beats the parent: better on a goal, and worse on none."""
        return bool(self.better) and not self.worse


@dataclass(frozen=True)
class Landscape:
    """A finished sweep.

    Attributes:
        base: the parent version.
        goals: what was to get better.
        points: every setting that behaves differently, in the order tried.
        asked: settings asked for, those of equal behaviour included.
        base_values: the parent's goals on the selection prompts.
        selection: ids of the prompts that chose.
        confirmation: the proof on the others; None where nothing was chosen.
        chosen: name of the chosen setting.
        why: by which rule.
        generations: made for it.
        tokens: of these.
        computed: what they took.
        seconds: of the whole sweep.
    """

    base: str
    goals: Sequence[Goal]
    points: Sequence[Point]
    asked: int
    base_values: dict[str, float]
    selection: Sequence[str]
    confirmation: Confirmation | None
    chosen: str | None
    why: str
    generations: int
    tokens: int
    computed: Computed
    seconds: float = 0.0

    @property
    def front(self) -> list[Point]:
        """The points that no other beats on all goals, best of the first goal first."""
        sign = -1 if self.goals[0].higher_is_better else 1
        front = [point for point in self.points if point.on_front]
        return sorted(front, key=lambda point: sign * point.values[self.goals[0].name])

    @property
    def dropped(self) -> list[Point]:
        """The points that lost the race early."""
        return [point for point in self.points if point.beaten_by]

    def point(self, name: str) -> Point:
        """The point of that name."""
        return next(point for point in self.points if point.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain data; NaN becomes null."""
        proof = self.confirmation
        return {
            "base": self.base,
            "goals": [
                {"metric": goal.name, "better": "higher" if goal.higher_is_better else "lower"}
                for goal in self.goals
            ],
            "settings_asked": self.asked,
            "base_values": {
                name: finite_or_none(value) for name, value in self.base_values.items()
            },
            "selection_prompts": list(self.selection),
            "points": [point.to_json() for point in self.points],
            "front": [point.name for point in self.front],
            "chosen": self.chosen,
            "why": self.why,
            "confirmation": proof
            and {
                "prompts": proof.prompts,
                "holds": proof.holds,
                "differences": [difference.to_json() for difference in proof.differences],
            },
            "generations": self.generations,
            "tokens": self.tokens,
            "computed_tokens": self.computed.rows,
            "seconds": round(self.seconds, 3),
        }

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(goal.metric.title)}</th>" for goal in self.goals)
        body = "".join(
            f"<tr><td>{html.escape(point.setting.words)}</td>"
            + "".join(f"<td>{point.values[goal.name]:.4g}</td>" for goal in self.goals)
            + f"<td>{point.front_share:.0%}</td></tr>"
            for point in self.front
        )
        return f"<table><tr><th>setting</th>{head}<th>on the front</th></tr>{body}</table>"
