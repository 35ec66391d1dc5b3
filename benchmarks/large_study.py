"""A large study whose outputs no model made: for what happens around the outputs.

Each prompt has a pool of texts drawn from a seed, and an output of a version is one of them, chosen
by its identity; later versions of a line choose from further down the pool, where fewer texts loop.
So the metrics need to score a pool only, whatever the number of outputs, and the scores are kept as
those of a run are.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.store import make_checkpoint
from ethogram.metrics import Metric, Output, Score, get
from ethogram.metrics.pitfalls.registry import PITFALL_METRICS
from ethogram.spec import Generation, Request
from ethogram.study import Study
from ethogram.study.aims import aim_metrics
from ethogram.study.kept_scores import KeptScores, Values
from ethogram.study.measure import Measured, metric_names
from ethogram.study.stale import remember_whole, results_of

#: Words that texts are drawn from; function words are frequent, as in English.
WORDS = re.findall(
    r"\w+",
    "the a of to and in it was that he she they on with for at by from as not but or old new sea "
    "house letter keeper light night river stone wind door hand word story answer question city",
)
#: Metrics of the study's table; a log and the page add the pitfalls.
METRICS = ("loop_rate", "rep_4", "distinct_2", "words", "stop_rate")
#: Texts of a prompt, of which one version chooses from three quarters.
POOL = 40
#: Generations stored in one transaction.
BATCH = 5_000


@dataclass(frozen=True)
class Shape:
    """How large a study is.

    Attributes:
        versions: in a tree, each with two children.
        prompts: of its suite.
        samples: of each prompt and version.
        characters: of an output, on average.
    """

    versions: int = 200
    prompts: int = 500
    samples: int = 10
    characters: int = 400

    @property
    def generations(self) -> int:
        """Outputs in all."""
        return self.versions * self.prompts * self.samples


def make_study(folder: Path, shape: Shape) -> None:
    """The files of the study, and a tiny random model."""
    for name in ("versions", "suites"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    make_checkpoint(folder / "model")
    (folder / "study.yaml").write_text(
        f"name: large\nsamples: {shape.samples}\nmetrics: [{', '.join(METRICS)}]\n",
        encoding="utf-8",
    )
    rows = (
        {
            "id": f"prompt-{number}",
            "text": text(random.Random(f"prompt {number}"), 60),
            "tags": [f"tag-{number % 12}"],
        }
        for number in range(shape.prompts)
    )
    (folder / "suites/prompts.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
    )
    root = "model: model\n"
    for number in range(shape.versions):
        parent = f"parent: v0.{(number - 1) // 2}.0\naim: {{words: higher}}\n"
        (folder / f"versions/v0.{number}.0.yaml").write_text(
            f"title: Temperature {number}\n{parent if number else root}"
            f"decoding: {{strategy: sample, temperature: {0.5 + number / 400}}}\n",
            encoding="utf-8",
        )


def fill(folder: Path, characters: int, texts: int = POOL) -> int:
    """Store an output for every request of the study; returns how many.

    Args:
        folder: of the study.
        characters: of an output, on average.
        texts: of each prompt; a multiple of four.
    """
    count = 0
    with Study(folder) as study:
        pools: dict[str, list[Generation]] = {}
        for number, name in enumerate(study.versions):
            requests, model = study.requests(name), study.model_identity(name)
            for start in range(0, len(requests), BATCH):
                part = requests[start : start + BATCH]
                made = list(_outputs(part, number, pools, (characters, texts)))
                count += study.store.add(made, model=model)
            remember_whole(study, name)
    return count


def keep_scores(folder: Path, characters: int, texts: int = POOL) -> None:
    """Score every pool, and keep the scores of every version as a run does; see `fill`."""
    with Study(folder) as study:
        suite = study.suite(next(iter(study.versions)))
        items = {item.id: item for item in suite.prompts}
        metrics = [get(name) for name in _needed(study)]
        scored: dict[str, list[tuple[Score, ...]]] = {}
        for number, name in enumerate(study.versions):
            rows, outputs = [], []
            for request in study.requests(name):
                if request.prompt_id not in scored:
                    item = items[request.prompt_id]
                    scored[request.prompt_id] = [
                        _scores(each, item.as_text(), item.tags, metrics)
                        for each in _pool(request, characters, texts)
                    ]
                outputs.append(Output("", prompt_id=request.prompt_id))
                rows.append(scored[request.prompt_id][_place(request.identity, number, texts)])
            columns = {
                metric: (Values.of(metric, scores, Measured(metric, outputs, scores).value), scores)
                for metric, scores in zip(metrics, zip(*rows, strict=True), strict=True)
            }
            KeptScores(study, name, results_of(study, name)).add(columns)


def _needed(study: Study) -> list[str]:
    """The metrics that a log needs."""
    named = [name for version in study.versions for name in aim_metrics(study, version)]
    pitfalls = [metric.name for metric in PITFALL_METRICS]
    return list(
        dict.fromkeys([*metric_names(study), *pitfalls, *named, "loop_rate", "answer_first"])
    )


def _scores(
    made: Generation, prompt: str, tags: tuple[str, ...], metrics: Sequence[Metric]
) -> tuple[Score, ...]:
    output = Output(
        text=made.text,
        prompt=prompt,
        token_ids=made.token_ids,
        logprobs=made.logprobs,
        finish_reason=made.finish_reason,
        tags=tags,
        prompt_id=made.prompt_id,
    )
    return tuple(metric.measure(output) for metric in metrics)


def _outputs(
    requests: Sequence[Request],
    number: int,
    pools: dict[str, list[Generation]],
    size: tuple[int, int],
) -> Iterator[Generation]:
    characters, texts = size
    for request in requests:
        if request.prompt_id not in pools:
            pools[request.prompt_id] = _pool(request, characters, texts)
        made = pools[request.prompt_id][_place(request.identity, number, texts)]
        yield replace(made, identity=request.identity, sample_index=request.sample_index)


def _place(identity: str, number: int, texts: int) -> int:
    """Which text of its pool an output is."""
    window = 3 * texts // 4
    return int(identity[:8], 16) % window + number % (texts - window + 1)


def _pool(request: Request, characters: int, texts: int) -> list[Generation]:
    """The texts of a prompt, those that loop among the first."""
    draw = random.Random(f"outputs of {request.prompt_id}")
    pool = []
    for place in range(texts):
        length = max(15, int(draw.uniform(0.3, 1.7) * characters))
        made = text(draw, length)
        if draw.random() < 0.4 * (1 - place / texts) ** 2:
            made += " and so on" * 12
        count = len(made) // 5
        pool.append(
            Generation(
                identity="",
                prompt_id=request.prompt_id,
                sample_index=0,
                prompt_text=str(request.prompt),
                prompt_token_ids=tuple(range(2, 14)),
                token_ids=tuple(draw.choices(range(2, 258), k=count)),
                text=made,
                finish_reason="eos" if draw.random() < 0.8 else "length",
                # As they are stored: 32 bits.
                logprobs=tuple(-draw.randrange(1, 4096) / 1024 for _ in range(count)),
                seconds=0.1,
                processor="synthetic",
            )
        )
    return pool


def text(draw: random.Random, characters: int) -> str:
    """Words up to a length."""
    return " ".join(draw.choices(WORDS, k=max(3, characters // 4)))[:characters]
