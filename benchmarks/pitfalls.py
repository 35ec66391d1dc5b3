"""Precision and recall of the pitfall rules on outputs labelled by hand.

    python -m benchmarks.pitfalls

reads examples/pitfalls/labelled.jsonl, measures precision, recall and F1 of each rule on the half
of the prompts that the rules were not tuned on, and on all; where the released answers of three
models to the instructions of self-instruct lie in `../shared/data`, it counts the pitfalls there
too. Leaves benchmarks/results/pitfalls.json and the tables of docs/pitfalls.md. Knows no engine.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.page import replace
from ethogram.metrics import PITFALLS, Metric, NamedModels, Output, get, read_outputs
from ethogram.metrics.base import ratio
from ethogram.metrics.models import Encoder
from ethogram.metrics.pitfalls.off_topic import off_topic
from ethogram.metrics.pitfalls.registry import PITFALL_METRICS
from ethogram.stats import paired
from ethogram.stats.split import split_prompts

Array = np.ndarray[Any, np.dtype[np.float64]]
ROOT = Path(__file__).parents[1]
LABELLED = ROOT / "examples" / "pitfalls" / "labelled.jsonl"
RELEASED = ROOT.parent / "shared" / "data" / "self-instruct"
RESULTS = Path(__file__).parent / "results" / "pitfalls.json"
#: Verdicts of a reader on findings in the released answers: model, number of the answer, right.
READINGS = Path(__file__).parent / "pitfall_readings.json"
PAGE = ROOT / "docs" / "pitfalls.md"
MODELS = ("davinci", "text-davinci-001", "text-davinci-003")
RESAMPLES = 4000
#: Findings of each rule that were read.
READ = 30


def labelled() -> list[tuple[Output, frozenset[str]]]:
    """The outputs labelled by hand, with their labels."""
    rows = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    outputs = [
        Output(
            text=row["output"],
            prompt=row["prompt"],
            finish_reason=row["finish_reason"],
            tags=tuple(row["tags"]),
            prompt_id=row["prompt_id"],
        )
        for row in rows
    ]
    return [(output, frozenset(row["labels"])) for output, row in zip(outputs, rows, strict=True)]


def held_out(outputs: Sequence[Output]) -> set[str]:
    """The prompts that had no say in the rules: the confirming half of `split_prompts`."""
    ids = list(dict.fromkeys(output.prompt_id for output in outputs))
    return {name for name, tuned in zip(ids, split_prompts(ids), strict=True) if not tuned}


def quality(
    rows: Sequence[tuple[Output, frozenset[str]]],
) -> dict[str, dict[str, Any]]:
    """Precision, recall and F1 of each rule on labelled outputs, with 95 % intervals."""
    return {
        pitfall.name: _rates(
            rows, pitfall.name, [bool(pitfall.find(output).found) for output, _ in rows], seed
        )
        for seed, pitfall in enumerate(PITFALLS)
    }


def quality_off_topic(
    rows: Sequence[tuple[Output, frozenset[str]]], encoder: Encoder
) -> dict[str, Any]:
    """The same of the rule that reads an encoder, by the label of drift."""
    found = [bool(finding.found) for finding in off_topic([o for o, _ in rows], encoder)]
    return _rates(rows, "drift", found, seed=0)


def _rates(
    rows: Sequence[tuple[Output, frozenset[str]]],
    label: str,
    finds: Sequence[bool],
    seed: int,
) -> dict[str, Any]:
    ids = list(dict.fromkeys(output.prompt_id for output, _ in rows))
    counts = np.zeros((len(ids), 3))
    for (output, labels), found in zip(rows, finds, strict=True):
        wanted = label in labels
        place = ids.index(output.prompt_id)
        counts[place] += (found and wanted, found and not wanted, wanted and not found)
    generator = np.random.default_rng(seed)
    drawn = counts[generator.integers(0, len(ids), (RESAMPLES, len(ids)))].sum(axis=1)
    true, false, missed = (int(value) for value in counts.sum(axis=0))
    values = _measures(counts.sum(axis=0))
    bounds = np.nanquantile(_measures(drawn), (0.025, 0.975), axis=0) if true else None
    result: dict[str, Any] = {"labelled": true + missed, "found": true + false, "right": true}
    sizes = {"precision": (true, true + false), "recall": (true, true + missed)}
    for column, name in enumerate(("precision", "recall", "f1")):
        low, high = (math.nan, math.nan) if bounds is None else bounds[:, column]
        low, high = _exact(*sizes[name], low, high) if name in sizes else (low, high)
        result[name] = [_rounded(number) for number in (values[column], low, high)]
    return result


def _measures(counts: Array) -> Array:
    """[..., (true, false, missed)] to [..., (precision, recall, F1)]; NaN where undefined."""
    true, false, missed = (counts[..., column] for column in range(3))
    pairs = [(true, true + false), (true, true + missed), (2 * true, 2 * true + false + missed)]
    return np.stack([ratio(np.stack(pair, axis=-1)) for pair in pairs], axis=-1)


def _exact(hits: int, total: int, low: float, high: float) -> tuple[float, float]:
    """Bounds of all or none, which no resample can vary: Clopper and Pearson (1934)."""
    if not total:
        return math.nan, math.nan
    if hits == total:
        return 0.025 ** (1 / total), 1.0
    return (0.0, 1 - 0.025 ** (1 / total)) if hits == 0 else (low, high)


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 3)


@cache
def answers(model: str) -> list[Output]:
    """The released answers of a model, in the order of the instructions."""
    return list(read_outputs(RELEASED / f"{model}.jsonl.gz"))


def confirm() -> dict[str, Any]:
    """Pitfalls of the released answers, and how much rarer they are under text-davinci-003."""
    by_model = {model: answers(model) for model in MODELS}
    metrics = [*PITFALL_METRICS, get("post_answer_words")]
    return {metric.name: _confirmed(metric, by_model) for metric in metrics}


def _confirmed(metric: Metric, by_model: dict[str, list[Output]]) -> dict[str, Any]:
    scores = {model: [metric.measure(o) for o in outputs] for model, outputs in by_model.items()}
    values = {
        model: [score.value for score in found if score.value is not None]
        for model, found in scores.items()
    }
    both = [
        (before.parts, after.parts)
        for before, after in zip(scores[MODELS[0]], scores[MODELS[-1]], strict=True)
        if before.value is not None and after.value is not None
    ]
    result = {
        "value": {model: _rounded(float(np.mean(v))) if v else None for model, v in values.items()},
        "applies_to": {model: len(found) for model, found in values.items()},
        "paired": len(both),
    }
    if not both:
        return result | {"difference": [None] * 3, "p": None, "doubt": ""}
    before, after = (np.array([pair[side] for pair in both])[:, None] for side in (0, 1))
    test = paired(before, after, metric.aggregate)
    return result | {
        "difference": [_rounded(number) for number in (test.estimate, test.low, test.high)],
        "p": _rounded(test.p),
        "doubt": test.warning,
    }


def sampled() -> dict[str, list[tuple[str, int]]]:
    """The findings to read: 30 of each rule, drawn from all three models, or all there are."""
    drawn = {}
    for pitfall in PITFALLS:
        found = [
            (model, place)
            for model in MODELS
            for place, output in enumerate(answers(model))
            if pitfall.find(output).found
        ]
        random.Random(pitfall.name).shuffle(found)
        drawn[pitfall.name] = found[:READ]
    return drawn


def quality_table(data: dict[str, dict[str, Any]]) -> str:
    """The rules' worth as Markdown."""
    lines = [
        "| rule | labelled | found | precision | recall | F1 |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_quality_row(p.title.lower(), data[p.name]) for p in PITFALLS)])


def _quality_row(title: str, row: dict[str, Any]) -> str:
    cells = [_interval(row[name]) for name in ("precision", "recall", "f1")]
    return " | ".join([f"| {title}", str(row["labelled"]), str(row["found"]), *cells]) + " |"


def off_topic_table(data: dict[str, Any]) -> str:
    """What the encoder adds to the rule of drift, as Markdown."""
    lines = ["| on | rule | labelled | found | precision | recall | F1 |", "|---" * 7 + "|"]
    for part, title in (("held_out", "the prompts held out"), ("all", "all prompts")):
        for name, row in (("drift", data[part]["drift"]), ("off topic", data["off_topic"][part])):
            lines.append(f"| {title} {_quality_row(name, row)}")
    return "\n".join(lines)


def _interval(numbers: Sequence[float | None]) -> str:
    value, low, high = numbers
    if value is None:
        return "–"
    return f"{value:.2f}" if low is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def rules_table() -> str:
    """The rules as Markdown."""
    lines = ["| rule | found when | applies to | known errors |", "|---|---|---|---|"]
    lines += [
        f"| {p.title.lower()} | {p.rule} | {p.applies} | {p.misleads or '–'} |" for p in PITFALLS
    ]
    return "\n".join(lines)


def confirm_table(data: dict[str, Any], read: dict[str, list[list[Any]]]) -> str:
    """The released answers as Markdown."""
    lines = [
        f"| rule | {' | '.join(MODELS)} | difference of the last and the first | read | right |",
        "|---|" + "---|" * (len(MODELS) + 3),
    ]
    for pitfall in PITFALLS:
        row = data[f"pitfall_{pitfall.name}"]
        shares = [_share(row["value"][model], row["applies_to"][model]) for model in MODELS]
        verdicts = read.get(pitfall.name, [])
        right = sum(bool(verdict[2]) for verdict in verdicts)
        cells = [*shares, _difference(row), str(len(verdicts)), str(right) if verdicts else "–"]
        lines.append(f"| {pitfall.title.lower()} | " + " | ".join(cells) + " |")
    row = data["post_answer_words"]
    shown = [f"{row['value'][m]:.0f} words of {row['applies_to'][m]}" for m in MODELS]
    cells = ["words after the answer", *shown, _words(row), "", ""]
    lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(value: float | None, applies_to: int) -> str:
    return "–" if value is None else f"{value:.1%} of {applies_to}"


def _difference(row: dict[str, Any]) -> str:
    value, low, high = row["difference"]
    if value is None:
        return "–"
    if row["doubt"]:
        return f"{value:+.1%} ? {row['doubt']}"
    return f"{value:+.1%} [{low:+.1%}, {high:+.1%}]"


def _words(row: dict[str, Any]) -> str:
    value, low, high = row["difference"]
    return f"{value:+.0f} [{low:+.0f}, {high:+.0f}]"


def measured() -> dict[str, Any]:
    """The quality on the half held out, on the other, and on all."""
    rows = labelled()
    kept = held_out([output for output, _ in rows])
    return {
        "held_out": quality([row for row in rows if row[0].prompt_id in kept]),
        "tuning": quality([row for row in rows if row[0].prompt_id not in kept]),
        "all": quality(rows),
        "prompts": {"held_out": len(kept), "all": len({row[0].prompt_id for row in rows})},
    }


def measured_off_topic(encoder: Encoder) -> dict[str, Any]:
    """The quality of the rule that reads an encoder, on the parts of `measured`."""
    rows = labelled()
    kept = held_out([output for output, _ in rows])
    return {
        "held_out": quality_off_topic([r for r in rows if r[0].prompt_id in kept], encoder),
        "tuning": quality_off_topic([r for r in rows if r[0].prompt_id not in kept], encoder),
        "all": quality_off_topic(rows, encoder),
    }


def write(data: dict[str, Any], page: Path = PAGE) -> None:
    """The tables of the page from the results."""
    replace(page, "rules", rules_table())
    for part in ("held_out", "all"):
        replace(page, part, quality_table(data[part]))
    replace(page, "off_topic", off_topic_table(data))
    read = json.loads(READINGS.read_text(encoding="utf-8"))
    replace(page, "confirmed", confirm_table(data["confirmed"], read))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Measure the pitfall rules.")
    parser.add_argument(
        "--render", action="store_true", help="write the page from the results only"
    )
    options = parser.parse_args()
    if options.render:
        write(json.loads(RESULTS.read_text(encoding="utf-8")))
        return
    if RELEASED.is_dir():
        confirmed = confirm()
    else:
        print(f"no released answers in {RELEASED}: what was counted in them before stays")
        confirmed = json.loads(RESULTS.read_text(encoding="utf-8"))["confirmed"]
    off = measured_off_topic(NamedModels().encoder)
    data = {**measured(), "off_topic": off, "confirmed": confirmed}
    RESULTS.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    write(data)


if __name__ == "__main__":
    main()
