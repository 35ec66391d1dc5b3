"""The tables of docs/wrapper.md: what each guard changes on the built-in model.

    ethogram run --study examples/wrapper
    python -m benchmarks.wrapper_table --seconds 4

Reads the stored outputs; with `--seconds`, it also generates so many samples of each prompt again,
reply by reply, and times them. An interval is that of the paired difference from the version that
the table names, over prompts. Loops and answers are counted among all outputs, so that an empty
reply is no answer; the metrics of the same names leave empty outputs out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks import wrapper_seconds
from ethogram.metrics.base import Score
from ethogram.spec import Generation
from ethogram.stats.scores import paired_scores
from ethogram.study import Study
from ethogram.study.measure import Measured, measure

#: Version, and what it is called in the table.
GUARDS = {
    "v1.0.0": "no wrapper",
    "v1.1.0": "`retry`",
    "v1.2.0": "`loop_breaker`",
    "v1.3.0": "`stop_at_next_turn`",
    "v1.4.0": "`whole_sentences`",
    "v1.5.0": "`stop_when_answered`",
    "v1.6.0": "`most_sentences: 2`",
    "v1.7.0": "`candidates: 2`",
    "v1.8.0": "**full wrapper**",
}
PROMPTS = {
    "v1.0.0": "question and answer prompt",
    "v1.8.0": "… in the full wrapper",
    "v2.0.0": "few-shot prompt",
    "v2.1.0": "… in the full wrapper",
    "v3.0.0": "chat template",
    "v3.1.0": "… in the full wrapper",
}
FULL = ("v1.8.0", "v2.1.0", "v3.1.0")
METRICS = (
    "empty_rate",
    "loop_rate",
    "answer_first",
    "post_answer_words",
    "contains_reference",
    "ifeval_prompt_strict",
)
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        title: its heading.
        of: the scores of a version, [prompts, samples].
        share: whether they are shares.
        digits: after the decimal point.
    """

    title: str
    of: Callable[[str], Scores]
    share: bool = True
    digits: int = 1


class Table:
    """Reads the study's outputs as arrays, NaN where a metric does not apply.

    Args:
        study: whose outputs are stored.
        seconds: of each version, [prompts, samples], where they were measured.
    """

    def __init__(self, study: Study, seconds: Mapping[str, Scores] | None = None) -> None:
        self.study = study
        self.measured: dict[str, dict[str, Measured]] = {}
        self.columns = [
            Column("empty", lambda name: self.scores(name, "empty_rate")),
            Column("loops", lambda name: self.of_all(name, "loop_rate")),
            Column("answers first", lambda name: self.of_all(name, "answer_first")),
            Column(
                "words after the answer", lambda name: self.scores(name, "post_answer_words"), False
            ),
            Column("contains the reference", lambda name: self.of_all(name, "contains_reference")),
            Column("keeps its constraints", lambda name: self.scores(name, "ifeval_prompt_strict")),
            Column("tokens", self.tokens, False),
        ]
        if seconds is not None:
            self.columns.append(Column("seconds", seconds.__getitem__, False, 2))

    def _measured(self, name: str) -> dict[str, Measured]:
        if name not in self.measured:
            self.measured[name] = measure(self.study, name, METRICS)
        return self.measured[name]

    def scores(self, name: str, metric: str) -> Scores:
        """A metric's value of each output."""
        found = self._measured(name)[metric]
        return self._array(found, [_value(score) for score in found.scores])

    def of_all(self, name: str, metric: str) -> Scores:
        """The same, zero for an empty output of a prompt to which the metric applies."""
        both = np.stack([self.scores(each, metric) for each in ("v3.0.0", name)])
        applies = (~np.isnan(both)).sum(axis=(0, 2)) > 0
        found = self.scores(name, metric)
        found[np.isnan(found) & applies[:, np.newaxis]] = 0.0
        return found

    def tokens(self, name: str) -> Scores:
        """Tokens generated for each reply, those that were thrown away included."""
        made = self.study.generations(name)
        return self._array(self._measured(name)["empty_rate"], [_spent(each) for each in made])

    def _array(self, measured: Measured, values: Sequence[float]) -> Scores:
        prompts = dict.fromkeys(output.prompt_id for output in measured.outputs)
        row = {prompt: number for number, prompt in enumerate(prompts)}
        samples = 1 + max(output.sample_index for output in measured.outputs)
        found = np.full((len(row), samples), np.nan)
        for output, value in zip(measured.outputs, values, strict=True):
            found[row[output.prompt_id], output.sample_index] = value
        return found

    def rows(self, names: dict[str, str], base: str) -> list[str]:
        """The table in Markdown."""
        heads = [column.title for column in self.columns]
        lines = [f"| | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
        for name, title in names.items():
            cells = [self._cell(column, name, base) for column in self.columns]
            lines.append(f"| {title} | {' | '.join(cells)} |")
        return lines

    def _cell(self, column: Column, name: str, base: str) -> str:
        scale, unit = (100.0, " %") if column.share else (1.0, "")
        after = column.of(name)
        digits = column.digits
        value = f"{_mean(after) * scale:.{digits}f}{unit}"
        if name == base:
            return value
        bounds = (0.0, 1.0) if column.share else (-np.inf, np.inf)
        before = column.of(base)
        both = ~(np.isnan(before).all(1) | np.isnan(after).all(1))
        test = paired_scores(
            before[both],
            after[both],
            low=bounds[0],
            high=bounds[1],
            coupled=self.study.coupled(base, name),
        )
        clear = "" if test.low <= 0 <= test.high else "*"
        low, high = (f"{bound * scale:+.{digits}f}" for bound in (test.low, test.high))
        return f"{value} ({low} to {high}){clear}"

    def looping(self, names: Sequence[str]) -> tuple[int, int]:
        """Outputs that loop, and outputs."""
        found = [self.of_all(name, "loop_rate") for name in names]
        return int(sum(np.nansum(each) for each in found)), sum(each.size for each in found)


def _value(score: Score) -> float:
    return float("nan") if score.value is None else float(score.value)


def _mean(scores: Scores) -> float:
    """Over prompts, each of which counts as much."""
    with np.errstate(invalid="ignore"):
        rows = scores[~np.isnan(scores).all(1)]
    return float(np.nanmean(rows))


def _spent(made: Generation) -> int:
    return made.guarded.tokens if made.guarded else len(made.token_ids)


def main() -> None:
    """Print both tables, and how many outputs of the full wrapper loop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=Path("examples/wrapper"))
    parser.add_argument("--seconds", type=int, default=0, help="samples of each prompt to time")
    options = parser.parse_args()
    with Study(options.study) as study:
        seconds = None
        if options.seconds:
            seconds = wrapper_seconds.seconds(study, list(GUARDS | PROMPTS), options.seconds)
        table = Table(study, seconds)
        print("\n".join(table.rows(GUARDS, "v1.0.0")), end="\n\n")
        print("\n".join(table.rows(PROMPTS, "v1.0.0")), end="\n\n")
        loops, outputs = table.looping(FULL)
        high = binomtest(loops, outputs).proportion_ci(method="wilson").high
        print(f"full wrapper: {loops} of {outputs} outputs loop (95 % CI up to {high:.2%})")


if __name__ == "__main__":
    main()
