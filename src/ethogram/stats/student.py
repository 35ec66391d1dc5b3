"""Student: quantiles of the normal, Student's t and the beta distribution."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

#: Halvings of the bracket in which a quantile is sought: past them fp64 has no digit left to give.
_HALVINGS = 200


def normal_quantile(probability: float) -> float:
    """The standard normal value below which `probability` lies."""
    return NormalDist().inv_cdf(probability)


@lru_cache(maxsize=256)
def t_quantile(probability: float, freedom: float) -> float:
    """The value of Student's t below which `probability` lies.

    Args:
        probability: strictly between 0 and 1.
        freedom: degrees of freedom, above 0.
    """
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < probability:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_cdf(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def nearly_t_quantile(probability: float, freedom: float) -> float:
    """`t_quantile` from its expansion around the normal one (Abramowitz and Stegun 1964, 26.7.5).

    From 200 degrees of freedom on, and up to three standard deviations, it is right to 1e-6.
    """
    x = normal_quantile(probability)
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return x + sum(term / freedom ** (order + 1) for order, term in enumerate(terms))


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The value of the beta distribution below which `probability` lies."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _beta_share(middle, a, b) < probability else (low, middle)
    return (low + high) / 2


def t_cdf(value: float, freedom: float) -> float:
    """The share of Student's t below `value` (Abramowitz and Stegun 1964, 26.7.1)."""
    tail = 0.5 * _beta_share(freedom / (freedom + value * value), freedom / 2, 0.5)
    return 1 - tail if value >= 0 else tail


def _beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, from its continued fraction (ibid. 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # The fraction converges quickly on this side only.
        return 1 - _beta_share(1 - x, b, a)
    logarithm = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return math.exp(logarithm) / (a * _beta_fraction(x, a, b))


def _beta_fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + …)), by Lentz's method (Thompson and Barnett 1986)."""
    tiny = 1e-300
    value, above, below = 1.0, 1.0, 0.0
    for step in range(1, 10_000):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        below = 1 / (1 + term * below or tiny)
        above = 1 + term / above or tiny
        value *= above * below
        if abs(above * below - 1) < 1e-15:
            break
    return value
