"""A large study in one store: how long do commands take? `python -m benchmarks.scale`.

The outputs are synthetic and go straight into the store; nothing is generated. Then `run` with
nothing to do, `compare` and `log` run in processes of their own, whose time and peak memory are
measured. The first `log` scores and tests; the second finds its scores kept.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.postgres import Server
from benchmarks.process import ROOT
from benchmarks.store import make_checkpoint
from ethogram.spec import Generation, Request
from ethogram.study import Study

VERSIONS, PROMPTS, SAMPLES = 200, 1000, 5
WORDS = [
    "the",
    "old",
    "keeper",
    "wrote",
    "a",
    "letter",
    "to",
    "the",
    "sea",
    "and",
    "it",
    "wrote",
    "back",
    "by",
    "night",
]
#: Generations stored in one transaction.
BATCH = 5_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the study, measure the commands on each database, print JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--versions", type=int, default=VERSIONS)
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--only-make", type=Path, help="make the study in this folder and stop")
    options = parser.parse_args(arguments)
    shape = (options.versions, options.prompts, options.samples)
    if options.only_make:
        make_study(options.only_make, *shape)
        fill(options.only_make)
        return
    results = {}
    for database in options.database or ("sqlite", "postgresql"):
        server = Server(safe=True) if database == "postgresql" else None
        try:
            with tempfile.TemporaryDirectory(prefix="ethogram-scale-") as folder:
                if server:
                    os.environ["ETHOGRAM_STORE"] = server.new_database()
                make_study(Path(folder), *shape)
                results[database] = measured(Path(folder), options.versions)
        finally:
            os.environ.pop("ETHOGRAM_STORE", None)
            if server:
                server.close()
    data = {"machine": machine.describe(), "commit": machine.commit(ROOT), "shape": shape}
    print(json.dumps({**data, "results": results}, indent=1))


def make_study(folder: Path, versions: int, prompts: int, samples: int) -> None:
    """A study of neighbouring settings, each the child of the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    make_checkpoint(folder / "model")
    for name in ("versions", "suites"):
        (folder / name).mkdir()
    (folder / "study.yaml").write_text(f"name: scale\nsamples: {samples}\n")
    (folder / "suites" / "prompts.jsonl").write_text(
        "".join(f'{{"id": "p{n}", "text": "number {n} said"}}\n' for n in range(prompts))
    )
    for number in range(versions):
        parent = f"parent: v0.{number - 1}.0\n" if number else "model: model\n"
        (folder / "versions" / f"v0.{number}.0.yaml").write_text(
            f"title: temperature {0.5 + number / 1000:.3f}\n{parent}decoding: "
            f"{{strategy: sample, temperature: {0.5 + number / 1000:.3f}, max_new_tokens: 24}}\n"
        )


def fill(folder: Path) -> tuple[int, float]:
    """Store an output for every request; returns their number and the seconds."""
    begun, count = time.perf_counter(), 0
    with Study(folder) as study:
        for name in study.versions:
            requests = study.requests(name)
            for start in range(0, len(requests), BATCH):
                made = list(outputs(requests[start : start + BATCH]))
                count += study.store.add(made, model=study.model_identity(name))
    return count, time.perf_counter() - begun


def outputs(requests: Sequence[Request]) -> Iterator[Generation]:
    """An output of random words for each request, the same every time."""
    for each in requests:
        draw = random.Random(each.identity)
        words = draw.choices(WORDS, k=draw.randint(8, 20))
        count = len(words)
        yield Generation(
            identity=each.identity,
            prompt_id=each.prompt_id,
            sample_index=each.sample_index,
            prompt_text=str(each.prompt),
            prompt_token_ids=(1, 2, 3),
            token_ids=tuple(draw.choices(range(2, 258), k=count)),
            text=" ".join(words) + ".",
            finish_reason="eos" if draw.random() < 0.8 else "length",
            logprobs=tuple(-draw.random() for _ in range(count)),
            seconds=0.01,
        )


def measured(folder: Path, versions: int) -> dict[str, Any]:
    """Seconds and peak memory of each command."""
    count, seconds = fill(folder)
    last = (f"v0.{versions - 2}.0", f"v0.{versions - 1}.0")
    commands = {
        "first log": ("log",),
        "run, nothing to do": ("run", "--json"),
        "compare": ("compare", *last),
        "log": ("log",),
    }
    found: dict[str, Any] = {"generations": count, "fill_seconds": seconds}
    for name, words in commands.items():
        found[name] = command(folder, words)
    return found


def command(folder: Path, words: Sequence[str]) -> dict[str, float]:
    """Run a command of its own process; its wall time and peak resident memory."""
    begun = time.perf_counter()
    code = (
        "import resource, sys\nfrom ethogram.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    peak = int(done.stderr.strip().splitlines()[-1]) * 1024
    return {"seconds": time.perf_counter() - begun, "peak_bytes": peak}


if __name__ == "__main__":
    main()
