"""Davidson: the likelihood of votes between versions, its top, and the errors there.

See `bradley_terry` for the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.length import standardised

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int64]]

#: Half of this times the square is taken from the log-likelihood for the tie and the length term,
#: which keeps both finite: a normal prior of variance 10 in log-odds.
_RIDGE = 0.1
#: Newton's method on a concave function; it ends in under ten steps.
_STEPS = 100
_TOLERANCE = 1e-10
#: Longest step in log-odds: far from the top a whole step can overshoot.
_LONGEST = 4.0


@dataclass(frozen=True, slots=True)
class Votes:
    """Checked votes; all arrays are [votes]."""

    first: Indices
    second: Indices
    won: Array
    versions: int
    length: Array | None

    @classmethod
    def of(cls, first: Any, second: Any, won: Any, versions: int, lengths: Any | None) -> Votes:
        """Check what the caller gave."""
        one, other = (np.asarray(each, np.int64) for each in (first, second))
        result = np.asarray(won, float)
        if result.ndim != 1 or not len(result) or not (one.shape == other.shape == result.shape):
            raise ValueError("first, second and won must be 1-D of equal length, with a vote")
        if not np.isin(result, (0.0, 0.5, 1.0)).all():
            raise ValueError("won must be 0, 0.5 or 1")
        bounds = np.concatenate([one, other])
        if bounds.min() < 0 or bounds.max() >= versions or (one == other).any():
            raise ValueError("a vote is between two different versions in range")
        if lengths is None:
            return cls(one, other, result, versions, None)
        distances = np.asarray(lengths, float)
        if distances.shape != result.shape or not np.isfinite(distances).all():
            raise ValueError("length_differences must be finite, one for each vote")
        return cls(one, other, result, versions, standardised(distances)[0])

    @property
    def has_ties(self) -> bool:
        """Whether one is a tie."""
        return bool((self.won == 0.5).any())

    def matrix(self) -> Indices:
        """[versions, versions], votes between two versions."""
        flat = np.bincount(self.first * self.versions + self.second, minlength=self.versions**2)
        square = flat.reshape(self.versions, self.versions)
        both: Indices = square + square.T
        return both

    def components(self) -> tuple[tuple[int, ...], ...]:
        """Versions that votes connect, the largest group first."""
        met = self.matrix() > 0
        left = {int(each) for each in np.flatnonzero(met.any(axis=1))}
        groups: list[tuple[int, ...]] = []
        while left:
            group, edge = set(), {min(left)}
            while edge:
                group |= edge
                edge = {int(each) for each in np.flatnonzero(met[list(edge)].any(axis=0))} - group
            groups.append(tuple(sorted(group)))
            left -= group
        return tuple(sorted(groups, key=lambda group: (-len(group), group)))


class Fit:
    """Newton's method for strengths [versions], the tie term and the length term."""

    def __init__(self, votes: Votes, components: Sequence[Sequence[int]], prior: float) -> None:
        self._votes = votes
        self._half = votes.won - 0.5  # The sufficient statistic of a strength difference.
        self._tied = (votes.won == 0.5).astype(float)
        self._prior = _prior_weights(votes, components, prior)  # [versions, versions]
        self._free = votes.versions + votes.has_ties + (votes.length is not None)
        self._solution = np.zeros(self._free)

    @property
    def strengths(self) -> Array:
        """[versions], up to a constant for each component."""
        return self._solution[: self._votes.versions]

    @property
    def tie(self) -> float:
        """Log weight of a tie; 0 stands in where there is none."""
        return float(self._solution[self._votes.versions]) if self._votes.has_ties else 0.0

    @property
    def length(self) -> float:
        """Log-odds that one unit of length adds."""
        return float(self._solution[-1]) if self._votes.length is not None else 0.0

    def maximise(self) -> None:
        """Find the top."""
        for _ in range(_STEPS):
            gradient, curvature = self._derivatives()
            # A constant can be added to all strengths of a component; the smallest step is taken.
            step = np.linalg.lstsq(curvature, gradient, rcond=1e-12)[0]
            step /= max(1.0, float(np.abs(step).max()) / _LONGEST)
            self._solution = self._solution + step
            if np.abs(step).max() < _TOLERANCE:
                return

    def covariances(
        self, clusters: Indices, components: Sequence[Sequence[int]]
    ) -> tuple[Array, Array]:
        """Of the centred strengths: by the model, and by the spread between clusters."""
        _, curvature = self._derivatives()
        inverse = np.linalg.pinv(curvature, rcond=1e-12, hermitian=True)
        scores = self._scores(clusters)  # [clusters, free]
        scores = scores - scores.mean(axis=0)
        count = len(scores)
        spread = scores.T @ scores * count / max(count - 1, 1)
        centre = _centring(self._votes.versions, components)
        size = self._votes.versions
        model, sandwich = (
            centre @ each[:size, :size] @ centre.T for each in (inverse, inverse @ spread @ inverse)
        )
        return model, sandwich

    def _expected(self) -> tuple[Array, Array, Array]:
        """Of each vote: probabilities that the first wins, that it is a tie, that it loses."""
        votes, strengths = self._votes, self.strengths
        distance = strengths[votes.first] - strengths[votes.second]
        if votes.length is not None:
            distance = distance + self.length * votes.length
        won, lost = distance / 2, -distance / 2
        tie = np.full(len(distance), self.tie if votes.has_ties else -np.inf)
        top = np.maximum(np.abs(distance) / 2, tie)
        weights = [np.exp(each - top) for each in (won, tie, lost)]
        whole = weights[0] + weights[1] + weights[2]
        return weights[0] / whole, weights[1] / whole, weights[2] / whole

    def _derivatives(self) -> tuple[Array, Array]:
        """Gradient [free] and negative second derivatives [free, free] of the log-posterior."""
        votes, size = self._votes, self._votes.versions
        won, tie, lost = self._expected()
        mean = (won - lost) / 2
        spread = (won + lost) / 4 - mean**2  # Variance of the statistic of a strength difference.
        gradient = np.zeros(self._free)
        curvature = np.zeros((self._free, self._free))
        gradient[:size] = self._sums(self._half - mean)
        curvature[:size, :size] = self._laplacian(spread)
        if votes.has_ties:
            gradient[size] = (self._tied - tie).sum() - _RIDGE * self.tie
            curvature[size, size] = (tie * (1 - tie)).sum() + _RIDGE
            curvature[:size, size] = curvature[size, :size] = self._sums(-mean * tie)
        if votes.length is not None:
            shape = votes.length
            gradient[-1] = (shape * (self._half - mean)).sum() - _RIDGE * self.length
            curvature[-1, -1] = (shape**2 * spread).sum() + _RIDGE
            curvature[:size, -1] = curvature[-1, :size] = self._sums(shape * spread)
            if votes.has_ties:
                crossed = (shape * -mean * tie).sum()
                curvature[size, -1] = curvature[-1, size] = crossed
        self._add_prior(gradient, curvature)
        return gradient, curvature

    def _add_prior(self, gradient: Array, curvature: Array) -> None:
        """Votes half won and half lost, decided ones, so that they say nothing of ties."""
        size, strengths = self._votes.versions, self.strengths
        chance = 1 / (1 + np.exp(np.clip(strengths[None, :] - strengths[:, None], -700, 700)))
        gradient[:size] += (self._prior * (0.5 - chance)).sum(axis=1)
        weight = self._prior * chance * (1 - chance)
        curvature[:size, :size] += np.diag(weight.sum(axis=1)) - weight

    def _sums(self, values: Array) -> Array:
        """[versions], values of the votes added for the first and taken from the second."""
        size = self._votes.versions
        gained = np.bincount(self._votes.first, values, minlength=size)
        paid = np.bincount(self._votes.second, values, minlength=size)
        result: Array = np.subtract(gained, paid, dtype=float)
        return result

    def _laplacian(self, weights: Array) -> Array:
        size = self._votes.versions
        flat = self._votes.first * size + self._votes.second
        square = np.bincount(flat, weights, minlength=size**2).reshape(size, size)
        both = square + square.T
        result: Array = np.diag(both.sum(axis=1)) - both
        return result

    def _scores(self, clusters: Indices) -> Array:
        """[clusters, free], the gradient of each cluster's votes."""
        votes, size = self._votes, self._votes.versions
        won, tie, lost = self._expected()
        residual = self._half - (won - lost) / 2
        count = int(clusters.max()) + 1
        scores = np.zeros((count, self._free))
        length = count * size
        gained = np.bincount(clusters * size + votes.first, residual, minlength=length)
        paid = np.bincount(clusters * size + votes.second, residual, minlength=length)
        scores[:, :size] = (gained - paid).reshape(count, size)
        if votes.has_ties:
            scores[:, size] = np.bincount(clusters, self._tied - tie, minlength=count)
        if votes.length is not None:
            scores[:, -1] = np.bincount(clusters, votes.length * residual, minlength=count)
        return scores


def _prior_weights(votes: Votes, components: Sequence[Sequence[int]], prior: float) -> Array:
    """[versions, versions], votes of the prior between two versions; symmetric."""
    met = votes.matrix() > 0
    weights = np.zeros(met.shape)
    for group in components:
        inside = np.ix_(group, group)
        pairs = met[inside].sum() / 2
        weights[inside] = met[inside] * prior * (len(group) - 1) / pairs
    return weights


def _centring(versions: int, components: Sequence[Sequence[int]]) -> Array:
    """[versions, versions], takes the mean of its component from each strength."""
    matrix = np.zeros((versions, versions))
    for group in components:
        inside = np.ix_(group, group)
        matrix[inside] = np.eye(len(group)) - 1 / len(group)
    return matrix
