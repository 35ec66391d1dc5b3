"""Studies whose truth is known: prompts with effects of their own, and metrics of several kinds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ethogram.metrics.base import ratio

Array = np.ndarray[Any, np.dtype[np.float64]]


#: Share of its variance that a sample's noise has in common between the versions (coupling).
SHARED_NOISE = 0.5


@dataclass(frozen=True)
class Setting:
    """One kind of metric.

    Attributes:
        name: of the kind.
        draw: (generator, prompts, samples, effect) to the parts of two versions.
        aggregate: mean parts to the value.
        width: of the range of its values, 1 for shares.
    """

    name: str
    draw: Callable[[np.random.Generator, int, int, float], tuple[Array, Array]]
    aggregate: Callable[[Array], Array] = ratio
    width: float = math.inf


def _logits(
    generator: np.random.Generator, prompts: int, samples: int
) -> list[tuple[Array, Array]]:
    """For two versions: effects of prompts [prompts, 1] and noise of samples [prompts, samples].

    Prompts differ with variance 1, and how a version takes to them with variance 0.09 more.
    """
    prompt = generator.normal(size=(prompts, 1))
    shared = generator.normal(size=(prompts, samples))
    versions = []
    for _ in range(2):
        own = generator.normal(size=(prompts, samples))
        noise = np.sqrt(SHARED_NOISE) * shared + np.sqrt(1 - SHARED_NOISE) * own
        versions.append((prompt + 0.3 * generator.normal(size=(prompts, 1)), noise))
    return versions


def _both(make: Callable[[np.random.Generator, Array, Array, float], Array]) -> Any:
    """A `draw` from a function of (generator, prompt effects, noise, effect) to parts."""

    def draw(
        generator: np.random.Generator, prompts: int, samples: int, effect: float
    ) -> tuple[Array, Array]:
        (a, noise_a), (b, noise_b) = _logits(generator, prompts, samples)
        return make(generator, a, noise_a, 0.0), make(generator, b, noise_b, effect)

    return draw


def with_ones(values: Any) -> Array:
    """Values as parts with a count of one each, [..., 2]."""
    return np.stack([values, np.ones(values.shape)], axis=-1).astype(float)


def _continuous(_: np.random.Generator, prompt: Array, noise: Array, effect: float) -> Array:
    return with_ones(prompt + noise + 0.5 * effect)


def _skewed(_: np.random.Generator, prompt: Array, noise: Array, effect: float) -> Array:
    # Log-normal, like lengths and perplexities of single outputs.
    return with_ones(np.exp(0.5 * prompt + 0.6 * noise + 0.3 * effect))


def _rate(base: float, turned: float = 0.0) -> Setting:
    """A probit with the base rate over all prompts and samples.

    Args:
        base: the rate without an effect.
        turned: the rate with one; 0 for a shift of one standard deviation of a sample's noise.
    """
    spread = np.sqrt(1 + 1.09)
    cut = NormalDist().inv_cdf(base) * spread
    shift = NormalDist().inv_cdf(turned) * spread - cut if turned else 1.0

    def make(_: np.random.Generator, prompt: Array, noise: Array, effect: float) -> Array:
        return with_ones((prompt + noise < cut + shift * effect).astype(float))

    name = f"rate of {100 * base:.0f} %" + (f", turned to {100 * turned:.0f} %" if turned else "")
    return Setting(name, _both(make), width=1.0)


def _ratio_of_sums(
    generator: np.random.Generator, prompt: Array, noise: Array, effect: float
) -> Array:
    tokens = np.ceil(np.exp(4 + 0.4 * prompt + 0.4 * noise))
    share = 1 / (1 + np.exp(2 - 0.5 * prompt - 0.5 * effect))
    hits = generator.binomial(tokens.astype(int), np.broadcast_to(share, tokens.shape))
    return np.stack([hits.astype(float), tokens], axis=-1)


def _few_heavy(generator: np.random.Generator, prompt: Array, noise: Array, effect: float) -> Array:
    # A fifth of the prompts has fifty times the words of the others, under both versions.
    words = np.where(prompt > prompt.mean() + 0.84 * prompt.std(), 1000.0, 20.0)
    share = 1 / (1 + np.exp(1 - noise - 2 * effect))
    hits = generator.binomial(words.astype(int), share)
    return np.stack([hits.astype(float), np.broadcast_to(words, hits.shape)], axis=-1)


def _perplexity(
    generator: np.random.Generator, prompt: Array, noise: Array, effect: float
) -> Array:
    tokens = np.ceil(np.exp(3.5 + 0.5 * generator.normal(size=noise.shape)))
    nats = tokens * (2 + 0.3 * prompt + 0.3 * noise + 0.2 * effect)
    return np.stack([nats, tokens], axis=-1)


def _some_outputs(
    generator: np.random.Generator, prompt: Array, noise: Array, effect: float
) -> Array:
    applies = generator.random(noise.shape) < 0.6
    return _continuous(generator, prompt, noise, effect) * np.asarray(applies)[..., None]


def _rare_on_unequal_outputs() -> Setting:
    """A rate of 1 % under both versions; the metric applies to 45 % and to 95 % of the outputs."""

    def draw(
        generator: np.random.Generator, prompts: int, samples: int, effect: float
    ) -> tuple[Array, Array]:
        sides = []
        for applicable, rate in ((0.45, 0.01), (0.95, 0.01 + 0.2 * effect)):
            applies = generator.random((prompts, samples)) < applicable
            events = generator.random((prompts, samples)) < rate
            sides.append(np.stack([applies & events, applies], axis=-1).astype(float))
        return sides[0], sides[1]

    return Setting("rate of 1 %, unequal applicability", draw, width=1.0)


def _exp_ratio(parts: Array) -> Array:
    values: Array = np.exp(ratio(parts))
    return values


SETTINGS = (
    Setting("continuous", _both(_continuous)),
    _rate(0.3),
    _rate(0.05),
    _rate(0.01),
    _rate(0.03, turned=0.97),
    Setting("skewed", _both(_skewed)),
    Setting("ratio of sums", _both(_ratio_of_sums), width=1.0),
    Setting("ratio, few heavy prompts", _both(_few_heavy), width=1.0),
    Setting("perplexity", _both(_perplexity), _exp_ratio),
    Setting("on 60 % of outputs", _both(_some_outputs)),
    _rare_on_unequal_outputs(),
)
