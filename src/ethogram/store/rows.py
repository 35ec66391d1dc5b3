"""Rows: generations, traces and scores as rows of their tables, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
from sqlalchemy import ColumnElement, Row, and_

from ethogram.spec.generation import FinishReason, Generation, Trace
from ethogram.spec.guarded import Guarded
from ethogram.spec.results import Score, Span
from ethogram.spec.selection import Selection
from ethogram.store.schema import scores_table
from ethogram.store.traces import pack, unpack


@dataclass(frozen=True, slots=True)
class Scorer:
    """What computed a score; a change of any field can give another score.

    Attributes:
        metric: its name.
        version: of the metric.
        model: identities of the models that it read; empty if none.
    """

    metric: str
    version: int
    model: str


@dataclass(frozen=True, slots=True)
class Scored:
    """What was scored.

    Attributes:
        generation: identity of the generation; of several samples of a prompt, the first one's.
        read: digest of everything else that the metric can read: the other samples, the prompt as
            the suite words it, the reference answer.
    """

    generation: str
    read: str


def generation_row(generation: Generation, model: str, processor: int | None) -> dict[str, Any]:
    """A generation as a row; arrays are little-endian, `processor` is the key of its kind."""
    return {
        "identity": generation.identity,
        "prompt_id": generation.prompt_id,
        "sample_index": generation.sample_index,
        "model": model,
        "prompt_text": generation.prompt_text,
        "prompt_token_ids": np.asarray(generation.prompt_token_ids, "<i4").tobytes(),
        "token_ids": np.asarray(generation.token_ids, "<i4").tobytes(),
        "text": generation.text,
        "finish_reason": generation.finish_reason,
        "logprobs": np.asarray(generation.logprobs, "<f4").tobytes(),
        "seconds": generation.seconds,
        "created_at": now(),
        "selection": json.dumps(generation.selection.to_json()) if generation.selection else None,
        "guarded": json.dumps(generation.guarded.to_json()) if generation.guarded else None,
        "processor": processor,
    }


def generation_from(row: Row[Any]) -> Generation:
    """The generation of a row, without its trace."""
    return Generation(
        identity=row.identity,
        prompt_id=row.prompt_id,
        sample_index=row.sample_index,
        prompt_text=row.prompt_text,
        prompt_token_ids=tuple(np.frombuffer(row.prompt_token_ids, "<i4").tolist()),
        token_ids=tuple(np.frombuffer(row.token_ids, "<i4").tolist()),
        text=row.text,
        finish_reason=cast("FinishReason", row.finish_reason),
        logprobs=tuple(np.frombuffer(row.logprobs, "<f4").tolist()),
        seconds=row.seconds,
        selection=Selection.from_json(json.loads(row.selection)) if row.selection else None,
        guarded=Guarded.from_json(json.loads(row.guarded)) if row.guarded else None,
    )


def trace_row(identity: str, trace: Trace) -> dict[str, Any]:
    """A trace as a row."""
    return {
        "identity": identity,
        "tokens": len(trace),
        "alternatives": trace.alternatives.shape[1],
        "steps": json.dumps(trace.steps),
        "data": pack(trace),
    }


def trace_from(row: Row[Any]) -> Trace:
    """The trace of a row.

    Raises:
        ValueError: it is damaged.
    """
    return unpack(
        row.data,
        tokens=row.tokens,
        alternatives=row.alternatives,
        steps=tuple(json.loads(row.steps)),
    )


def given_by(scorer: Scorer) -> ColumnElement[bool]:
    """The condition that a row of scores was computed by a scorer."""
    columns = scores_table.c
    return and_(
        columns.metric == scorer.metric,
        columns.metric_version == scorer.version,
        columns.model == scorer.model,
    )


def score_row(scorer: Scorer, scored: Scored, score: Score) -> dict[str, Any]:
    """A score as a row."""
    return {
        "generation": scored.generation,
        "metric": scorer.metric,
        "metric_version": scorer.version,
        "model": scorer.model,
        "read": scored.read,
        "value": score.value,
        "parts": np.asarray(score.parts, "<f8").tobytes(),
        "spans": json.dumps([[span.start, span.end, span.label] for span in score.spans]),
    }


def score_from(row: Row[Any]) -> Score:
    """The score of a row."""
    return Score(
        row.value,
        tuple(np.frombuffer(row.parts, "<f8").tolist()),
        tuple(Span(*span) for span in json.loads(row.spans)),
    )


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
