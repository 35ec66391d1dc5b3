"""What `ethogram plan` predicts, beside what was measured: 10^3 to 10^6 outputs.

    python -m benchmarks.plan

Runs: a tenth of the samples of a tiny random model are generated, the plan predicts the rest, and
the rest is generated. Stores: synthetic outputs are written as a run writes them, and the size of
the file stands beside the plan's arithmetic. The model is random, so its speed says nothing; how
well a tenth predicts the rest does.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import commit, describe
from benchmarks.store import make_study
from ethogram.spec.generation import Generation
from ethogram.store import Store
from ethogram.study import Study, plan, run
from ethogram.study.plan import CHARACTER_BYTES, PROMPT_TOKEN_BYTES, ROW_BYTES, TOKEN_BYTES
from ethogram.study.record import COMMIT_ROWS

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "plan.json"
SAMPLES = 20
#: Of a synthetic output: what a small model writes for a short prompt.
TOKENS, CHARACTERS, PROMPT_TOKENS, PROMPT_CHARACTERS = 64, 270, 12, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=float, nargs="*", default=[1e3, 1e4, 1e5])
    parser.add_argument("--stores", type=float, nargs="*", default=[1e3, 1e4, 1e5, 1e6])
    parser.add_argument("--new-tokens", type=int, default=8)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    record: dict[str, Any] = {"machine": describe(), "commit": commit(ROOT)}
    record["runs"] = [planned(int(count), options.new_tokens) for count in options.runs]
    record["stores"] = [written(int(count)) for count in options.stores]
    options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def planned(count: int, new_tokens: int) -> dict[str, Any]:
    """Predicted and measured tokens, seconds and bytes of a run of so many outputs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_study(folder, count // SAMPLES, new_tokens)
        settings = folder / "study.yaml"
        text = settings.read_text()
        settings.write_text(text.replace(f"samples: {SAMPLES}", f"samples: {SAMPLES // 10}"))
        with Study(folder) as study:
            first = next(iter(study.versions))
            run(study, first)
            predicted = plan(study, first, samples=SAMPLES)
        before = size(folder)
        settings.write_text(text)
        with Study(folder) as study:
            started = time.perf_counter()
            made = run(study, first)
            seconds = time.perf_counter() - started
        found = {
            "outputs": made.made,
            "tokens": {"predicted": round(predicted.tokens), "measured": made.tokens},
            "bytes": {"predicted": round(predicted.bytes), "measured": size(folder) - before},
            "seconds": {"predicted": predicted.seconds, "measured": seconds},
        }
    print(json.dumps(found), flush=True)
    return found


def written(count: int) -> dict[str, Any]:
    """Bytes and seconds of storing so many synthetic outputs."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "store.sqlite"
        started = time.perf_counter()
        with Store.open(path) as store:
            batch: list[Generation] = []
            for generation in synthetic(count):
                batch.append(generation)
                if len(batch) == COMMIT_ROWS:
                    store.add(batch, model="m" * 64)
                    batch = []
            store.add(batch, model="m" * 64)
        seconds = time.perf_counter() - started
        measured = size(Path(name))
    row = (
        ROW_BYTES
        + CHARACTER_BYTES * (PROMPT_CHARACTERS + CHARACTERS)
        + PROMPT_TOKEN_BYTES * PROMPT_TOKENS
        + TOKEN_BYTES * TOKENS
    )
    found = {
        "outputs": count,
        "bytes": {"predicted": row * count, "measured": measured},
        "seconds": seconds,
    }
    print(json.dumps(found), flush=True)
    return found


def synthetic(count: int) -> Iterator[Generation]:
    """Outputs with random identities and ids, so that nothing packs better than real ones."""
    draw = random.Random(1)
    for number in range(count):
        yield Generation(
            identity=f"{draw.getrandbits(256):064x}",
            prompt_id=f"p{number // SAMPLES}",
            sample_index=number % SAMPLES,
            prompt_text="p" * PROMPT_CHARACTERS,
            prompt_token_ids=tuple(draw.choices(range(50_000), k=PROMPT_TOKENS)),
            token_ids=tuple(draw.choices(range(50_000), k=TOKENS)),
            text="t" * CHARACTERS,
            finish_reason="length",
            logprobs=(-1.0,) * TOKENS,
            seconds=1.0,
        )


def size(folder: Path) -> int:
    """Bytes of the store below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("store.sqlite*"))


if __name__ == "__main__":
    main()
