"""Running: what the replications that take a model share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ethogram.metrics.base import Array
from ethogram.spec import Version
from ethogram.stats import Interval, bootstrap
from ethogram.stats.bootstrap import Aggregate
from ethogram.stats.student import normal_quantile

if TYPE_CHECKING:
    from ethogram.engine.forward.teacher_forcing import TeacherForced


#: What is run unless another is named: what a version runs by default.
DEFAULT_MODEL = str(Version.model_fields["model"].default)


def likelihoods(model: str, on_progress: Callable[[int], None] | None) -> TeacherForced:
    """A model that says how likely given texts are.

    Args:
        model: built-in name, hub id, local folder or .gguf file.
        on_progress: called with how many texts it has been given so far.

    Raises:
        ModelError: it cannot be had, or is not a decoder-only model.
    """
    from ethogram.engine.forward.teacher_forcing import TeacherForced
    from ethogram.models import load

    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if on_progress:
            on_progress(done)

    return TeacherForced(load(model), on_sequences=count)


def part(used: int, there: int, what: str) -> tuple[str, ...]:
    """The note that only a part was used, if so."""
    if used == there:
        return ()
    return (f"The first {used} of {there} {what} only: not the published table's.",)


def share(true: int, there: int) -> Interval:
    """A share of cases that are or are not so, with its 95 % interval (Wilson 1927).

    Unlike a bootstrap, it knows that none of 20 is not the same as never.
    """
    value, z = true / there, normal_quantile(0.975)
    middle = (value + z * z / (2 * there)) / (1 + z * z / there)
    reach = z * math.sqrt(value * (1 - value) / there + (z / (2 * there)) ** 2)
    reach /= 1 + z * z / there
    return Interval(value, max(0.0, middle - reach), min(1.0, middle + reach))


def bounded(parts: Array, aggregate: Aggregate, *, least: float = 0.0) -> Interval:
    """A value over cases with its bootstrap interval, cut to what is possible.

    Args:
        parts: [cases, k].
        aggregate: mean parts [..., k] to values [...].
        least: smallest possible value; the largest is 1.

    Returns:
        Bounds are NaN where they would say nothing: where the cases have no spread, or so few
        differ that most resamples have none.
    """
    with np.errstate(invalid="ignore"):
        found = bootstrap(parts, aggregate)
    if not found.low < found.high or (found.low <= least and found.high >= 1.0):
        return replace(found, low=math.nan, high=math.nan)
    return replace(found, low=max(least, found.low), high=min(1.0, found.high))


def mean(values: Sequence[float] | Array) -> Interval:
    """The mean of values from 0 to 1 and its interval."""
    return bounded(np.asarray(values, dtype=np.float64)[:, None], lambda means: means[..., 0])
