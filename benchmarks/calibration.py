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
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.page import STATISTICS, replace
from benchmarks.simulated_studies import SETTINGS, Array, Setting, with_ones
from ethogram.metrics.base import ratio
from ethogram.stats import adjust, paired
from ethogram.stats.bootstrap import draw_twice, prompt_means
from ethogram.stats.student import t_quantile

RESULTS = Path(__file__).parent / "results" / "calibration.json"


#: Prompts and samples per prompt.
SIZES = ((12, 1), (12, 8), (24, 4), (50, 2), (100, 1), (100, 4), (250, 8))
#: Outputs of the simulation that stands for the truth where it has no formula.
TRUTH_PROMPTS = 2_000_000


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
            aggregate(drawn[:, :, 1].mean(axis=1)) - aggregate(drawn[:, :, 0].mean(axis=1))
            for drawn in draw_twice(a, b, resamples=499, seed=seed)
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
    test = paired(with_ones(before), with_ones(after), ratio, resamples=19, draws=draws, seed=seed)
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
    parser.add_argument(
        "--size",
        type=lambda text: tuple(map(int, text.split("x"))),
        help="PROMPTSxSAMPLES: measure this size only; the results of other sizes stay",
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the results")
    parser.add_argument(
        "--render", action="store_true", help="write the page's table from the results only"
    )
    options = parser.parse_args()
    if not options.render:
        _measure(options.trials, options.out, options.size)
    rows = json.loads(options.out.read_text(encoding="utf-8"))["rows"]
    shown = table([Calibration(**row) for row in rows])
    if options.out == RESULTS:
        replace(STATISTICS, "calibration", shown)
    else:
        print(shown)


def _measure(trials: int, out: Path, size: tuple[int, int] | None) -> None:
    started = time.perf_counter()
    rows = [
        _calibrated(setting, effect, *each, trials)
        for setting in SETTINGS
        for effect in (0.0, 1.0)
        for each in ([size] if size else SIZES)
    ]
    seconds = round(time.perf_counter() - started)
    if size:
        data = json.loads(out.read_text(encoding="utf-8"))
        kept = [Calibration(**row) for row in data["rows"]]
        rows += [row for row in kept if (row.prompts, row.samples) != size]
        order = [setting.name for setting in SETTINGS]
        rows.sort(key=lambda row: (order.index(row.setting), row.effect, row.prompts, row.samples))
        data |= {"seconds": data["seconds"] + seconds}
    else:
        data = {"trials": trials, "discoveries": discoveries(), "seconds": seconds}
    data["rows"] = [asdict(row) for row in rows]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _calibrated(
    setting: Setting, effect: float, prompts: int, samples: int, trials: int
) -> Calibration:
    few = trials // (2 if effect else 1)
    found = calibrate(setting, prompts, samples, effect=effect, trials=few, others=effect == 0)
    print(found, flush=True)
    return found


if __name__ == "__main__":
    main()
