"""A sweep in small: memory stays flat while outputs are stored, identities are looked up at once.

The whole size is that of `make bench-store`; here the allocations of Python are counted, which see
one kept output among a hundred where the resident memory of a process would not.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from ethogram.engine import Engine
from ethogram.models import load
from ethogram.spec import Generation
from ethogram.store import Store
from ethogram.study import Study, record
from ethogram.study.record import Recorder

PROMPTS, SAMPLES = 72, 4


@pytest.fixture
def sweep(tiny_study: Path) -> Path:
    """Four neighbouring versions, 1152 outputs of few tokens."""
    (tiny_study / "study.yaml").write_text(f"name: sweep\nsamples: {SAMPLES}\n")
    (tiny_study / "suites/prompts.jsonl").write_text(
        "".join(f'{{"id": "p{n}", "text": "keeper {n} said"}}\n' for n in range(PROMPTS))
    )
    (tiny_study / "versions/v1.0.0.yaml").unlink()
    for number in range(4):
        (tiny_study / f"versions/v0.1.{number}.yaml").write_text(
            "title: Near\nparent: v0.0.1\n"
            f"decoding: {{strategy: sample, temperature: 0.{5 + number}, max_new_tokens: 3}}\n"
        )
    return tiny_study


class Watched:
    """Passes outputs on and notes how much Python holds every hundred outputs."""

    def __init__(self, keep: bool) -> None:
        self.held: list[int] = []
        self.kept: list[Generation] = []
        self._keep = keep

    def over(self, generations: Iterator[Generation]) -> Iterator[Generation]:
        for count, generation in enumerate(generations):
            if self._keep:
                self.kept.append(generation)
            if count % 100 == 99:
                gc.collect()
                self.held.append(tracemalloc.get_traced_memory()[0])
            yield generation

    @property
    def growth(self) -> float:
        """Most that was held after the warm-up, as a share of what was held at its end, less 1."""
        settled = self.held[2:]
        return max(settled) / settled[0] - 1


@pytest.mark.parametrize("keep", [False, True], ids=["flat", "negative control"])
@pytest.mark.long
def test_memory_is_flat_while_outputs_are_stored(
    sweep: Path, keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "COMMIT_SECONDS", 1e9)
    with Study(sweep) as study:
        engine = Engine(load(study.model_reference("v0.1.0")), max_rows=64)
        todo = {name: study.requests(name) for name in study.versions if name != "v0.0.1"}
        requests = [request for one in todo.values() for request in one]
        recorder, watched = Recorder(study, todo, None), Watched(keep)
        study.store.count()  # Opened before the count begins.
        tracemalloc.start()
        try:
            recorder.record(watched.over(engine.generate(requests)))
        finally:
            tracemalloc.stop()
        assert study.store.count() == len(requests) == 4 * PROMPTS * SAMPLES
    assert engine.work.slots_bytes <= engine.work.memory_budget
    assert (watched.growth > 0.1) == keep


def test_any_number_of_identities_is_one_question(tmp_path: Path) -> None:
    identities = [f"{number * 2654435761 % 2**32:064x}" for number in range(20_000)]
    with Store.open(tmp_path / "store.sqlite") as store:
        store.add(
            [
                Generation(name, "p", 0, "x", (1,), (2,), "t", "eos", (-1.0,), 0.1)
                for name in identities[::2]
            ],
            model="m",
        )
        asked: list[str] = []
        event.listen(
            store.database.engine, "before_cursor_execute", lambda *told: asked.append(str(told[2]))
        )
        assert store.missing([*identities, identities[1]]) == [*identities[1::2], identities[1]]
        assert sum(query.startswith("SELECT") for query in asked) == 1
