"""Sweep: try many settings of a version, eliminate the clearly worse early, test the best.

The prompts of the suite are split in two. One half is for selection: all settings run on it, with
more samples from look to look, and after each look a setting is eliminated if another clearly
beats it on every objective that tells the two apart. The other half, not used for the choice,
tests it against the parent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ethogram.backends import Budget
from ethogram.cluster import Placement
from ethogram.errors import SpecError
from ethogram.spec.space import Axis, Setting, apply, distinct
from ethogram.spec.version import Version
from ethogram.stats.racing import (
    RaceObjective,
    compromise,
    front_shares,
    pareto_front,
    race,
)
from ethogram.study.calling import takes_study
from ethogram.study.difference import Difference, differences
from ethogram.study.measure import Measured, measure
from ethogram.study.record import OnProgress, Progress
from ethogram.study.result import Made
from ethogram.study.run import Maker
from ethogram.study.sweeping.proposers import (
    PROPOSERS,
    GridProposer,
    OptunaProposer,
    Proposer,
    ProposerName,
)
from ethogram.study.sweeping.recorder import OnStored, Racer, SweepRecorder, asked_of
from ethogram.study.sweeping.result import HoldoutTest, Objective, SweepResult, Trial, trial_name
from ethogram.study.sweeping.setup import halves_of, objectives_of
from ethogram.study.workspace import Part, Study

#: Probability that the race eliminates a setting that should stay, over all its looks.
RACE_ERROR = 0.05
#: Default number of settings of a search.
TRIALS = 60
#: Settings whose difference from the parent is tested on the selection prompts, for their interval;
#: those on the front come first. A test takes tens of milliseconds.
MOST_INTERVALS = 50
#: Seed of search and race, fixed so that a sweep can be done again.
SWEEP_SEED = 20260101


#: Called with a description of a sweep's next stage.
OnStage = Callable[[str], None]


@takes_study
def sweep(
    study: Study,
    base: str,
    axes: Sequence[Axis],
    *,
    objectives: Sequence[str] = (),
    search: ProposerName = "grid",
    trials: int = TRIALS,
    samples: int | None = None,
    racing: bool = True,
    on_progress: OnProgress | None = None,
    on_stage: OnStage | None = None,
    on_stored: OnStored | None = None,
    on_wait: Callable[[], None] | None = None,
    on_load: Callable[[str], None] | None = None,
    on: str | Placement | None = None,
    budget: Budget | None = None,
) -> SweepResult:
    """Try settings of a version and choose one.

    Args:
        study: the opened study.
        base: the parent of all settings.
        axes: the fields that vary.
        objectives: metrics to improve,  `NAME` or `NAME:higher` or `NAME:lower`; default: the
            metrics of its `expect:`, else `DEFAULT_OBJECTIVES`.
        search: grid, or how to draw `trials` settings.
        trials: of a search.
        samples: per prompt; default: the version's.
        racing: eliminate settings early.
        on_progress: called as generations finish.
        on_stage: called before each round of the race.
        on_stored: called with the id of the stored sweep whenever more of it was stored.
        on_wait: called once if another run holds the study.
        on_load: called with a model's name before it is loaded.
        on: where to generate; see `run`.
        budget: what may be spent at endpoints. Default: as in ETHOGRAM_ENDPOINT.

    Raises:
        SpecError: an axis, objective or setting is wrong, or the suite has too few prompts.
        EthogramError: what a run can raise; earlier generations are kept.
    """
    if not axes:
        raise SpecError("no field to vary", where=base, hint="name a field with --set FIELD=VALUES")
    if search not in PROPOSERS:
        raise SpecError("unknown search", where=search, hint=f"use one of {', '.join(PROPOSERS)}")
    chosen_objectives = objectives_of(study, base, objectives)
    proposer: Proposer = (
        GridProposer(axes)
        if search == "grid"
        else OptunaProposer(
            axes,
            search,
            higher_is_better=[objective.higher_is_better for objective in chosen_objectives],
            trials=trials,
            seed=SWEEP_SEED,
        )
    )
    halves = halves_of(study, base)
    samples = samples or study.spec.samples(base)
    asked = asked_of(
        axes,
        chosen_objectives,
        halves,
        search=search,
        trials=None if search == "grid" else trials,
        samples=samples,
        racing=racing,
    )
    recorder = SweepRecorder(study, base, asked, on_stored)

    def progressed(now: Progress) -> None:
        recorder.beat()
        if on_progress:
            on_progress(now)

    started = time.perf_counter()
    with (
        Maker(study, progressed, on_wait, on_load, on=on, budget=budget) as maker,
        recorder,
    ):
        run = _Sweep(
            study,
            base,
            chosen_objectives,
            halves,
            maker,
            recorder,
            samples=samples,
            racing=racing,
            batches=proposer.most_batches,
            on_stage=on_stage,
        )
        for batch in proposer.batches():
            run.enter(batch)
            for setting, values in run.compete():
                proposer.tell(setting, values)
        result = replace(run.finish(), seconds=time.perf_counter() - started)
        recorder.finish(result)
    return replace(result, id=recorder.id)


@dataclass
class _Entry:
    """A setting in the race."""

    name: str
    setting: Setting
    version: Version
    measured: dict[str, Measured] = field(default_factory=dict)
    samples: int = 0
    eliminated_by: str | None = None


class _Sweep:
    """One sweep at work."""

    def __init__(
        self,
        study: Study,
        base: str,
        objectives: Sequence[Objective],
        halves: tuple[frozenset[str], frozenset[str]],
        maker: Maker,
        recorder: SweepRecorder,
        *,
        samples: int,
        racing: bool,
        batches: int,
        on_stage: OnStage | None,
    ) -> None:
        self.study, self.base, self.objectives = study, base, objectives
        self.names = [objective.name for objective in objectives]
        self.selection, self.rest = halves
        self.maker, self.recorder, self.on_stage = maker, recorder, on_stage
        self.samples, self.racing, self.batches = samples, racing, batches
        self.entries: dict[str, _Entry] = {}  # By version identity.
        self.requested = 0
        self.made: list[Made] = []

    @property
    def alive(self) -> list[_Entry]:
        """Those that nothing has beaten, in the order tried."""
        return [entry for entry in self.entries.values() if entry.eliminated_by is None]

    def enter(self, settings: Sequence[Setting]) -> None:
        """Take settings into the race; equal behaviour enters once."""
        self.requested += len(settings)
        parent = self.study.spec.version(self.base)
        versions = [(s, apply(parent, s, parent=self.base)) for s in settings]
        self._proposed = {setting: version.identity for setting, version in versions}
        known = len(self.entries)
        for identity, (setting, version) in distinct(versions).items():
            if identity not in self.entries:
                name = trial_name(self.base, len(self.entries) + 1)
                self.entries[identity] = _Entry(name, setting, version)
        new = list(self.entries.values())[known:]
        self.recorder.enter([(entry.setting, entry.version) for entry in new])

    def compete(self) -> Iterator[tuple[Setting, list[float]]]:
        """Run the looks for all that are alive; yields each proposed setting's objectives."""
        looks = _looks(self.samples)
        for number, samples in enumerate(looks, start=1):
            self._tell(
                f"look {number}/{len(looks)}: {len(self.alive)} settings × "
                f"{samples} {'sample' if samples == 1 else 'samples'}"
            )
            racers, part = self.alive, Part(self.selection, samples)
            self._make(racers, part)
            if self.racing and number < len(looks):
                # Each batch of a search races against all that is alive, so it looks again.
                self._eliminate(self.batches * (len(looks) - 1))
            self._record(racers, part)
        for setting, identity in self._proposed.items():
            measured = self.entries[identity].measured
            yield (
                setting,
                [
                    _rankable(measured[objective.name].value, objective)
                    for objective in self.objectives
                ],
            )

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

    def _record(self, racers: Sequence[_Entry], part: Part) -> None:
        """Store a round of the race: its values, and which settings lost it."""
        parent = measure(self.study, self.base, self.names, part)
        round_ = [Racer(self.base, part.samples or 0, values_of(parent))]
        round_ += [
            Racer(entry.name, entry.samples, values_of(entry.measured), entry.eliminated_by)
            for entry in racers
        ]
        self.recorder.round(round_)

    def _eliminate(self, looks: int) -> None:
        """Mark the entries that another beats on every objective that tells the two apart."""
        alive = self.alive
        beaten = race(self._race_objectives(alive), error=RACE_ERROR, looks=looks)
        for entry, by in zip(alive, beaten, strict=True):
            entry.eliminated_by = None if by is None else alive[by].name

    def _race_objectives(self, entries: Sequence[_Entry]) -> list[RaceObjective]:
        return [
            RaceObjective(
                np.stack(
                    [entry.measured[objective.name].parts_by_prompt()[1] for entry in entries]
                ),
                objective.metric.aggregate,
                objective.higher_is_better,
                np.array([entry.samples for entry in entries]),
            )
            for objective in self.objectives
        ]

    def finish(self) -> SweepResult:
        """Find the front, choose from it, and test the choice on the other half."""
        before = measure(self.study, self.base, self.names, Part(self.selection, self.samples))
        alive = self.alive
        merits = np.array([self._merits(entry.measured) for entry in alive])
        front = pareto_front(merits)
        ahead = [index for index in front if (merits[index] >= self._merits(before)).all()]
        chosen = alive[compromise(merits, ahead or front)]
        why = "nearest to the best of every objective, among the settings on the front" + (
            " that are no worse than the parent on any objective" if ahead else ""
        )
        shares = front_shares(self._race_objectives(alive), seed=SWEEP_SEED)
        share_of = {entry.name: float(share) for entry, share in zip(alive, shares, strict=True)}
        on_front = {alive[index].name for index in front}
        holdout = self._confirm(chosen)
        ahead_first = sorted(alive, key=lambda entry: entry.name not in on_front)
        against = {e.name: self._against(e, before) for e in ahead_first[:MOST_INTERVALS]}
        return SweepResult(
            base=self.base,
            objectives=self.objectives,
            trials=[
                self._trial(entry, on_front, share_of, against.get(entry.name, ()))
                for entry in self.entries.values()
            ],
            requested=self.requested,
            base_values=values_of(before),
            selection=sorted(self.selection),
            holdout=holdout,
            chosen=chosen.name,
            why=why,
            generations=sum(made.generations for made in self.made),
            tokens=sum(made.tokens for made in self.made),
            computed=self.maker.computed,
            is_parent=chosen.version.identity == self.study.spec.version(self.base).identity,
        )

    def _merits(self, measured: Mapping[str, Measured]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The objectives' values, higher better."""
        signs = [1.0 if objective.higher_is_better else -1.0 for objective in self.objectives]
        return np.array([measured[name].value for name in self.names]) * signs

    def _against(self, entry: _Entry, before: Mapping[str, Measured]) -> list[Difference]:
        """A setting minus the parent, on the selection prompts."""
        view = self.study.with_versions({entry.name: entry.version})
        coupled = view.coupled(self.base, entry.name)
        found = differences(
            before, entry.measured, self.names, self.base, entry.name, coupled=coupled
        )
        return list(found.values())

    def _trial(
        self,
        entry: _Entry,
        front: set[str],
        share_of: dict[str, float],
        against: Sequence[Difference],
    ) -> Trial:
        return Trial(
            name=entry.name,
            setting=entry.setting,
            version=entry.version,
            samples=entry.samples,
            values=values_of(entry.measured),
            eliminated_by=entry.eliminated_by,
            on_front=entry.name in front,
            front_share=share_of.get(entry.name, 0.0),
            against=against,
        )

    def _confirm(self, chosen: _Entry) -> HoldoutTest:
        """The choice against the parent on the held-out prompts."""
        self._tell("holdout test, on held-out prompts")
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
        return HoldoutTest(
            objectives=self.objectives,
            prompts=len(self.rest),
            differences=list(found.values()),
        )


def _looks(samples: int) -> list[int]:
    """Samples per prompt at each look: doubled from one, so that most work goes to survivors."""
    looks = [1]
    while looks[-1] < samples:
        looks.append(min(2 * looks[-1], samples))
    return looks


def values_of(measured: Mapping[str, Measured]) -> dict[str, float]:
    """Metric to value."""
    return {name: each.value for name, each in measured.items()}


def _rankable(value: float, objective: Objective) -> float:
    """A value that a search can rank: where nothing applies, far off in the bad direction."""
    if np.isfinite(value):
        return float(value)
    return -1e9 if objective.higher_is_better else 1e9
