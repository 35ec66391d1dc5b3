"""Plan: what a run would generate and what it costs, in tokens, time, disk and money, beforehand.

Counts come from the study. Lengths and speed come from what the store holds; where it holds
nothing, lengths are the most that the settings allow, and speed is given by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ethogram.errors import SpecError
from ethogram.study.calling import names_of, takes_study
from ethogram.study.workspace import Part, Study

if TYPE_CHECKING:
    from ethogram.spec import Generation, Request
    from ethogram.store import RunRecord

#: Bytes of a row of a store: what does not grow with its texts (keys, indexes, page overhead), and
#: what a character and a token add. Measured by `benchmarks/plan.py`; see docs/scale.md.
ROW_BYTES, CHARACTER_BYTES, PROMPT_TOKEN_BYTES, TOKEN_BYTES = 520, 1, 4, 8
#: Bytes that a traced token adds: entropy, rank, probability, ten alternatives, counts.
TRACE_BYTES = 70
#: Characters of a token where nothing was generated yet, as in English text.
TOKEN_CHARACTERS = 4.0
#: Runs shorter than this many seconds say little about speed: the store has whole seconds.
SHORTEST_RUN = 3
#: Stored generations of a version that are read for its lengths.
SAMPLE = 512


@dataclass(frozen=True)
class VersionPlan:
    """What a run would do for one version.

    Attributes:
        version: its name.
        generations: that it has in all.
        missing: of these, those to generate.
        tokens: to choose, of the missing ones.
        prompt_tokens: to read, of the missing ones.
        bytes: that they add to the store.
        lengths: where the number of tokens comes from: `stored`, `other versions` or `limit`.
    """

    version: str
    generations: int
    missing: int
    tokens: float
    prompt_tokens: float
    bytes: float
    lengths: str


@dataclass(frozen=True)
class Plan:
    """What a run would do, and what that costs.

    Attributes:
        study: its name.
        versions: one row each.
        rate: tokens per second of one worker; None if unknown.
        rate_from: where it comes from.
        workers: that share the work.
        seconds: None without a rate.
        money: by each price that was given.
    """

    study: str
    versions: Sequence[VersionPlan]
    rate: float | None
    rate_from: str
    workers: int
    seconds: float | None
    money: dict[str, float]

    @property
    def missing(self) -> int:
        """Outputs to generate."""
        return sum(each.missing for each in self.versions)

    @property
    def tokens(self) -> float:
        """Tokens to choose."""
        return sum(each.tokens for each in self.versions)

    @property
    def prompt_tokens(self) -> float:
        """Tokens of prompts to read."""
        return sum(each.prompt_tokens for each in self.versions)

    @property
    def bytes(self) -> float:
        """Bytes that the outputs add to the store."""
        return sum(each.bytes for each in self.versions)

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the sums."""
        return {
            "study": self.study,
            "generations": self.missing,
            "tokens": round(self.tokens),
            "prompt_tokens": round(self.prompt_tokens),
            "bytes": round(self.bytes),
            "rate": self.rate,
            "rate_from": self.rate_from,
            "workers": self.workers,
            "seconds": self.seconds,
            "money": self.money,
            "versions": list(self.versions),
        }


@dataclass(frozen=True)
class Prices:
    """What computing costs, in any currency.

    Attributes:
        hour: of one worker.
        million: output tokens.
        million_input: prompt tokens.
    """

    hour: float | None = None
    million: float | None = None
    million_input: float | None = None


@takes_study
def plan(
    study: Study,
    versions: str | Sequence[str] | None = None,
    *,
    prompts: int | None = None,
    samples: int | None = None,
    rate: float | None = None,
    workers: int = 1,
    prices: Prices | None = None,
) -> Plan:
    """Say what a run would generate and what it costs; generates nothing.

    Args:
        study: opened, or its folder.
        versions: a name or several; default all.
        prompts: as if the suite had so many, like those that it has; nothing counts as stored.
        samples: as if each prompt had so many; stored ones count.
        rate: tokens per second of one worker. Default: that of this store's runs.
        workers: that share the work evenly.
        prices: of an hour or a million tokens.

    Raises:
        SpecError: there is no such version, or a number is not positive.
    """
    _check(rate=rate, workers=workers, prompts=prompts, samples=samples)
    names = [name for name in names_of(study, versions) if not study.versions[name].outputs]
    claimed: set[str] = set()
    everything = _everything(study)
    rows = []
    for name in names:
        requests = study.requests(name, Part(samples=samples) if samples else Part())
        scale = prompts / max(1, len(study.suite(name).prompts)) if prompts else 1.0
        rows.append(_version_plan(study, name, requests, scale, claimed, everything))
    tokens, words = sum(row.tokens for row in rows), "given"
    if rate is None:
        rate, words = measured_rate(study.store.runs()), "runs in this store"
    if rate is None:
        words = "unknown"
    seconds = tokens / rate / workers if rate else None
    prompt_tokens = sum(row.prompt_tokens for row in rows)
    money = _money(prices or Prices(), tokens, prompt_tokens, seconds, workers)
    return Plan(study.name, rows, rate, words, workers, seconds, money)


