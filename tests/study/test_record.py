"""The recorder: what a failing store or Ctrl-C leaves stored, and when a run counts as finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import StoreError
from ethogram.spec import Generation, Request
from ethogram.study import Study
from ethogram.study.record import Recorder


def made(request: Request) -> Generation:
    return Generation(
        request.identity, request.prompt_id, request.sample_index, "x", (1,), (2, 3), "t", "eos",
        (-1.0, -1.0), 0.1,
    )  # fmt: skip


def failing(call: Callable[..., Any], error: BaseException, times: int) -> Callable[..., Any]:
    """A function that does nothing but raise the first times."""
    left = [error] * times

    def instead(*arguments: Any, **settings: Any) -> Any:
        if left:
            raise left.pop()
        return call(*arguments, **settings)

    return instead


def record(study: Study, requests: Sequence[Request]) -> Recorder:
    recorder = Recorder(study, {"v0.1.0": requests}, None)
    recorder.record(made(request) for request in requests)
    return recorder


@pytest.mark.parametrize("error", [StoreError("the disk is full"), KeyboardInterrupt()])
@pytest.mark.parametrize("method", ["add", "finish_run"])
def test_what_could_not_be_stored_is_stored_again(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, method: str
) -> None:
    """A failure while the last batch is stored, or while the run is marked as finished."""
    with Study(tiny_study) as study:
        requests = study.requests("v0.1.0")
        monkeypatch.setattr("ethogram.study.record.COMMIT_ROWS", len(requests))
        monkeypatch.setattr(study.store, method, failing(getattr(study.store, method), error, 1))
        with pytest.raises(type(error)):
            record(study, requests)
        assert study.store.missing([one.identity for one in requests]) == []
        (run,) = study.store.runs("v0.1.0")
        assert (run.made, run.tokens) == (len(requests), 2 * len(requests))


def test_a_run_whose_outputs_are_not_stored_is_not_finished(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Study(tiny_study) as study:
        requests = study.requests("v0.1.0")
        monkeypatch.setattr("ethogram.study.record.COMMIT_ROWS", len(requests))
        full = failing(study.store.add, StoreError("the disk is full"), 2)
        monkeypatch.setattr(study.store, "add", full)
        with pytest.raises(StoreError, match="the disk is full"):
            record(study, requests)
        (run,) = study.store.runs("v0.1.0")
        assert run.finished_at is None
        assert len(study.store.missing([one.identity for one in requests])) == len(requests)
