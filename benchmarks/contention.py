"""The engine and its peers on a machine that does other things too.

`python -m benchmarks.contention` measures short prompts beside busy processes, on one core, under a
quota and two runs at a time, each engine after the other within a condition, and writes
`results/contention.json` and the section of `docs/benchmarks.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import engine, registry, workload
from benchmarks.conditions import Condition, ConditionUnavailableError, chosen, set_up
from benchmarks.process import RunFailedError

#: By exact name. llama.cpp makes one output after another, so a few tell its rate.
PEERS = "ethogram,openvino,llama.cpp"
MOST_ROWS = 4
SIZES = (48, 192)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the conditions, write the JSON and, unless it was a trial, the page."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # So that the running peer ends too.
    if not options.render:
        measure(options)
    if options.output == engine.CONTENTION:
        engine.write_page(engine.RESULTS / "engine.json")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options; the defaults take about a quarter of an hour on two cores."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contention", description=__doc__)
    parser.add_argument("--conditions", type=chosen, default=chosen(None), metavar="NAMES")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--peers", default=PEERS, help="exact names")
    parser.add_argument("--new-tokens", type=int, default=32, help="for each row")
    parser.add_argument("--repeats", type=int, default=1, help="all are in the JSON, none is best")
    parser.add_argument("--threads", type=int, default=engine.cores(), help="default: all cores")
    parser.add_argument("--model", default=engine.MODEL, help="a built-in model, or a folder")
    parser.add_argument("--output", type=Path, default=engine.CONTENTION)
    parser.add_argument("--no-install", action="store_true", help="only peers that are there")
    parser.add_argument("--add", action="store_true", help="append turns to those of the JSON")
    parser.add_argument("--render", action="store_true", help="write the page from the JSON, stop")
    options = parser.parse_args(arguments)
    options.peers = [
        _short(peer) for peer in registry.PEERS if peer.name in options.peers.split(",")
    ]
    options.sizes = [int(size) for size in options.sizes.split(",")]
    options.install_only, options.ours = False, {}
    return options


def _short(peer: registry.Peer) -> registry.Peer:
    return dataclasses.replace(peer, most_rows=MOST_ROWS) if peer.most_rows else peer


def measure(options: argparse.Namespace) -> None:
    """Take turns: for each repeat and condition, every size of every engine."""
    data = engine.prepare(options)
    pythons = engine.find_peers(options, data)
    forms, encode = data.pop("forms"), data.pop("encode")
    del data["decode"], data["cases"]
    data["turns"], data["unavailable"] = _before(options), {}
    for turn in range(options.repeats):
        for condition in options.conditions:
            for size in options.sizes:
                case = workload.make_case(
                    size, "short", new_tokens=options.new_tokens, encode=encode
                )
                job = {"threads": condition.threads(options.threads), "model": forms, "case": case}
                for peer, python in pythons:
                    found = _measure_one(condition, peer, python, job, options)
                    print(
                        f"{turn + 1} {condition.name:6} {size:4} {peer.name:24} {found}", flush=True
                    )
                    if "skipped" in found:
                        data["unavailable"][condition.name] = found["skipped"]
                        continue
                    data["turns"].append(
                        {"condition": condition.name, "size": size, "peer": peer.name, **found}
                    )
                    engine.write(options.output, data)


def _before(options: argparse.Namespace) -> list[dict[str, Any]]:
    if not options.add or not options.output.exists():
        return []
    turns: list[dict[str, Any]] = json.loads(options.output.read_text(encoding="utf-8"))["turns"]
    return turns


def _measure_one(
    condition: Condition,
    peer: registry.Peer,
    python: Path,
    job: dict[str, Any],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Output tokens per second of all runs together, or why there is no figure.

    `others` is what programs that are no part of the measurement took meanwhile, in cores.
    """
    before = _processor_seconds()
    try:
        with set_up(condition) as enter, tempfile.TemporaryDirectory() as folder:
            whole = {**job, "together": {"folder": folder, "count": condition.runs}}
            with ThreadPoolExecutor(condition.runs) as threads:
                started = [
                    threads.submit(engine.run_peer, peer, python, whole, options, enter)
                    for _ in range(condition.runs)
                ]
                runs = [each.result() for each in started]
    except ConditionUnavailableError as error:
        return {"skipped": str(error)}
    except RunFailedError as error:
        return {"failed": str(error)}
    taken, own, lasted = (
        now - then for now, then in zip(_processor_seconds(), before, strict=True)
    )
    tokens = sum(run["delivered_tokens"] for run in runs)
    return {
        "tokens_per_second": round(tokens / max(run["seconds"] for run in runs), 1),
        "cpu_seconds": round(sum(run["cpu_seconds"] for run in runs), 2),
        "seconds": [round(run["seconds"], 2) for run in runs],
        "others": round(max(0.0, taken - own) / lasted, 2),
    }


def _processor_seconds() -> tuple[float, float, float]:
    """Seconds that all programs computed, that this one and its ended children did, and now.

    Without Linux's `/proc/stat` the first two are equal: other programs are not seen.
    """
    times = os.times()
    own = sum(times[:4])
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    except OSError:
        return own, own, times.elapsed
    user, nice, system, _, _, irq, softirq = map(int, fields)
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / ticks, own, times.elapsed


if __name__ == "__main__":
    main()
