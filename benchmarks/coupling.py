"""Coupling: the variance that shared noise saves on the built-in model, near and far decodings.

    python -m benchmarks.coupling

generates continuations and short answers under a base decoding and four others on the same noise,
and measures, per metric, the variance of coupled differences over that of independent ones (equal
sample indices against unequal ones of the same prompt). Leaves benchmarks/results/coupling.json and
prints a Markdown table. Takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.page import STATISTICS, replace
from ethogram.metrics import Output, get
from ethogram.metrics.base import ratio
from ethogram.spec import Decoding, Generation, Request
from ethogram.spec.generation import Message
from ethogram.spec.identity import noise_key
from ethogram.stats import paired

RESULTS = Path(__file__).parent / "results" / "coupling.json"
MODEL = "smollm2-135m-instruct"
SAMPLES = 4
SEED = 7
LENGTHS = (32, 100)
ANSWER_TOKENS = 24
BASE: dict[str, Any] = {"temperature": 0.8, "top_p": 0.95}
#: The nearest and the furthest first, so that a run cut short has both.
OTHERS: dict[str, dict[str, Any]] = {
    "temperature 0.75": {"temperature": 0.75, "top_p": 0.95},
    "temperature 0.5, top-p 0.7, repetition penalty 1.3": {
        "temperature": 0.5,
        "top_p": 0.7,
        "repetition_penalty": 1.3,
    },
    "top-p 0.9": {"temperature": 0.8, "top_p": 0.9},
    "temperature 1.2": {"temperature": 1.2, "top_p": 0.95},
}
METRICS = ("words", "distinct_2", "rep_4", "self_perplexity")
OPENINGS = (
    "The tide had gone out further than anyone remembered, and",
    "On the last day of the harvest, the miller",
    "Nobody had opened the door at the end of the corridor since",
    "The recipe calls for three onions, but",
    "When the train stopped between two stations,",
    "The oldest tree in the village",
    "My grandmother kept her letters in",
    "Scientists who study volcanoes",
    "The city council voted last night to",
    "In the first minute of the match,",
    "A good teacher knows that",
    "The river changes its course every",
    "Before the invention of the telephone,",
    "The cat looked at the new sofa and",
    "There are two ways to cross the desert:",
    "The museum's smallest room holds",
    "After the storm, the fishermen",
    "Learning to play the violin",
    "The price of coffee rose again because",
    "At the edge of the map, the captain wrote",
    "The doctor closed the file and",
    "Bees communicate with one another by",
    "The bridge was built in 1911 to",
    "Every winter the lake freezes, and",
)
#: Question and words of which one has to stand in the answer.
QUESTIONS = (
    ("What is the capital of France?", ("paris",)),
    ("What is the capital of Japan?", ("tokyo",)),
    ("What is the capital of Italy?", ("rome",)),
    ("What is the capital of Egypt?", ("cairo",)),
    ("What is the capital of Canada?", ("ottawa",)),
    ("Which planet is known as the red planet?", ("mars",)),
    ("Which planet is the largest of the solar system?", ("jupiter",)),
    ("Which gas do plants take up from the air?", ("carbon dioxide", "co2")),
    ("What is the chemical symbol of gold?", ("au",)),
    ("What is the chemical formula of water?", ("h2o", "h₂o")),
    ("How many legs does a spider have?", ("eight", "8")),
    ("How many days are in a leap year?", ("366",)),
    ("How many continents are there?", ("seven", "7")),
    ("How many minutes are in an hour?", ("60", "sixty")),
    ("What is seven times eight?", ("56", "fifty-six")),
    ("What is the square root of 81?", ("9", "nine")),
    ("What is 15 plus 27?", ("42", "forty-two")),
    ("Who wrote Romeo and Juliet?", ("shakespeare",)),
    ("Who painted the Mona Lisa?", ("leonardo", "vinci")),
    ("Who proposed the theory of relativity?", ("einstein",)),
    ("Which ocean is the largest?", ("pacific",)),
    ("Which animal is the largest on earth?", ("blue whale",)),
    ("Which language is spoken in Brazil?", ("portuguese",)),
    ("Which metal is liquid at room temperature?", ("mercury",)),
    ("At how many degrees Celsius does water boil?", ("100",)),
    ("What colour do you get from mixing blue and yellow?", ("green",)),
    ("What is the opposite of north?", ("south",)),
    ("In which country are the pyramids of Giza?", ("egypt",)),
    ("Which season comes after winter?", ("spring",)),
    ("What is frozen water called?", ("ice",)),
)
Scores = np.ndarray[Any, np.dtype[np.float64]]
Made = dict[tuple[str, int], Generation]


def generate(engine: Any, prompts: Sequence[Any], settings: dict[str, Any], tokens: int) -> Made:
    """Outputs of one decoding by prompt and sample index, on the noise of the prompt."""
    decoding = Decoding(max_new_tokens=tokens, **settings)
    requests = [
        Request(
            identity=f"{name}/{sample}",
            prompt_id=name,
            sample_index=sample,
            prompt=prompt,
            decoding=decoding,
            noise_key=noise_key(SEED, "", name, sample),
        )
        for name, prompt in ((f"p{row}", prompt) for row, prompt in enumerate(prompts))
        for sample in range(SAMPLES)
    ]
    return {(made.prompt_id, made.sample_index): made for made in engine.generate(requests)}


def grid(made: Made, score: Callable[[Generation], Sequence[float]], prompts: int) -> Scores:
    """Parts of every output: [prompts, samples, k]."""
    return np.array(
        [[score(made[f"p{row}", sample]) for sample in range(SAMPLES)] for row in range(prompts)],
        dtype=float,
    )


def cut_to(tokens: int, decode: Callable[[Sequence[int]], str], name: str) -> Any:
    """Scores the first `tokens` tokens of an output: what a shorter limit would have given."""
    metric = get(name)

    def score(made: Generation) -> Sequence[float]:
        ids = made.token_ids[:tokens]
        output = Output(
            text=decode(ids), token_ids=tuple(ids), logprobs=tuple(made.logprobs[:tokens])
        )
        return metric.measure(output).parts

    return score


def correct(answers: Mapping[str, Sequence[str]]) -> Callable[[Generation], Sequence[float]]:
    """Whether an output holds one of its question's answers."""

    def score(made: Generation) -> Sequence[float]:
        words = " " + "".join(c if c.isalnum() else " " for c in made.text.lower()) + " "
        accepted = ("".join(c if c.isalnum() else " " for c in a) for a in answers[made.prompt_id])
        return float(any(f" {answer} " in words for answer in accepted)), 1.0

    return score


