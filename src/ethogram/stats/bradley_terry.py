"""Bradley–Terry: strengths of versions from votes between pairs of them, with intervals.

Davidson's model (1970) gives ties a probability of their own: with d = strength of the first minus
strength of the second (log-odds of a decided vote), a vote is won, tied or lost with weights
exp(d / 2), exp(t) and exp(-d / 2). Without ties it is the model of Bradley and Terry (1952).

The fit maximises the likelihood times a weak prior: one vote for each free strength, half won and
half lost, spread evenly over the pairs that met. It keeps the strength of a version that won every
vote finite; for two versions it is Haldane's and Anscombe's half vote on each side, which is
Jeffreys' prior (Firth 1993). The votes are summed, so their order changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.davidson import Fit, Votes
from ethogram.stats.interval import Interval
from ethogram.stats.student import normal_quantile, t_cdf, t_quantile

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int64]]

#: Votes that the prior counts for each free strength.
PRIOR = 1.0


@dataclass(frozen=True, slots=True)
class Strengths:
    """Strengths of versions in log-odds, with the covariance of their errors.

    Attributes:
        values: [versions], of mean 0 within the versions that are connected; NaN without a vote.
        model_covariance: [versions, versions], if votes are independent and the model holds.
        cluster_covariance: the same from the spread between clusters (the sandwich of Liang and
            Zeger 1986 with their correction for few clusters).
        clusters: how many.
        components: versions that votes connect, the largest group first. Strengths of different
            components cannot be compared.
        votes: [versions, versions], votes between two versions, symmetric.
        tie: log weight of a tie between equal versions; NaN where no vote was a tie.
        length: log-odds that tanh(standardised length difference) = 1 adds; NaN if not controlled.
        confidence: coverage aimed at by the intervals.
    """

    values: Array
    model_covariance: Array
    cluster_covariance: Array
    clusters: int
    components: Sequence[Sequence[int]]
    votes: Indices
    tie: float
    length: float
    confidence: float

    def connected(self, first: int, second: int) -> bool:
        """Whether votes connect two versions, directly or through others."""
        return any(first in group and second in group for group in self.components)

    def interval(self, version: int) -> Interval:
        """The strength of a version against the mean of those it is connected with."""
        group = next((each for each in self.components if version in each), ())
        if len(group) < 2:
            return Interval(math.nan, math.nan, math.nan)
        contrast = np.zeros(len(self.values))
        contrast[version] = 1.0
        return self._interval(contrast)

    def difference(self, first: int, second: int) -> Interval:
        """Strength of the first minus that of the second; NaN if they are not connected."""
        if first == second or not self.connected(first, second):
            return Interval(math.nan, math.nan, math.nan)
        return self._interval(self._contrast(first, second))

    def p_value(self, first: int, second: int) -> float:
        """Of the hypothesis that both are equally strong; NaN if they are not connected."""
        if first == second or not self.connected(first, second):
            return math.nan
        contrast = self._contrast(first, second)
        distance = abs(float(contrast @ np.nan_to_num(self.values)))
        by_model, by_cluster = self._errors(contrast)
        values = [math.erfc(distance / by_model / math.sqrt(2)) if by_model > 0 else 1.0]
        if by_cluster > 0:
            values.append(2 * t_cdf(-distance / by_cluster, self.clusters - 1))
        return max(values)

    def win_rate(self, first: int, second: int) -> Interval:
        """How often the first wins of decided votes between the two."""
        found = self.difference(first, second)
        return Interval(*(_sigmoid(each) for each in (found.estimate, found.low, found.high)))

    def variance(self, first: int, second: int) -> float:
        """Of the difference of two strengths; infinite if they are not connected."""
        if not self.connected(first, second):
            return math.inf
        return max(self._errors(self._contrast(first, second))) ** 2

    def information(self, first: int, second: int) -> float:
        """Of one more vote about the difference of two strengths (Fisher's)."""
        distance = float(self.values[first] - self.values[second])
        tie = 0.0 if math.isnan(self.tie) else math.exp(self.tie - abs(distance) / 2)
        lost = math.exp(-abs(distance))
        whole = 1 + tie + lost
        mean = (1 - lost) / whole / 2
        return (1 + lost) / whole / 4 - mean**2

    def _contrast(self, first: int, second: int) -> Array:
        contrast = np.zeros(len(self.values))
        contrast[first], contrast[second] = 1.0, -1.0
        return contrast

    def _interval(self, contrast: Array) -> Interval:
        """The wider of the two: by the model, and by the spread between clusters.

        The latter is too short where a version won all, the former where votes of a cluster agree.
        """
        estimate = float(contrast @ np.nan_to_num(self.values))
        by_model, by_cluster = self._errors(contrast)
        side = 0.5 + self.confidence / 2
        margin = normal_quantile(side) * by_model
        if self.clusters > 1:
            margin = max(margin, t_quantile(side, self.clusters - 1) * by_cluster)
        return Interval(estimate, estimate - margin, estimate + margin)

    def _errors(self, contrast: Array) -> tuple[float, float]:
        model, cluster = (
            math.sqrt(max(0.0, float(contrast @ each @ contrast)))
            for each in (self.model_covariance, self.cluster_covariance)
        )
        return model, cluster if self.clusters > 1 else 0.0


def bradley_terry(
    first: Sequence[int] | Indices,
    second: Sequence[int] | Indices,
    won: Sequence[float] | Array,
    *,
    versions: int,
    clusters: Sequence[object] | Indices | None = None,
    length_differences: Sequence[float] | Array | None = None,
    prior: float = PRIOR,
    confidence: float = 0.95,
) -> Strengths:
    """Fit strengths to votes.

    Args:
        first: [votes], index of the version on one side.
        second: [votes], index of the other.
        won: [votes], 1 if the first won, 0 if the second did, 0.5 for a tie.
        versions: how many there are.
        clusters: of each vote, what others it may agree with, such as its prompt. Default: votes
            are independent.
        length_differences: [votes], first minus second in any unit; then strengths are those at
            equal length (as `stats.length_controlled`).
        prior: votes that the prior counts for each free strength; 0 is plain maximum likelihood,
            which is infinite for a version that won or lost every vote.
        confidence: coverage aimed at.

    Raises:
        ValueError: no vote, shapes that do not fit, a version out of range or against itself, or
            another value of `won`.
    """
    votes = Votes.of(first, second, won, versions, length_differences)
    components = votes.components()
    fit = Fit(votes, components, prior)
    fit.maximise()
    labels = _labels(clusters, len(votes.won))
    model, cluster = fit.covariances(labels, components)
    values = np.full(versions, np.nan)
    for group in components:
        members = list(group)
        values[members] = fit.strengths[members] - fit.strengths[members].mean()
    return Strengths(
        values=values,
        model_covariance=model,
        cluster_covariance=cluster,
        clusters=int(labels.max()) + 1,
        components=components,
        votes=votes.matrix(),
        tie=float(fit.tie) if votes.has_ties else math.nan,
        length=math.nan if votes.length is None else float(fit.length),
        confidence=confidence,
    )


def _labels(clusters: Any | None, votes: int) -> Indices:
    """[votes], the cluster of each vote, counted from 0."""
    if clusters is None:
        return np.arange(votes)
    if len(clusters) != votes:
        raise ValueError(f"{len(clusters)} clusters for {votes} votes")
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(each, len(numbers)) for each in clusters], np.int64)


def _sigmoid(odds: float) -> float:
    return math.nan if math.isnan(odds) else 0.5 * (1 + math.tanh(odds / 2))
