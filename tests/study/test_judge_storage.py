"""Verdicts are stored: nothing is asked twice, and no key is written down."""

from __future__ import annotations

import json
import sqlite3
from itertools import count
from typing import Any

import pytest
from tests.judges import prefers_longer, refusal, serving
from tests.study.judging import KIND, judged, words_of

import ethogram as eg
from ethogram.backends import Endpoint
from ethogram.errors import BackendError, SpecError
from ethogram.study.judging.prompts import PAIRWISE

SECRET = "sk-very-secret-0123456789"


def test_nothing_is_asked_twice_whoever_serves_the_model(study: eg.Study) -> None:
    with serving(prefers_longer) as judge:
        first = judged(study, judge.url)
    with serving(lambda _: refusal(500)) as other:
        second = judged(study, other.url)
    assert other.asked == []
    offline = judged(study, "http://127.0.0.1:1/v1", offline=True)
    for again in (second, offline):
        assert again.cost.asked == 0
        same = {**first.to_json(), "cost": None}
        assert {**again.to_json(), "cost": None} == same
        assert again.cost.prompt_tokens == first.cost.prompt_tokens


@pytest.mark.parametrize("change", [{"max_tokens": 99}, {"rubric": KIND}, {"pairing": "shifted"}])
@pytest.mark.long
def test_another_question_is_asked_again(study: eg.Study, change: dict[str, Any]) -> None:
    with serving(prefers_longer) as judge:
        judged(study, judge.url)
        before = len(judge.asked)
        judged(study, judge.url, **change)
        assert len(judge.asked) == before + 48
    with serving(prefers_longer) as judge:
        eg.judge(study, "v0.0.1", "v0.1.0", model="large", endpoint=Endpoint(judge.url))
        assert len(judge.asked) == 48


def test_offline_says_what_is_missing(study: eg.Study) -> None:
    with serving(prefers_longer) as judge:
        judged(study, judge.url, samples=1)
    with pytest.raises(SpecError, match="24 of 48 verdicts of 'small' are not stored"):
        judged(study, judge.url, offline=True)
    assert len(judged(study, judge.url, offline=True, samples=1).pairs) == 12


def test_after_a_failure_only_the_rest_is_asked(study: eg.Study) -> None:
    tries = count()
    with serving(lambda q: prefers_longer(q) if next(tries) < 30 else refusal(401)) as judge:
        with pytest.raises(BackendError, match="requires a key"):
            judged(study, judge.url)
        with sqlite3.connect(study.folder / study.spec.settings.store) as connection:
            (stored,) = connection.execute("select count(*) from verdicts").fetchone()
    assert stored == 30
    with serving(prefers_longer) as judge:
        assert judged(study, judge.url).cost.asked == len(judge.asked) == 18


def test_the_key_is_nowhere_but_in_the_request(study: eg.Study) -> None:
    endpoint = Endpoint(None, api_key=SECRET, retries=0)
    with serving(prefers_longer) as judge:
        endpoint = Endpoint(judge.url, api_key=SECRET)
        found = eg.judge(study, "v0.0.1", "v0.1.0", model="small", endpoint=endpoint)
    assert set(judge.keys) == {f"Bearer {SECRET}"}
    study.close()
    for file in study.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert SECRET.encode() not in content, file
            # Nor the endpoint: verdicts are those of a model, wherever it is served.
            assert judge.url.encode() not in content, file
    assert SECRET not in repr(endpoint) + words_of(found) + json.dumps(found.to_json())


def test_verdicts_tell_what_was_asked(study: eg.Study) -> None:
    with serving(prefers_longer) as judge:
        judged(study, judge.url)
    with sqlite3.connect(study.folder / study.spec.settings.store) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("select * from verdicts").fetchall()
    identities = set(study.identities("v0.0.1")) | set(study.identities("v0.1.0"))
    for row in rows:
        assert (row["judge"], row["served_model"]) == ("small", "served-judge")
        assert (row["prompt"], row["prompt_digest"]) == (PAIRWISE.id, PAIRWISE.digest)
        assert {row["first"], row["second"]} <= identities
    pairs = {(row["first"], row["second"]) for row in rows}
    assert pairs == {(second, first) for first, second in pairs}
