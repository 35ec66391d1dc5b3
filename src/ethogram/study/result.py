"""Result: what a run generated and measured, each version beside its parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import numpy as np

from ethogram.metrics import Metric, get
from ethogram.study.aims import Aims, compare_aims
from ethogram.study.calling import missing_key
from ethogram.study.difference import Difference, comparable, differences
from ethogram.study.measure import measure, metric_names
from ethogram.study.notebook import run_html
from ethogram.study.stale import results_of
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class Made:
    """What a run did for one version.

    Attributes:
        generations: made or imported in this run.
        reused: stored already.
        tokens: of the generations made.
        traced: stored ones that were regenerated with the same tokens, for their traces.
        parted: stored ones without a trace: regenerating them gave other tokens.
        imported: of `generations`, those made elsewhere.
    """

    generations: int = 0
    reused: int = 0
    tokens: int = 0
    traced: int = 0
    parted: int = 0
    imported: int = 0


@dataclass(frozen=True)
class Computed:
    """What a run computed over all its versions.

    Attributes:
        delivered: tokens chosen for outputs; a beam search counts one a step.
        rows: rows that the model computed for these tokens, a beam search's beams as one; fewer,
            where outputs of any versions shared one.
        prompt_tokens: tokens of the prompts read, each distinct prompt once (vLLM: each output's).
        prompt_tokens_computed: those computed; the others began another prompt as well.
    """

    delivered: int = 0
    rows: int = 0
    prompt_tokens: int = 0
    prompt_tokens_computed: int = 0

    def __add__(self, other: Computed) -> Computed:
        return Computed(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def merged_share(self) -> float:
        """Share of output tokens that were computed for another output too."""
        return 1 - self.rows / self.delivered if self.delivered else 0.0


@dataclass(frozen=True)
class VersionResult:
    """One row of a run's table.

    Attributes:
        version: its name.
        title: its title.
        parent: its parent, if any.
        work: what this run did for it.
        values: metric name to value.
        differences: metric name to the difference from the parent.
        stale: why the parent's results are not those of the parent as it is now.
        aims: what came of its aims; None without any.
    """

    version: str
    title: str
    parent: str | None
    work: Made
    values: dict[str, float]
    differences: dict[str, Difference]
    stale: str = ""
    aims: Aims | None = None

    def __getitem__(self, metric: str) -> float:
        """The value of one metric, by its name."""
        if metric not in self.values:
            raise missing_key(metric, self.values)
        return self.values[metric]

    def __str__(self) -> str:
        values = ", ".join(f"{name} {value:.4g}" for name, value in self.values.items())
        return f"{self.version} {self.title}: {values}"


@dataclass(frozen=True)
class RunResult:
    """What a run made and measured.

    Attributes:
        study: its name.
        metrics: those of its table.
        rows: a version each.
        seconds: that it took.
        computed: what the engine or vLLM computed.
        spent: what was spent at endpoints: the model and its address, then tokens and money.
        processors: kinds of processors that computed the versions' outputs, and how many each.
    """

    study: str
    metrics: Sequence[Metric]
    rows: Sequence[VersionResult]
    seconds: float
    computed: Computed = Computed()
    processors: Mapping[str, int] = field(default_factory=dict)
    spent: Sequence[str] = ()

    def __getitem__(self, version: str) -> VersionResult:
        """One version's row, by its name."""
        found = {row.version: row for row in self.rows}
        if version not in found:
            raise missing_key(version, found)
        return found[version]

    def __repr__(self) -> str:
        heading = f"RunResult {self.study}: {self.made} generations made, {self.reused} stored"
        return "\n  ".join([heading, *map(str, self.rows)])

    @property
    def made(self) -> int:
        """Generations made or imported in this run."""
        return sum(row.work.generations for row in self.rows)

    @property
    def imported(self) -> int:
        """Of these, outputs made elsewhere."""
        return sum(row.work.imported for row in self.rows)

    @property
    def reused(self) -> int:
        """Generations that were stored already."""
        return sum(row.work.reused for row in self.rows)

    @property
    def traced(self) -> int:
        """Stored generations that got their traces in this run."""
        return sum(row.work.traced for row in self.rows)

    @property
    def parted(self) -> int:
        """Stored generations that have no trace, since they came out differently this time."""
        return sum(row.work.parted for row in self.rows)

    @property
    def tokens(self) -> int:
        """Tokens of the generations made."""
        return sum(row.work.tokens for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Plain data; NaN becomes null."""
        return {
            "study": self.study,
            "made": self.made,
            "traced": self.traced,
            "parted": self.parted,
            "tokens": self.tokens,
            "computed_tokens": self.computed.rows,
            "merged_share": round(self.computed.merged_share, 4),
            "prompt_tokens": self.computed.prompt_tokens,
            "computed_prompt_tokens": self.computed.prompt_tokens_computed,
            "seconds": round(self.seconds, 3),
            "processors": dict(self.processors),
            "spent": list(self.spent),
            "versions": [
                {
                    "version": row.version,
                    "title": row.title,
                    "parent": row.parent,
                    "stale": row.stale,
                    "made": row.work.generations,
                    "reused": row.work.reused,
                    "values": {
                        name: None if np.isnan(value) else value
                        for name, value in row.values.items()
                    },
                    "aims": row.aims.to_json() if row.aims else None,
                    "differences": [d.to_json() for d in row.differences.values()],
                }
                for row in self.rows
            ],
        }

    def _repr_html_(self) -> str:
        return run_html(self)


def summarise(
    study: Study,
    names: Sequence[str],
    *,
    made: Mapping[str, Made] | None = None,
    computed: Computed | None = None,
    seconds: float = 0.0,
) -> RunResult:
    """Measure stored versions and compare each with its parent."""
    columns = metric_names(study)
    parents = {name: study.versions[name].parent for name in names}
    needed = dict.fromkeys([*names, *(parent for parent in parents.values() if parent)])
    ready = {
        name: measure(study, name, columns, accept="partial")
        for name in needed
        if name in names or results_of(study, name, accept="partial").identities
    }
    rows = []
    for name in names:
        parent = parents[name]
        found: dict[str, Difference] = {}
        if parent in ready and comparable(ready[parent], ready[name]):
            found = differences(
                ready[parent],
                ready[name],
                columns,
                parent,
                name,
                coupled=study.coupled(parent, name),
            )
        rows.append(
            VersionResult(
                version=name,
                title=study.versions[name].title,
                parent=parent,
                work=_with_reused(study, name, (made or {}).get(name, Made())),
                values={column: ready[name][column].value for column in columns},
                differences=found,
                stale=ready[parent][columns[0]].stale if parent in ready and columns else "",
                aims=compare_aims(study, name, found) if parent in ready else None,
            )
        )
    generated = [name for name in names if not study.versions[name].outputs]
    return RunResult(
        study.name,
        [get(column) for column in columns],
        rows,
        seconds,
        computed or Computed(),
        study.store.processors([each for name in generated for each in study.identities(name)]),
    )


def _with_reused(study: Study, name: str, made: Made) -> Made:
    """What was not made now was there before, or came with another version of this run."""
    return replace(made, reused=len(set(study.identities(name))) - made.generations)
