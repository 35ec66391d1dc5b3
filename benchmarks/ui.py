"""The page on a large study: time of each answer of the server. `python -m benchmarks.ui`.

A study of many versions is made with texts drawn from a seed, stored as `ethogram run` stores them,
and asked as the page asks: the tree, entries, comparisons, filters, pages of rows, cells. The first
answer about a version measures its outputs unless they were measured before, so every view is timed
twice: as a server finds it that was just started, and once all versions were looked at.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from benchmarks import machine
from ethogram.report.claims import scores_for
from ethogram.spec import Generation
from ethogram.study import Study
from ethogram.ui.app import make_app
from ethogram.ui.context import Context

HOST, TOKEN = "127.0.0.1:8000", "token"
#: Words that texts are drawn from; function words are frequent, as in English.
WORDS = re.findall(
    r"\w+",
    "the a of to and in it was that he she they on with for at by from as not but or old new sea "
    "house letter keeper light night river stone wind door hand word story answer question city",
)
SAMPLES = 10


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table; write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=__doc__)
    parser.add_argument("--versions", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--characters", type=int, default=400, help="of an output, on average")
    parser.add_argument("--requests", type=int, default=60, help="of each kind")
    parser.add_argument("--folder", type=Path, help="keep the study here, or use the one there")
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ethogram-bench-ui-") as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "study.yaml").is_file():
            make_study(folder, options.versions, options.prompts, options.characters)
        cold = ask(folder, min(options.requests, 10), seed=1)
        with Study(folder) as study:
            names = list(study.versions)
            began = time.perf_counter()
            for name in names:
                scores_for(study, [name], [name])
            measured = time.perf_counter() - began
        warm = ask(folder, options.requests, seed=2, look=names)
    data = {
        "machine": machine.describe(),
        "versions": options.versions,
        "generations": options.versions * options.prompts * SAMPLES,
        "measuring_seconds": measured,
        "just_started": cold,
        "warm": warm,
    }
    for state in ("just_started", "warm"):
        print(f"{state}: milliseconds of server time, median / 95th percentile / worst")
        for name, row in data[state].items():
            print(f"  {name:24}{row['median']:8.0f}{row['p95']:8.0f}{row['worst']:8.0f}")
    if options.output:
        options.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def make_study(folder: Path, versions: int, prompts: int, characters: int) -> None:
    """A study in which every version has all its outputs, none of which a model made."""
    draw = random.Random(7)
    for name in ("versions", "suites"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(
        f"name: large\nsamples: {SAMPLES}\nsuite: suites/prompts.jsonl\n"
        "metrics: [loop_rate, rep_4, distinct_2, words, stop_rate]\n",
        encoding="utf-8",
    )
    rows = (
        {"id": f"prompt-{i}", "text": text(draw, 60), "tags": [f"tag-{i % 12}"]}
        for i in range(prompts)
    )
    (folder / "suites/prompts.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
    )
    for number in range(versions):
        parent = f"parent: v0.{(number - 1) // 2}.0\naim: {{words: higher}}\n" if number else ""
        (folder / f"versions/v0.{number}.0.yaml").write_text(
            f"title: Temperature {number}\n{parent}"
            f"decoding: {{strategy: sample, temperature: {0.5 + number / 400}}}\n",
            encoding="utf-8",
        )
    with Study(folder) as study:
        for name in study.versions:
            study.store.add(generations(study, name, draw, characters), model="none")


def generations(
    study: Study, version: str, draw: random.Random, characters: int
) -> Iterator[Generation]:
    """The outputs of a version, with texts that are drawn."""
    for request in study.requests(version):
        yield Generation(
            identity=request.identity,
            prompt_id=request.prompt_id,
            sample_index=request.sample_index,
            prompt_text=str(request.prompt),
            prompt_token_ids=(1, 2, 3),
            token_ids=tuple(range(characters // 5)),
            text=text(draw, int(draw.uniform(0.3, 1.7) * characters)),
            finish_reason="eos" if draw.random() < 0.8 else "length",
            logprobs=(),
            seconds=0.1,
        )


def text(draw: random.Random, characters: int) -> str:
    """Words up to a length; one text in eight ends in a loop."""
    words = draw.choices(WORDS, k=max(3, characters // 5))
    made = " ".join(words)[:characters]
    return made + " and so on" * 12 if draw.random() < 0.125 else made


def ask(
    folder: Path, requests: int, *, seed: int, look: Sequence[str] = ()
) -> dict[str, dict[str, float]]:
    """Times of the answers by kind of view."""
    draw, context = random.Random(seed), Context(folder)
    app = make_app(context, token=TOKEN, hosts=[HOST])
    client = TestClient(app, base_url=f"http://{HOST}")
    client.post("/api/session", json={"token": TOKEN})
    found: dict[str, list[float]] = {}

    def timed(kind: str, path: str, **query: Any) -> Any:
        began = time.perf_counter()
        answer = client.get(path, params=query)
        found.setdefault(kind, []).append(1000 * (time.perf_counter() - began))
        answer.raise_for_status()
        return answer.json()

    names = [each["name"] for each in timed("tree", "/api/log")["versions"]]
    for name in look:
        client.get(f"/api/log/{name}")
    for _ in range(requests):
        one, two = draw.sample(names, 2)
        timed("tree", "/api/log")
        timed("entry", f"/api/log/{one}")
        timed("comparison, first", "/api/compare", versions=[one, two], mode="different")
        for kind, query in FILTERS.items():
            timed(kind, "/api/compare", versions=[one, two], **query)
        timed("rows", "/api/compare/rows", versions=[one, two], offset=100, limit=50)
        timed("cell", "/api/compare/cell", version=one, prompt="prompt-3")
        timed("palette", "/api/search", q=str(draw.randrange(100)))
    context.close()
    return {kind: summary(times) for kind, times in found.items()}


FILTERS: dict[str, dict[str, Any]] = {
    "filter: worse": {"mode": "worse", "metric": "loop_rate"},
    "filter: failures": {"mode": "failures", "pitfall": "loop"},
    "filter: text": {"text": "river stone"},
    "filter: pattern": {"text": r"\briver\b.*\bkeeper\b", "pattern": True},
    "filter: tag": {"tags": "tag-3", "sort": "value"},
}


def summary(times: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and worst, in milliseconds."""
    ordered = sorted(times)
    return {
        "median": statistics.median(ordered),
        "p95": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        "worst": ordered[-1],
        "requests": len(ordered),
    }


if __name__ == "__main__":
    main()
