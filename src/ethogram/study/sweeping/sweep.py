"""Sweep: try many settings of a version, drop the hopeless early, prove the best on other prompts.

The prompts of the suite are split in two. One half chooses: all settings answer it, with more
samples from look to look, and after each look those are dropped that another beats beyond doubt on
every goal that tells the two apart. The other half judges the choice, which it had no part in,
against the parent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.metrics import get
from ethogram.spec.space import Axis, Setting, apply, distinct
from ethogram.spec.version import Version
from ethogram.stats import split_prompts
from ethogram.stats.racing import (
    LEAST_PROMPTS,
    Objective,
    compromise,
    front_shares,
    pareto_front,
    race,
)
from ethogram.study.difference import differences
from ethogram.study.measure import Measured, measure
from ethogram.study.record import OnProgress
from ethogram.study.result import Made
from ethogram.study.run import Maker
from ethogram.study.sweeping.landscape import Confirmation, Goal, Landscape, Point
from ethogram.study.sweeping.proposers import (
    SEARCHES,
    GridProposer,
    OptunaProposer,
    Proposer,
    Search,
)
from ethogram.study.workspace import Part, Study

#: Share of the settings that the race drops which deserved to stay, over all its looks.
RACE_ERROR = 0.05
#: Settings that a search tries when nobody says how many.
TRIALS = 60
#: Goals of a version that expects nothing.
DEFAULT_GOALS = ("rep_4", "prompt_similarity")
#: Seed of search and race, fixed so that a sweep can be done again.
SWEEP_SEED = 20260101


#: Told in words what a sweep does next.
OnStage = Callable[[str], None]


def sweep(
    study: Study,
    base: str,
    axes: Sequence[Axis],
    *,
    goals: Sequence[str] = (),
    search: Search = "grid",
    trials: int = TRIALS,
    samples: int | None = None,
    racing: bool = True,
    on_progress: OnProgress | None = None,
    on_stage: OnStage | None = None,
    on_wait: Callable[[], None] | None = None,
    on_load: Callable[[str], None] | None = None,
) -> Landscape:
    """Try settings of a version and choose one.

    Args:
        study: the opened study.
        base: the parent of all settings.
        axes: the fields that vary.
        goals: metrics to make better, `NAME` or `NAME:higher` or `NAME:lower`; default: those the
            version expects something of, else `DEFAULT_GOALS`.
        search: grid, or how to draw `trials` settings.
        trials: of a search.
        samples: per prompt; default: the version's.
        racing: drop settings early.
        on_progress: called as generations finish.
        on_stage: called before each look.
        on_wait: called once if another run holds the study.
        on_load: called with a model's name before it is loaded.

    Raises:
        SpecError: an axis, goal or setting is wrong, or the suite has too few prompts to split.
        EthogramError: what a run can raise; what was made before is kept.
    """
    if not axes:
        raise SpecError("nothing to vary", where=base, hint="name a field with --set FIELD=VALUES")
    if search not in SEARCHES:
        raise SpecError("unknown search", where=search, hint=f"use one of {', '.join(SEARCHES)}")
    chosen_goals = _goals(study, base, goals)
    proposer: Proposer = (
        GridProposer(axes)
        if search == "grid"
        else OptunaProposer(
            axes,
            search,
            higher_is_better=[goal.higher_is_better for goal in chosen_goals],
            trials=trials,
            seed=SWEEP_SEED,
        )
    )
    halves = _halves(study, base)
    started = time.perf_counter()
    with Maker(study, on_progress, on_wait, on_load) as maker:
        run = _Sweep(
            study,
            base,
            chosen_goals,
            halves,
            maker,
            samples=samples or study.spec.samples(base),
            racing=racing,
            batches=proposer.most_batches,
            on_stage=on_stage,
        )
        for batch in proposer.batches():
            run.enter(batch)
            for setting, values in run.compete():
                proposer.tell(setting, values)
        landscape = run.finish()
    return replace(landscape, seconds=time.perf_counter() - started)


def _goals(study: Study, base: str, names: Sequence[str]) -> list[Goal]:
    """The goals as metrics with a direction.

    Raises:
        SpecError: an unknown metric, or one without a direction and none given.
    """
    version = study.spec.version(base)
    if not names and version.expect:
        names = [
            f"{name}:{'higher' if '>' in bound else 'lower'}"
            for name, bound in version.expect.items()
        ]
    goals = []
    for text in names or DEFAULT_GOALS:
        name, _, direction = text.partition(":")
        metric = get(name)
        direction = direction or metric.direction
        if direction not in ("higher", "lower"):
            raise SpecError(
                "it has no better direction, so a sweep cannot make it better",
                where=f"goal {text!r}",
                hint=f"say which: {name}:higher or {name}:lower",
            )
        goals.append(Goal(metric, direction == "higher"))
    if len({goal.name for goal in goals}) != len(goals):
        raise SpecError("a goal is named twice", where=", ".join(names))
    return goals


def _halves(study: Study, base: str) -> tuple[frozenset[str], frozenset[str]]:
    ids = [item.id for item in study.suite(base).prompts]
    halves = (frozenset[str](), frozenset[str]())
    if len(ids) >= 2 * LEAST_PROMPTS:
        with suppress(ValueError):  # Hardly a prompt fell to one side: told below.
            pairs = list(zip(ids, split_prompts(ids), strict=True))
            halves = (
                frozenset(name for name, one in pairs if one),
                frozenset(name for name, one in pairs if not one),
            )
    if min(map(len, halves)) < LEAST_PROMPTS:
        raise SpecError(
            f"{len(ids)} prompts are too few: some choose the setting and the others prove it",
            where=str(study.spec.suite_path(base)),
            hint=f"use a larger suite, so that {LEAST_PROMPTS} prompts fall to each side",
        )
    return halves


@dataclass
class _Entry:
    """A setting in the race."""

    name: str
    setting: Setting
    version: Version
    measured: dict[str, Measured] = field(default_factory=dict)
    samples: int = 0
    beaten_by: str | None = None


class _Sweep:
    """One sweep at work."""

    def __init__(
        self,
        study: Study,
        base: str,
        goals: Sequence[Goal],
        halves: tuple[frozenset[str], frozenset[str]],
        maker: Maker,
        *,
        samples: int,
        racing: bool,
        batches: int,
        on_stage: OnStage | None,
    ) -> None:
        self.study, self.base, self.goals = study, base, goals
        self.names = [goal.name for goal in goals]
        self.selection, self.rest = halves
        self.maker, self.on_stage = maker, on_stage
        self.samples, self.racing, self.batches = samples, racing, batches
        self.entries: dict[str, _Entry] = {}  # By version identity.
        self.asked = 0
        self.made: list[Made] = []

    @property
    def alive(self) -> list[_Entry]:
        """Those that nothing has beaten, in the order tried."""
        return [entry for entry in self.entries.values() if entry.beaten_by is None]

    def enter(self, settings: Sequence[Setting]) -> None:
        """Take settings into the race; equal behaviour enters once."""
        self.asked += len(settings)
        parent = self.study.spec.version(self.base)
        versions = [(s, apply(parent, s, parent=self.base)) for s in settings]
        self._proposed = {setting: version.identity for setting, version in versions}
        for identity, (setting, version) in distinct(versions).items():
            if identity not in self.entries:
                name = f"{self.base}+{len(self.entries) + 1:02d}"
                self.entries[identity] = _Entry(name, setting, version)

    def compete(self) -> Iterator[tuple[Setting, list[float]]]:
        """Run the looks for all that are alive; yields each proposed setting's goals."""
        looks = _looks(self.samples)
        for number, samples in enumerate(looks, start=1):
            self._tell(
                f"look {number}/{len(looks)}: {len(self.alive)} settings × "
                f"{samples} {'sample' if samples == 1 else 'samples'}"
            )
            self._make(self.alive, Part(self.selection, samples))
            if self.racing and number < len(looks):
                # Each batch of a search races against all that is alive, so it looks again.
                self._drop(self.batches * (len(looks) - 1))
        for setting, identity in self._proposed.items():
            measured = self.entries[identity].measured
            yield setting, [_told(measured[goal.name].value, goal) for goal in self.goals]

    def _tell(self, stage: str) -> None:
        if self.on_stage:
            self.on_stage(stage)

    def _make(self, entries: Sequence[_Entry], part: Part) -> None:
        """Generate and measure what the entries, and the parent beside them, lack of a part."""
        behind = [entry for entry in entries if entry.samples < (part.samples or 0)]
        view = self.study.with_versions({entry.name: entry.version for entry in behind})
        made = self.maker.make(view, [self.base, *(entry.name for entry in behind)], part)
        self.made += made.values()
        for entry in behind:
            entry.measured = measure(view, entry.name, self.names, part)
            entry.samples = part.samples or 0

    def _drop(self, looks: int) -> None:
        """Mark the entries that another beats on every goal that tells the two apart."""
        alive = self.alive
        beaten = race(self._objectives(alive), error=RACE_ERROR, looks=looks)
        for entry, by in zip(alive, beaten, strict=True):
            entry.beaten_by = None if by is None else alive[by].name

    def _objectives(self, entries: Sequence[_Entry]) -> list[Objective]:
        return [
            Objective(
                np.stack([entry.measured[goal.name].parts_by_prompt()[1] for entry in entries]),
                goal.metric.aggregate,
                goal.higher_is_better,
                np.array([entry.samples for entry in entries]),
            )
            for goal in self.goals
        ]

    def finish(self) -> Landscape:
        """Find the front, choose from it, and prove the choice on the other half."""
        before = measure(self.study, self.base, self.names, Part(self.selection, self.samples))
        alive = self.alive
        merits = np.array([self._merits(entry.measured) for entry in alive])
        front = pareto_front(merits)
        ahead = [index for index in front if (merits[index] >= self._merits(before)).all()]
        chosen = alive[compromise(merits, ahead or front)]
        why = "nearest to the best of every goal, among the settings on the front" + (
            " that are no worse than the parent on any goal" if ahead else ""
        )
        shares = front_shares(self._objectives(alive), seed=SWEEP_SEED)
        share_of = {entry.name: float(share) for entry, share in zip(alive, shares, strict=True)}
        on_front = {alive[index].name for index in front}
        proof = self._confirm(chosen)
        return Landscape(
            base=self.base,
            goals=self.goals,
            points=[self._point(entry, on_front, share_of) for entry in self.entries.values()],
            asked=self.asked,
            base_values={name: before[name].value for name in self.names},
            selection=sorted(self.selection),
            confirmation=proof,
            chosen=chosen.name,
            why=why,
            generations=sum(made.generations for made in self.made),
            tokens=sum(made.tokens for made in self.made),
            computed=self.maker.computed,
        )

    def _merits(self, measured: Mapping[str, Measured]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The goals' values, higher better."""
        signs = [1.0 if goal.higher_is_better else -1.0 for goal in self.goals]
        return np.array([measured[name].value for name in self.names]) * signs

    def _point(self, entry: _Entry, front: set[str], share_of: dict[str, float]) -> Point:
        return Point(
            name=entry.name,
            setting=entry.setting,
            version=entry.version,
            samples=entry.samples,
            values={name: measured.value for name, measured in entry.measured.items()},
            beaten_by=entry.beaten_by,
            on_front=entry.name in front,
            front_share=share_of.get(entry.name, 0.0),
        )

    def _confirm(self, chosen: _Entry) -> Confirmation:
        """The choice against the parent on the prompts that had no part in choosing it."""
        self._tell("the proof, on held-out prompts")
        part = Part(self.rest, self.samples)
        view = self.study.with_versions({chosen.name: chosen.version})
        self.made += self.maker.make(view, [self.base, chosen.name], part).values()
        before = measure(view, self.base, self.names, part)
        after = measure(view, chosen.name, self.names, part)
        found = differences(
            before,
            after,
            self.names,
            self.base,
            chosen.name,
            coupled=view.coupled(self.base, chosen.name),
        )
        return Confirmation(
            goals=self.goals,
            prompts=len(self.rest),
            differences=list(found.values()),
        )


def _looks(samples: int) -> list[int]:
    """Samples per prompt at each look: doubled from one, so that most work goes to survivors."""
    looks = [1]
    while looks[-1] < samples:
        looks.append(min(2 * looks[-1], samples))
    return looks


def _told(value: float, goal: Goal) -> float:
    """A value that a search can rank: where nothing applies, far off in the bad direction."""
    if np.isfinite(value):
        return float(value)
    return -1e9 if goal.higher_is_better else 1e9
