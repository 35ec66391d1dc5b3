"""Many writers on one store at once: is anything lost or doubled? `python -m benchmarks.writers`.

Each process adds batches for a while; half of the identities of a batch are its own, half are those
that all writers add. Afterwards the store has each identity once, with the text that belongs to it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.postgres import Server
from ethogram.spec import Generation
from ethogram.store import Store

WRITERS, SECONDS, BATCH = 8, 60.0, 32


@dataclass(frozen=True)
class Result:
    """What came of it; `lost`, `doubled` and `wrong` have to be 0.

    Attributes:
        database: SQLite or PostgreSQL.
        writers: processes.
        seconds: that they wrote.
        added: generations that all writers say were new.
        stored: generations in the store.
        lost: identities written and not stored.
        doubled: generations that two writers say were new.
        wrong: stored ones with another text than was written.
    """

    database: str
    writers: int
    seconds: float
    added: int
    stored: int
    lost: int
    doubled: int
    wrong: int


def made(name: str) -> Generation:
    """A generation whose text follows from its identity."""
    identity = hashlib.sha256(name.encode()).hexdigest()
    text = identity * 4
    return Generation(identity, "p", 0, "prompt", (1,), (2, 3), text, "eos", (-0.5, -1.0), 0.1)


def write(location: str, writer: int, seconds: float, results: Any) -> None:
    """Add batches until the time is over; puts the number of batches and of new generations."""
    end, batches, added = time.monotonic() + seconds, 0, 0
    with Store.open(location) as store:
        while time.monotonic() < end:
            added += store.add(batch(writer, batches), model="m")
            batches += 1
    results.put((writer, batches, added))


def batch(writer: int, number: int) -> list[Generation]:
    """The generations of one batch: those of this writer, and those that all writers add."""
    places = range(number * BATCH // 2, (number + 1) * BATCH // 2)
    return [made(f"{who} {place}") for place in places for who in (writer, "all")]


def contend(location: str, seconds: float, writers: int = WRITERS) -> Result:
    """Let writers add to one store at once, then read it."""
    with Store.open(location) as store:
        database = store.database.engine.dialect.name
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [
        context.Process(target=write, args=(location, writer, seconds, results))
        for writer in range(writers)
    ]
    for process in processes:
        process.start()
    reports = [results.get(timeout=seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    written = {
        each.identity: each.text
        for writer, batches, _ in reports
        for number in range(batches)
        for each in batch(writer, number)
    }
    with Store.open(location) as store:
        count = store.count()
        found = store.get(list(written))
    added = sum(new for _, _, new in reports)
    return Result(
        database=database,
        writers=writers,
        seconds=seconds,
        added=added,
        stored=count,
        lost=len(written) - len(found),
        doubled=added - count,
        wrong=sum(found[name].text != written[name] for name in found),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both databases and print the results as JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writers", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ethogram-writers-") as folder:
        print(json.dumps(asdict(contend(str(Path(folder, "store.sqlite")), options.seconds))))
    server = Server(safe=True)
    try:
        print(json.dumps(asdict(contend(server.new_database(), options.seconds))))
    finally:
        server.close()


if __name__ == "__main__":
    main()
