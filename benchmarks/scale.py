"""A study of 10^6 generations: how long do commands take? `python -m benchmarks.scale`.

The outputs are synthetic and go into the store as a run stores them, with scores that the metrics
gave to their texts (`large_study.py`). Then commands run in processes of their own, of which the
seconds, those of the processor and the peak memory are measured: the first `log`, which tests every
version against its parent; `run` with nothing to do; `compare` of a parent and its child; `log`.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import large_study, machine, page
from benchmarks.postgres import Server
from benchmarks.process import ROOT
from ethogram.store.copying import copy_store
from ethogram.study import Study
from ethogram.study.measure import metric_names

OUTPUT = ROOT / "benchmarks" / "results" / "scale.json"
#: Command to what it may take: seconds. All may take `MEMORY`.
COMMANDS: dict[str, tuple[Sequence[str], float | None]] = {
    "first log": (("log",), None),
    "run, nothing to do": (("run", "--json"), 5.0),
    "compare": (("compare", "v0.1.0", "v0.3.0"), 5.0),
    "log": (("log",), 20.0),
}
MEMORY = 1.5e9
_MEASURED = """
import json, re, sys, time
begun = time.perf_counter()
from ethogram.cli import main
try:
    main()
finally:
    # Not `ru_maxrss`, which begins with the memory of the process that started this one.
    status = open("/proc/self/status").read()
    peak = 1024 * int(re.search("VmHWM:\\s+(\\d+)", status)[1])
    took = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time()}
    print(json.dumps({**took, "peak_bytes": peak}), file=sys.stderr)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the study, measure the commands on each database, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--versions", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--folder", type=Path, help="keep the study here, or use the one there")
    parser.add_argument("--logged", action="store_true", help="its first log is written already")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="JSON; others' rows stay")
    options = parser.parse_args(arguments)
    shape = large_study.Shape(options.versions, options.prompts, options.samples)
    with tempfile.TemporaryDirectory(prefix="ethogram-scale-") as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "study.yaml").is_file():
            large_study.make_study(folder, shape)
            large_study.fill(folder, shape.characters)
            large_study.keep_scores(folder, shape.characters)
        for database in options.database or ("sqlite", "postgresql"):
            with _stored_in(folder, database):
                _add_row(options.output, measured(folder, database, shape, logged=options.logged))


@contextlib.contextmanager
def _stored_in(folder: Path, database: str) -> Iterator[None]:
    """The study's store in a database: its own file, or a copy of it on a server of ours."""
    if database == "sqlite":
        yield
        return
    server = Server(safe=True, options=("shared_buffers=1GB",))
    try:
        url = server.new_database()
        copy_store(folder / ".ethogram" / "store.sqlite", url)
        os.environ["ETHOGRAM_STORE"] = url
        yield
    finally:
        os.environ.pop("ETHOGRAM_STORE", None)
        server.close()


def measured(
    folder: Path, database: str, shape: large_study.Shape, *, logged: bool = False
) -> dict[str, Any]:
    """What each command took."""
    with Study(folder) as study:
        metrics = metric_names(study)
    described = machine.describe()
    commands = {}
    for name, (words, most) in list(COMMANDS.items())[logged:]:
        found = command(folder, words)
        if most is not None:
            found |= {"at_most_seconds": most, "holds": found["seconds"] <= most}
        commands[name] = found
        print(database, name, json.dumps(found), flush=True)
    return {
        "database": database,
        "generations": shape.generations,
        "shape": vars(shape),
        "metrics": metrics,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(ROOT),
        "machine": described,
        "memory_holds": all(each["peak_bytes"] <= MEMORY for each in commands.values()),
        "commands": commands,
    }


def command(folder: Path, words: Sequence[str]) -> dict[str, Any]:
    """Run a command in a process of its own; its seconds, load, and peak resident memory."""
    load, begun = os.getloadavg()[0], time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stderr.strip().splitlines()[-1])
    return {**told, "seconds": time.perf_counter() - begun, "load_before": load}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The table of `docs/scale.md`."""
    lines = [
        "| database | outputs | versions × prompts × samples | command | wall | processor | memory "
        "| load |",
        "|---|---:|---|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        shape = row["shape"]
        size = f"{shape['versions']} × {shape['prompts']} × {shape['samples']}"
        outputs = f"{row['generations']:,}".replace(",", " ")
        lines += [
            f"| {row['database']} | {outputs} | {size} | {name} | {found['seconds']:.1f} s "
            f"| {found['cpu_seconds']:.1f} s | {found['peak_bytes'] / 1e6:.0f} MB "
            f"| {found['load_before']:.1f} |"
            for name, found in row["commands"].items()
        ]
    return "\n".join(lines)


def _add_row(path: Path, row: dict[str, Any]) -> None:
    """Write a measurement; one of the same database and size is replaced."""
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    key = ("database", "shape")
    kept = [each for each in rows if [each[name] for name in key] != [row[name] for name in key]]
    path.write_text(json.dumps({"rows": [*kept, row]}, indent=1) + "\n", encoding="utf-8")
    if path == OUTPUT:
        page.replace(page.SCALE, "scale", table([*kept, row]))


if __name__ == "__main__":
    main()