def row(task: str, other: str, metric: str, before: Scores, after: Scores, value: Any) -> Any:
    """The ratio of one metric between the base and another decoding."""
    test = paired(before, after, value, coupled=True)
    found = test.coupling
    return {
        "task": task,
        "other": other,
        "metric": metric,
        "ratio": _rounded(found.ratio),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
        "noise": _rounded(found.noise),
        "before": round(test.before, 4),
        "after": round(test.after, 4),
        "unknown": found.unknown,
    }


def _rounded(value: float) -> float | None:
    """None for what too few outputs leave unknown: JSON has no other word for it."""
    return round(value, 3) if math.isfinite(value) else None


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as Markdown, a metric a column."""
    metrics = list(dict.fromkeys(each["metric"] for each in rows))
    lines = [
        "| task | base against | " + " | ".join(metrics) + " |",
        "|" + "---|" * (2 + len(metrics)),
    ]
    for task, other in dict.fromkeys((each["task"], each["other"]) for each in rows):
        cells = []
        for metric in metrics:
            found = [
                each
                for each in rows
                if (each["task"], each["other"], each["metric"]) == (task, other, metric)
            ]
            cells.append(_cell(found[0]) if found else "")
        lines.append(f"| {task} | {other} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(found: dict[str, Any]) -> str:
    if found["ratio"] is None or found["high"] is None:
        return "–"
    return f"{found['ratio']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def measure() -> Iterator[list[dict[str, Any]]]:
    """Generate and compare: the rows of each decoding against the base, as they come."""
    from ethogram.engine import Engine
    from ethogram.models import load

    model = load(MODEL)
    engine = Engine(model)
    questions = [
        (Message(role="user", content=f"{question} Answer in one short sentence."),)
        for question, _ in QUESTIONS
    ]
    answers = {f"p{place}": accepted for place, (_, accepted) in enumerate(QUESTIONS)}

    def decode(ids: Sequence[int]) -> str:
        return str(model.tokenizer.decode(ids, skip_special_tokens=True))

    def outputs(settings: dict[str, Any]) -> tuple[Made, Made]:
        return (
            generate(engine, OPENINGS, settings, max(LENGTHS)),
            generate(engine, questions, settings, ANSWER_TOKENS),
        )

    base = outputs(BASE)
    for other, settings in OTHERS.items():
        both = (base, outputs(settings))
        rows = []
        for tokens in LENGTHS:
            for name in METRICS:
                score = cut_to(tokens, decode, name)
                before, after = (grid(values, score, len(OPENINGS)) for values, _ in both)
                task = f"continuation, {tokens} tokens"
                rows.append(row(task, other, name, before, after, get(name).aggregate))
        before, after = (grid(made, correct(answers), len(QUESTIONS)) for _, made in both)
        rows.append(row("short answer", other, "right", before, after, ratio))
        yield rows


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Measure the variance that coupling saves.")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the results")
    parser.add_argument(
        "--render", action="store_true", help="write the page's table from the results only"
    )
    options = parser.parse_args()
    if not options.render:
        started = time.perf_counter()
        rows: list[dict[str, Any]] = []
        for found in measure():
            rows += found
            print(table(found), flush=True)
            data = {
                "model": MODEL,
                "samples": SAMPLES,
                "prompts": {"continuation": len(OPENINGS), "short answer": len(QUESTIONS)},
                "seconds": round(time.perf_counter() - started),
                "rows": sorted(rows, key=lambda each: each["task"]),
            }
            options.out.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(data, indent=1, allow_nan=False) + "\n"
            options.out.write_text(text, encoding="utf-8")
    shown = table(json.loads(options.out.read_text(encoding="utf-8"))["rows"])
    if options.out == RESULTS:
        replace(STATISTICS, "coupling", shown)
    else:
        print(shown)


if __name__ == "__main__":
    main()
