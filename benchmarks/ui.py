"""The page on a large study: time of each answer of the server. `python -m benchmarks.ui`.

A study of many versions is made with texts drawn from a seed, stored as `ethogram run` stores them,
and asked as the page asks: the tree, entries, comparisons, filters, pages of rows, cells. The first
answer about a version measures its outputs unless they were measured before, so every view is timed
twice: as a server finds it that was just started, and once all versions were looked at.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from benchmarks import machine
from benchmarks.large_study import Shape, fill, keep_scores, make_study
from benchmarks.process import ROOT
from ethogram.report.claims import scores_for
from ethogram.study import Study
from ethogram.ui.app import make_app
from ethogram.ui.context import Context

OUTPUT = ROOT / "benchmarks" / "results" / "page.json"
SAMPLES = 10
HOST, TOKEN = "127.0.0.1:8000", "token"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table; write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=__doc__)
    parser.add_argument("--versions", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--characters", type=int, default=400, help="of an output, on average")
    parser.add_argument("--requests", type=int, default=60, help="of each kind")
    parser.add_argument("--folder", type=Path, help="keep the study here, or use the one there")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="JSON file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ethogram-bench-ui-") as temporary:
        folder = options.folder or Path(temporary)
        shape = Shape(options.versions, options.prompts, SAMPLES, options.characters)
        if not (folder / "study.yaml").is_file():
            make_study(folder, shape)
            fill(folder, shape.characters)
            keep_scores(folder, shape.characters)
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
        "generations": shape.generations,
        "commit": machine.commit(ROOT),
        "measuring_seconds": measured,
        "just_started": cold,
        "warm": warm,
    }
    for state in ("just_started", "warm"):
        print(f"{state}: milliseconds of server time, median / 95th percentile / worst")
        for name, row in data[state].items():
            print(f"  {name:26}{row['median']:8.0f}{row['p95']:8.0f}{row['worst']:8.0f}")
    options.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def ask(
    folder: Path, requests: int, *, seed: int, look: Sequence[str] = ()
) -> dict[str, dict[str, float]]:
    """Times of the answers by kind of view."""
    draw, context = random.Random(seed), Context(folder)
    app = make_app(context, token=TOKEN, hosts=[HOST])
    client = TestClient(app, base_url=f"http://{HOST}")
    client.post("/api/session", json={"token": TOKEN})
    context.owns_process = True
    gc.collect()
    context.freeze()  # As the server does when it starts.
    found: dict[str, list[float]] = {}

    def timed(kind: str, path: str, *, body: Any = None, **query: Any) -> Any:
        began = time.perf_counter()
        answer = client.post(path, json=body) if body else client.get(path, params=query)
        found.setdefault(kind, []).append(1000 * (time.perf_counter() - began))
        answer.raise_for_status()
        return answer.json()

    names = [each["name"] for each in timed("tree", "/api/log")["versions"]]
    for name in look:
        client.get(f"/api/log/{name}")
    for _ in range(min(requests, 5) if look else 0):  # The entries have made the tests of all.
        began = time.perf_counter()
        while not timed("findings, an answer", "/api/findings")["ready"]:
            time.sleep(0.25)  # As often as the server reports how far it is.
        found.setdefault("findings, until made", []).append(1000 * (time.perf_counter() - began))
    for _ in range(requests):
        one, two = draw.sample(names, 2)
        timed("tree", "/api/log")
        timed("entry", f"/api/log/{one}")
        timed("comparison, first", "/api/compare", versions=[one, two], mode="different")
        for kind, query in FILTERS.items():
            timed(kind, "/api/compare", versions=[one, two], **query)
        timed("verdicts, beside the rows", "/api/compare/verdicts", versions=[one, two])
        timed("rows", "/api/compare/rows", versions=[one, two], offset=96)
        timed("chart", "/api/compare/chart", versions=[one, two])
        timed("cell", "/api/compare/cell", version=one, prompt="prompt-3")
        timed("comparison of four, first", "/api/compare", versions=draw.sample(names, 4))
        timed("arena, first", "/api/arena/ranking", versions=[one, two])
        timed("arena, next pair", "/api/arena/next", body={"versions": [one, two], "voter": "ann"})
        for view in ("microscope", "play", "sweeps", "trainings", "jobs"):
            timed(view, f"/api/{view}")
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
