"""Calibration: how often the intervals and p-values of `ethogram.stats` are right, by simulation.

    python -m benchmarks.calibration

draws studies whose truth is known: prompts with effects of their own, samples that share part of
their noise between two versions, metrics of five kinds. For each kind and size it counts how often
the 95 % interval holds the truth and how often the p-value falsely falls below 5 %, and leaves
benchmarks/results/calibration.json and a Markdown table. Knows no engine.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.page import STATISTICS, replace
from ethogram.metrics.base import ratio
from ethogram.stats import adjust, paired
from ethogram.stats.bootstrap import draw_twice, prompt_means
from ethogram.stats.student import t_quantile

Array = np.ndarray[Any, np.dtype[np.float64]]
RESULTS = Path(__file__).parent / "results" / "calibration.json"
#: Share of its variance that a sample's noise has in common between the versions (coupling).
SHARED_NOISE = 0.5
#: Prompts and samples per prompt.
SIZES = ((12, 1), (12, 8), (24, 4), (50, 2), (100, 1), (100, 4))
#: Outputs of the simulation that stands for the truth where it has no formula.
TRUTH_PROMPTS = 2_000_000


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


def _with_ones(values: Array) -> Array:
    return np.stack([values, np.ones_like(values)], axis=-1)


def _continuous(_: np.random.Generator, prompt: Array, noise: Array, effect: float) -> Array:
    return _with_ones(prompt + noise + 0.5 * effect)


def _skewed(_: np.random.Generator, prompt: Array, noise: Array, effect: float) -> Array:
    # Log-normal, like lengths and perplexities of single outputs.
    return _with_ones(np.exp(0.5 * prompt + 0.6 * noise + 0.3 * effect))


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
        return _with_ones((prompt + noise < cut + shift * effect).astype(float))

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


def truth(setting: Setting, effect: float) -> float:
    """The true difference: zero without an effect, else from a very large study."""
    if effect == 0:
        return 0.0
    before, after = setting.draw(np.random.default_rng(99), TRUTH_PROMPTS, 1, effect)
    values = [float(setting.aggregate(parts.mean(axis=(0, 1)))) for parts in (before, after)]
    return values[1] - values[0]


@dataclass(frozen=True)
class Calibration:
    """What a setting of one size came to; shares in percent.

    Attributes:
        setting: its name.
        effect: the difference, in units of the setting.
        prompts: of a study.
        samples: per prompt.
        trials: studies.
        covered: whose interval holds the truth, or could not be made.
        rejected: whose p-value is at most 0.05.
        reliable: whose interval is not marked; one that could not be made is.
        covered_if_reliable: of these, whose interval holds the truth; None of fewer than 50.
        percentile_prompts: whose percentile interval over prompts holds it.
        percentile_both: whose percentile interval over prompts and samples does.
        student: whose interval of Student does.
    """

    setting: str
    effect: float
    prompts: int
    samples: int
    trials: int
    covered: float
    rejected: float
    reliable: float
    covered_if_reliable: float | None
    percentile_prompts: float | None
    percentile_both: float | None
    student: float | None


def calibrate(
    setting: Setting,
    prompts: int,
    samples: int,
    *,
    effect: float = 0.0,
    trials: int = 1000,
    resamples: int = 499,
    seed: int = 0,
    others: bool = False,
) -> Calibration:
    """Draw studies and count.

    Args:
        setting: the kind of metric.
        prompts: of a study.
        samples: per prompt.
        effect: in units of the setting; 0 is the null hypothesis.
        trials: studies.
        resamples: of each bootstrap, and draws of each permutation test.
        seed: of the studies.
        others: whether to count the textbook intervals too.
    """
    generator = np.random.default_rng([seed, prompts, samples])
    true = truth(setting, effect)
    held, significant, reliable = [], [], []
    textbook: list[list[bool]] = []
    for trial in range(trials):
        before, after = setting.draw(generator, prompts, samples, effect)
        test = paired(
            before,
            after,
            setting.aggregate,
            width=setting.width,
            resamples=resamples,
            draws=resamples,
            seed=trial,
        )
        # An interval that could not be made claims nothing, so it is not wrong.
        held.append(not (test.low > true or test.high < true))
        significant.append(test.p <= 0.05)
        reliable.append(test.reliable)
        if others:
            textbook.append(list(_textbook(before, after, setting.aggregate, true, trial, test)))
    sure = np.array(held)[np.array(reliable)]
    names = ("percentile_prompts", "percentile_both", "student")
    shares: list[float | None] = [_percent(column) for column in zip(*textbook, strict=True)]
    shares = shares or [None] * 3
    return Calibration(
        setting=setting.name,
        effect=effect,
        prompts=prompts,
        samples=samples,
        trials=trials,
        covered=_percent(held),
        rejected=_percent(significant),
        reliable=_percent(reliable),
        covered_if_reliable=_percent(sure) if len(sure) >= 50 else None,
        **dict(zip(names, shares, strict=True)),
    )


def _percent(flags: Any) -> float:
    return round(100 * float(np.mean(flags)), 1)


def _textbook(
    before: Array, after: Array, aggregate: Any, true: float, seed: int, test: Any
) -> Iterator[bool]:
    """Whether the percentile intervals of one and two stages and Student's hold the truth."""
    means = [prompt_means(parts)[:, None] for parts in (before, after)]
    for a, b in (means, (before, after)):
        values = [
            aggregate(second.mean(axis=-2)) - aggregate(first.mean(axis=-2))
            for first, second in draw_twice(a, b, resamples=499, seed=seed)
        ]
        low, high = np.nanquantile(np.concatenate(values), [0.025, 0.975])
        yield bool(low <= true <= high)
    reach = t_quantile(0.975, test.prompts - 1) * test.error
    yield bool(abs(test.estimate - true) <= reach)


