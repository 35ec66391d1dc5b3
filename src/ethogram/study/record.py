"""Record: stores the outputs of a run as they finish and reports its progress."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ethogram.spec import Generation, Request
from ethogram.study.stale import remember_settings
from ethogram.study.workspace import Study

#: Generations are stored in transactions of at most this many, or this many seconds apart: little
#: is lost by a crash, and SQLite is not asked to sync for every row.
COMMIT_ROWS = 32
COMMIT_SECONDS = 2.0
#: Progress is reported at most this often.
REPORT_SECONDS = 0.1


@dataclass(frozen=True)
class VersionProgress:
    """How far one version is: generations finished, of those that this run has to make."""

    version: str
    done: int
    total: int


@dataclass(frozen=True)
class Progress:
    """Progress of a run on the versions of one model, which are generated together.

    Attributes:
        versions: each of them.
        done: generations finished, of all of them.
        total: generations to make.
        tokens: tokens chosen.
        spent: token allowance used up: tokens chosen, and those that finished outputs left over.
        allowance: most tokens that can be chosen, the sum of `max_new_tokens` over all outputs and
            candidates.
        seconds: since the first request.
    """

    versions: tuple[VersionProgress, ...]
    done: int
    total: int
    tokens: int
    spent: int
    allowance: int
    seconds: float


OnProgress = Callable[[Progress], None]


class Recorder:
    """Stores generations as they finish, each for its version.

    Args:
        study: the opened study.
        todo: requests of each version; no request belongs to two of them, and all use one model.
        on_progress: called with the progress.
        replayed: identities among them that are stored, and are made again for their traces.

    Attributes:
        made: generations stored or about to be, by version.
        tokens: tokens of these, by version.
        traced: stored generations that got their trace, by version.
        parted: replays that gave other tokens than are stored, by version; nothing was stored.
        processor: the kind that computes generations that do not name theirs.
    """

    processor: str | None = None

    def __init__(
        self,
        study: Study,
        todo: Mapping[str, Sequence[Request]],
        on_progress: OnProgress | None,
        replayed: frozenset[str] = frozenset(),
    ) -> None:
        self.made: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.traced: Counter[str] = Counter()
        self.parted: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self._replayed = replayed
        self._study, self._on_progress = study, on_progress
        self._model = study.model_identity(next(iter(todo)))
        self._totals = {name: len(requests) for name, requests in todo.items()}
        self._owners = {one.identity: name for name, requests in todo.items() for one in requests}
        self._limits = {
            one.identity: one.decoding.max_new_tokens * one.decoding.candidates
            for requests in todo.values()
            for one in requests
        }
        self._allowance = sum(self._limits.values())
        self._runs: dict[str, int] = {}
        self._waiting: list[Generation] = []
        self._chosen = self._left_over = 0
        self._started = self._reported = self._stored = time.perf_counter()

    def owner(self, identity: str | None) -> str:
        """The version that a request belongs to."""
        return self._owners.get(identity or "", next(iter(self._totals)))

    def count_tokens(self, new_tokens: int) -> None:
        """Called by the engine after each step."""
        self._chosen += new_tokens
        if time.perf_counter() - self._reported > REPORT_SECONDS:
            self._report()

    def record(self, generations: Iterator[Generation]) -> None:
        """Store all generations, also those finished when an error or Ctrl-C stops the run.

        A version's run is finished once all its requests are stored.
        """
        for name in self._totals:
            identity = self._study.versions[name].identity
            settings = remember_settings(self._study, name)
            self._runs[name] = self._study.store.start_run(name, identity, settings=settings)
        self._started = self._stored = time.perf_counter()
        self._report()
        try:
            for generation in generations:
                self._take(generation)
                full = len(self._waiting) >= COMMIT_ROWS
                if full or time.perf_counter() - self._stored > COMMIT_SECONDS:
                    self._commit()
        finally:
            self._commit()
        self._report()

    def _take(self, generation: Generation) -> None:
        name, chosen = self._owners[generation.identity], generation.selection
        length = sum(chosen.tokens) if chosen else len(generation.token_ids)
        if generation.processor is None:
            generation = replace(generation, processor=self.processor)
        self._waiting.append(generation)
        self._done[name] += 1
        if generation.identity not in self._replayed:
            self.made[name] += 1
            self.tokens[name] += length
        self._left_over += self._limits[generation.identity] - length

    def _commit(self) -> None:
        batch, self._stored = self._waiting, time.perf_counter()
        fresh = [one for one in batch if one.identity not in self._replayed]
        if fresh:
            self._study.store.add(fresh, model=self._model)
        self._keep_traces([one for one in batch if one.identity in self._replayed])
        # Only now: what an error or Ctrl-C kept from being stored is tried once more at the end.
        self._waiting = []
        for name, run in list(self._runs.items()):
            if self._done[name] == self._totals[name]:
                made, tokens = self.made[name], self.tokens[name]
                self._study.store.finish_run(run, made=made, tokens=tokens)
                del self._runs[name]

    def _keep_traces(self, replays: Sequence[Generation]) -> None:
        """Store the traces of those replays that are the stored outputs to the token."""
        if not replays:
            return
        stored = self._study.store.get([one.identity for one in replays])
        same = [one for one in replays if stored[one.identity].token_ids == one.token_ids]
        self._study.store.add_traces({one.identity: one.trace for one in same if one.trace})
        self.traced.update(self._owners[one.identity] for one in same)
        self.parted.update(self._owners[one.identity] for one in replays if one not in same)

    def _report(self) -> None:
        self._reported = time.perf_counter()
        if self._on_progress:
            self._on_progress(
                Progress(
                    versions=tuple(
                        VersionProgress(name, self._done[name], total)
                        for name, total in self._totals.items()
                    ),
                    done=sum(self._done.values()),
                    total=len(self._owners),
                    tokens=self._chosen,
                    spent=min(self._chosen + self._left_over, self._allowance),
                    allowance=self._allowance,
                    seconds=self._reported - self._started,
                )
            )
