"""Jobs of the server: how they end, and what is kept of them."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from ethogram.errors import SpecError
from ethogram.ui.context import Context
from ethogram.ui.events import Events
from ethogram.ui.jobs import KEPT, Job, Jobs


def ended(jobs: Jobs, job_id: str) -> Any:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job = jobs.get(job_id)
        assert job is not None
        if not job.is_running:
            return job.detail
        time.sleep(0.005)
    raise AssertionError("the job did not end")


def fails(job: Job) -> None:
    job.add({"n": 1})
    raise SpecError("wrong", where="a.yaml:3", hint="fix it")


def breaks(job: Job) -> None:
    raise ZeroDivisionError("none")


@pytest.mark.parametrize(
    ("work", "state", "words"),
    [
        (lambda job: {"a": 1}, "done", ""),
        (fails, "failed", "a.yaml:3: wrong; fix it"),
        (breaks, "failed", "unexpected ZeroDivisionError: none"),
    ],
)
def test_a_job_ends_as_its_work_does(work: Any, state: str, words: str) -> None:
    jobs = Jobs(Events())
    detail = ended(jobs, jobs.start("test", "A test", work).id)
    assert (detail.job.state, detail.job.words) == (state, words)
    assert detail.job.finished_at
    assert detail.job.result == ({"a": 1} if state == "done" else None)
    assert detail.rows == ([{"n": 1}] if work is fails else [])


def test_a_stopped_job_ends_at_its_next_step_and_keeps_what_it_made() -> None:
    jobs, begun = Jobs(Events()), threading.Event()

    def work(job: Job) -> None:
        for number in range(100_000):
            job.write("out", "x")
            job.progress(number, 100_000)
            begun.set()
            time.sleep(0.001)

    job_id = jobs.start("test", "Long", work).id
    begun.wait(10)
    job = jobs.get(job_id)
    assert job is not None
    job.stop()
    detail = ended(jobs, job_id)
    assert detail.job.state == "stopped"
    assert 0 < len(detail.lanes["out"]) < 100_000


def test_rate_and_time_left_follow_from_the_clock() -> None:
    now = [10.0]
    job = Job(Events(), "run", "A", clock=lambda: now[0])
    assert job.info.rate is None
    now[0] += 4
    job.progress(20, 100)
    assert job.info.rate == 5
    assert job.info.seconds_left == 16


def test_old_jobs_are_forgotten() -> None:
    jobs = Jobs(Events())
    ids = [ended(jobs, jobs.start("t", "T", lambda job: None).id).job.id for _ in range(KEPT + 5)]
    assert len(jobs.all()) <= KEPT + 1
    assert jobs.all()[0].id == ids[-1]


def test_closing_stops_what_runs() -> None:
    jobs = Jobs(Events())

    def forever(job: Job) -> None:
        while True:
            job.check()
            time.sleep(0.002)

    job_id = jobs.start("t", "T", forever).id
    jobs.close()
    assert ended(jobs, job_id).job.state == "stopped"


def test_a_run_of_the_page_is_a_job_that_any_tab_can_read_and_stop(
    client: TestClient, context: Context
) -> None:
    made = client.post("/api/runs", json={"versions": ["v0.1.0"]}).json()
    detail = ended(context.jobs, made["id"])
    assert detail.job.state == "done", detail.job.words
    assert detail.job.result == {"versions": ["v0.1.0"]}
    assert client.get("/api/jobs").json()[0]["state"] == "done"
    assert client.get(f"/api/jobs/{made['id']}").json()["job"]["title"] == "Run v0.1.0"
    assert client.post(f"/api/jobs/{made['id']}/stop", json={}).status_code == 200
    assert client.get("/api/jobs/unknown").status_code == 404