def discoveries(*, trials: int = 400, draws: int = 1999, seed: int = 1) -> dict[str, Any]:
    """Errors of the corrections: metrics of one comparison, and settings of a sweep.

    Eight metrics of the same outputs, none of them different, under Holm: how often any is called
    so. Forty-eight settings against one parent, eight of them different, under Benjamini-Hochberg:
    the mean share of false ones among those called different.
    """
    generator = np.random.default_rng(seed)
    any_metric, false_share, found = [], [], []
    for trial in range(trials):
        base = generator.normal(size=(30, 4, 1)) + generator.normal(size=(30, 1, 1))
        before, after = (base + generator.normal(size=(30, 4, 8)) for _ in range(2))
        metrics = [_p(before[..., each], after[..., each], draws, trial) for each in range(8)]
        any_metric.append(bool((adjust(metrics, "holm") <= 0.05).any()))
        parent = base[..., 0] + generator.normal(size=(30, 4))
        effects = np.where(np.arange(48) < 8, 0.8, 0.0)
        sweep = [
            _p(parent, base[..., 0] + effect + generator.normal(size=(30, 4)), draws, trial)
            for effect in effects
        ]
        called = adjust(sweep, "bh") <= 0.05
        false_share.append(called[8:].sum() / max(1, called.sum()))
        found.append(called[:8].mean())
    return {
        "trials": trials,
        "holm_any_false_of_8_metrics": _percent(any_metric),
        "bh_false_share_of_48_settings": _percent(false_share),
        "bh_found_of_8_true": _percent(found),
    }


def _p(before: Array, after: Array, draws: int, seed: int) -> float:
    test = paired(
        _with_ones(before), _with_ones(after), ratio, resamples=19, draws=draws, seed=seed
    )
    return test.p


def table(rows: list[Calibration]) -> str:
    """The rows as Markdown; without and with a difference side by side."""
    by_case = {(row.setting, row.prompts, row.samples, row.effect): row for row in rows}
    lines = [
        "| metric | prompts × samples | covers | p ≤ 0.05 | marked `?` | covers where no `?` "
        "| difference: covers | power | marked `?` | covers where no `?` "
        "| percentile, prompts | percentile, both | Student's t |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row.effect:
            continue
        other = by_case.get((row.setting, row.prompts, row.samples, 1.0))
        cells = [*_cells(row), *(_cells(other) if other else [None] * 4)]
        cells += [row.percentile_prompts, row.percentile_both, row.student]
        shown = " | ".join("–" if value is None else f"{value:.1f}" for value in cells)
        lines.append(f"| {row.setting} | {row.prompts} × {row.samples} | {shown} |")
    return "\n".join(lines)


def _cells(row: Calibration) -> list[float | None]:
    return [row.covered, row.rejected, 100 - row.reliable, row.covered_if_reliable]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Measure the calibration of ethogram.stats.")
    parser.add_argument(
        "--trials", type=int, default=1000, help="studies per row; half of it with an effect"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the results")
    parser.add_argument(
        "--render", action="store_true", help="write the page's table from the results only"
    )
    options = parser.parse_args()
    if not options.render:
        _measure(options.trials, options.out)
    rows = json.loads(options.out.read_text(encoding="utf-8"))["rows"]
    shown = table([Calibration(**row) for row in rows])
    if options.out == RESULTS:
        replace(STATISTICS, "calibration", shown)
    else:
        print(shown)


def _measure(trials: int, out: Path) -> None:
    started = time.perf_counter()
    rows = []
    for setting in SETTINGS:
        for effect in (0.0, 1.0):
            for prompts, samples in SIZES:
                found = calibrate(
                    setting,
                    prompts,
                    samples,
                    effect=effect,
                    trials=trials // (2 if effect else 1),
                    others=effect == 0,
                )
                rows.append(found)
                print(found, flush=True)
    data = {
        "trials": trials,
        "rows": [asdict(row) for row in rows],
        "discoveries": discoveries(),
        "seconds": round(time.perf_counter() - started),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