def _check(**numbers: float | None) -> None:
    for name, number in numbers.items():
        if number is not None and not 0 < number < float("inf"):
            raise SpecError(f"{number} is not a positive number", where=name)


def _everything(study: Study) -> list[Generation]:
    """Some of the study's stored generations, for versions without any."""
    some = []
    for name, version in study.versions.items():
        if not version.outputs:
            some += [request.identity for request in study.requests(name)[:SAMPLE]]
    return list(study.store.get(_spread(some, SAMPLE)).values())


def _version_plan(
    study: Study,
    name: str,
    requests: Sequence[Request],
    scale: float,
    claimed: set[str],
    everything: Sequence[Generation],
) -> VersionPlan:
    identities = list(dict.fromkeys(request.identity for request in requests))
    absent = set(study.store.missing(identities))
    stored = [each for each in identities if each not in absent]
    missing = len(absent - claimed) if scale == 1 else round(len(identities) * scale)
    claimed |= absent
    made = list(study.store.get(_spread(stored, SAMPLE)).values())
    limit = study.versions[name].effective_decoding().max_new_tokens
    if made:
        tokens, lengths = fmean(_chosen(each) for each in made), "stored"
    elif everything:
        mean = fmean(_chosen(each) for each in everything)
        tokens, lengths = min(limit, mean), "other versions"
    else:
        tokens, lengths = float(limit), "limit"
    read = made or everything
    prompts = _prompt_characters(requests)
    per_token = _characters_per_token(read)
    if made:
        prompt_tokens = fmean(len(each.prompt_token_ids) for each in made)
    else:
        prompt_tokens = prompts / _characters_per_prompt_token(everything)
    size = (
        ROW_BYTES
        + CHARACTER_BYTES * (prompts + per_token * tokens)
        + PROMPT_TOKEN_BYTES * prompt_tokens
        + TOKEN_BYTES * tokens
        + (TRACE_BYTES * tokens if study.spec.settings.trace else 0)
    )
    return VersionPlan(
        name,
        round(len(identities) * scale),
        missing,
        missing * tokens,
        missing * prompt_tokens,
        missing * size,
        lengths,
    )


def _chosen(generation: Generation) -> int:
    """Tokens that were chosen for an output, candidates and second tries included."""
    if generation.guarded is not None and generation.guarded.tokens:
        return generation.guarded.tokens
    if generation.selection is not None:
        return sum(generation.selection.tokens)
    return len(generation.token_ids)


def _prompt_characters(requests: Sequence[Request]) -> float:
    lengths = [
        len(request.prompt)
        if isinstance(request.prompt, str)
        else sum(len(message.content) for message in request.prompt)
        for request in _spread(requests, SAMPLE)
    ]
    return fmean(lengths) if lengths else 0.0


def _characters_per_token(generations: Sequence[Generation]) -> float:
    tokens = sum(len(each.token_ids) for each in generations)
    return sum(len(each.text) for each in generations) / tokens if tokens else TOKEN_CHARACTERS


def _characters_per_prompt_token(generations: Sequence[Generation]) -> float:
    tokens = sum(len(each.prompt_token_ids) for each in generations)
    length = sum(len(each.prompt_text) for each in generations)
    return length / tokens if length else TOKEN_CHARACTERS


def _spread(items: Sequence[Any], most: int) -> Sequence[Any]:
    """At most so many items, from all parts of a list: its ends differ, as suites are grouped."""
    return items if len(items) <= most else items[:: -(-len(items) // most)]


def measured_rate(runs: Sequence[RunRecord]) -> float | None:
    """Tokens per second of the finished runs; None where none was long enough.

    Versions that are generated together have runs at the same time, so their common time counts
    once.
    """
    spans = []
    tokens = 0
    for run in runs:
        if run.finished_at and run.tokens:
            start, end = (
                datetime.fromisoformat(at).timestamp() for at in (run.started_at, run.finished_at)
            )
            spans.append((start, end))
            tokens += run.tokens
    seconds, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        seconds += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return tokens / seconds if seconds >= SHORTEST_RUN else None


def _money(
    prices: Prices, tokens: float, prompt_tokens: float, seconds: float | None, workers: int
) -> dict[str, float]:
    found = {}
    if prices.hour is not None and seconds is not None:
        found["hours"] = prices.hour * workers * seconds / 3600
    if prices.million is not None or prices.million_input is not None:
        output, given = prices.million or 0.0, prices.million_input or 0.0
        found["tokens"] = (output * tokens + given * prompt_tokens) / 1e6
    return found
