"""Proposers: which settings a sweep tries next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from ethogram.extras import require
from ethogram.spec.space import Axis, Setting, grid

ProposerName = Literal["grid", "random", "tpe", "nsga2"]
PROPOSERS: tuple[ProposerName, ...] = ("grid", "random", "tpe", "nsga2")
#: Settings that a search tries side by side: enough to fill the engine's batch, and few enough
#: for the next ones to learn from.
AT_ONCE = 12


class Proposer(Protocol):
    """Proposes settings and receives their results."""

    @property
    def most_batches(self) -> int:
        """How many batches there will be at most."""

    def batches(self) -> Iterator[list[Setting]]:
        """Settings to try side by side, until there are no more."""

    def tell(self, setting: Setting, values: Sequence[float]) -> None:
        """The objectives of a setting that was proposed."""


class GridProposer:
    """Every combination, all at once."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._settings = grid(axes)

    @property
    def most_batches(self) -> int:
        """One."""
        return 1

    def batches(self) -> Iterator[list[Setting]]:
        """All settings."""
        yield self._settings

    def tell(self, setting: Setting, values: Sequence[float]) -> None:
        """Ignored: a grid does not adapt."""


class OptunaProposer:
    """Random or model-based search by Optuna (Akiba et al. 2019), in batches.

    Args:
        axes: lists become categories, in any order; ranges become floats.
        search: random; tpe, the multivariate tree-structured Parzen estimator (Bergstra et al.
            2011; Falkner et al. 2018), whose batches assume the worst of settings still running;
            or nsga2 (Deb et al. 2002).
        higher_is_better: direction of each objective.
        trials: settings to try in all.
        seed: of the search.

    Raises:
        MissingExtraError: Optuna is not installed.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        search: ProposerName,
        *,
        higher_is_better: Sequence[bool],
        trials: int,
        seed: int,
    ) -> None:
        optuna = require("optuna", extra="sweep", needed_for=f"--search {search}")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        samplers = {
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
            "tpe": lambda: optuna.samplers.TPESampler(
                seed=seed, multivariate=True, constant_liar=True, n_startup_trials=AT_ONCE
            ),
            "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed, population_size=AT_ONCE),
        }
        self._axes, self._trials = axes, trials
        self._distributions = {axis.field: _distribution(optuna, axis) for axis in axes}
        self._study = optuna.create_study(
            sampler=samplers[search](),
            directions=["maximize" if higher else "minimize" for higher in higher_is_better],
        )
        self._open: dict[Setting, list[Any]] = {}

    @property
    def most_batches(self) -> int:
        """As many as all trials take, `AT_ONCE` at a time."""
        return -(-self._trials // AT_ONCE)

    def batches(self) -> Iterator[list[Setting]]:
        """Batches of settings; one that was drawn twice is proposed once."""
        requested = 0
        while requested < self._trials:
            count = min(AT_ONCE, self._trials - requested)
            requested += count
            batch: dict[Setting, None] = {}
            for _ in range(count):
                trial = self._study.ask(self._distributions)
                setting = self._setting(trial.params)
                self._open.setdefault(setting, []).append(trial)
                batch[setting] = None
            yield list(batch)

    def tell(self, setting: Setting, values: Sequence[float]) -> None:
        """Report the objectives to all trials of this setting."""
        for trial in self._open.pop(setting, ()):
            self._study.tell(trial, list(values))

    def _setting(self, params: Mapping[str, Any]) -> Setting:
        chosen = []
        for axis in self._axes:
            value = params[axis.field]
            chosen.append((axis.field, value if axis.is_range else axis.values[int(value)]))
        return Setting(tuple(chosen))


def _distribution(optuna: Any, axis: Axis) -> Any:
    """Listed values by their index: ordered numbers stay ordered, and any YAML value will do."""
    if axis.is_range:
        return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.log)
    indices = range(len(axis.values))
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in axis.values):
        return optuna.distributions.IntDistribution(0, len(axis.values) - 1)
    return optuna.distributions.CategoricalDistribution(list(indices))
