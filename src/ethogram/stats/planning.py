"""Planning: the minimum detectable effect of a comparison, and the sample size for an effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ethogram.stats.student import beta_quantile, nearly_t_quantile, normal_quantile, t_quantile

#: An interval of fewer prompts is marked as unreliable (`stats.paired`).
FEWEST_PROMPTS = 10
#: Prompts beyond which nobody plans; a difference that needs more counts as unreachable.
MAX_PROMPTS = 2**19
#: Of more prompts than this, what is found is known from an expansion of Student's quantile, unless
#: both sides differ by less than this share.
_MANY, _NEAR = 200, 1e-4


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the variance of a paired difference comes from.

    Attributes:
        between: variance of the true differences of prompts; NaN where samples cannot tell.
        within: variance of one sample's difference around its prompt's; NaN likewise.
        total: variance of the prompts' mean differences as measured.
        prompts: measured.
        samples: per prompt, the harmonic mean where prompts differ.
    """

    between: float
    within: float
    total: float
    prompts: int
    samples: float

    def standard_error(self, prompts: int, samples: float) -> float:
        """Of the difference, with that many prompts and samples per prompt."""
        if math.isnan(self.total):
            return math.nan
        if samples == self.samples or math.isnan(self.within):
            return math.sqrt(self.total / prompts)
        return math.sqrt((self.between + self.within / samples) / prompts)


@dataclass(frozen=True, slots=True)
class More:
    """Sample sizes at which a difference is found with a given power; None if no size is enough.

    Attributes:
        prompts: in all, at the samples per prompt of now.
        samples: per prompt in all, on the prompts of now; None too where a single sample per prompt
            does not tell how samples vary.
    """

    prompts: int | None
    samples: int | None


def minimum_detectable(spread: Spread, *, power: float = 0.8, level: float = 0.05) -> float:
    """The smallest true difference that a two-sided test finds with probability `power`.

    (t[1 - level/2] + t[power]) standard errors (Bloom 1995, there for randomised trials).
    """
    return _reach(spread.prompts, power, level) * spread.standard_error(
        spread.prompts, spread.samples
    )


def minimum_detectable_share(prompts: int, *, power: float = 0.8, level: float = 0.05) -> float:
    """The least share of prompts that must turn, all one way, to be found with that power.

    For prompts that hardly ever differ, of which no spread is known. A sign-flip test gives k
    prompts that all turn one way a p-value of 2 / 2^k, so that many have to be seen: 6 at a level
    of 5 %. The share is that of which as many are among the prompts with probability `power`, from
    the binomial distribution; NaN where there are too few prompts.
    """
    seen = _fewest(level)
    if prompts < seen:
        return math.nan
    return beta_quantile(power, seen, prompts - seen + 1)


def more_samples(
    spread: Spread, difference: float, *, power: float = 0.8, level: float = 0.05
) -> More:
    """How many prompts, or samples per prompt, would show a true difference of this size.

    Args:
        spread: of a comparison already made, such as `PairedTest.spread`.
        difference: to be seen. The measured one is itself uncertain; better is the smallest that
            would matter.
        power: probability of seeing it.
        level: of the two-sided test.
    """
    target = abs(difference)
    if not target > 0 or math.isnan(spread.total):
        return More(None, None)
    return More(_prompts(spread, target, power, level), _samples(spread, target, power, level))


def _fewest(level: float) -> int:
    """Prompts below which no sign-flip test reaches the level: all of them turned give 2 / 2^k."""
    return max(1, math.ceil(1 - math.log2(level)))


def _reach(prompts: int, power: float, level: float) -> float:
    if prompts < 2:
        return math.inf
    return t_quantile(1 - level / 2, prompts - 1) + t_quantile(power, prompts - 1)


def _prompts(spread: Spread, target: float, power: float, level: float) -> int | None:
    is_usual = all(0.0013 < share < 0.9987 for share in (level / 2, power))

    def enough(prompts: int) -> bool:
        error = spread.standard_error(prompts, spread.samples)
        if is_usual and prompts > _MANY:
            about = error * (
                nearly_t_quantile(1 - level / 2, prompts - 1)
                + nearly_t_quantile(power, prompts - 1)
            )
            if abs(about - target) > _NEAR * target:
                return about <= target
        return _reach(prompts, power, level) * error <= target

    # Begins where a normal distribution would do: quantiles of Student's t take long to compute.
    normal = normal_quantile(1 - level / 2) + normal_quantile(power)
    guess = spread.total * (normal / target) ** 2
    middle = max(2, math.ceil(min(guess, MAX_PROMPTS)))
    low, high, step = 1, MAX_PROMPTS, 1
    if enough(middle):
        high = middle
        while high > 2 and enough(lower := max(2, high - step)):
            high, step = lower, 2 * step
        low = max(1, high - step)
    else:
        low = middle
        while not enough(higher := min(MAX_PROMPTS, low + step)):
            if higher == MAX_PROMPTS:
                return None
            low, step = higher, 2 * step
        high = higher
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return max(high, FEWEST_PROMPTS, _fewest(level))


def _samples(spread: Spread, target: float, power: float, level: float) -> int | None:
    if math.isnan(spread.within) or spread.prompts < max(FEWEST_PROMPTS, _fewest(level)):
        return None
    allowed = spread.prompts * (target / _reach(spread.prompts, power, level)) ** 2
    spare = allowed - spread.between
    if spare <= 0:  # The prompts differ too much for any number of samples.
        return None
    return max(1, math.ceil(spread.within / spare))
