"""The table of guards: seconds are those of the stored replies, and show where they differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.engine import tiny

from benchmarks import wrapper_seconds
from benchmarks.wrapper_seconds import OtherReplyError, timed
from benchmarks.wrapper_table import Column, Table
from ethogram.engine import Engine
from ethogram.spec import Decoding
from ethogram.study import Study, run
from ethogram.wrap import WrappedBackend


@pytest.fixture
def folder(tiny_study: Path) -> Path:
    """The tiny study with a wrapped version, run."""
    (tiny_study / "versions/v0.2.0.yaml").write_text(
        "title: Two candidates\nparent: v0.1.0\nwrapper: {candidates: 2}\n", encoding="utf-8"
    )
    with Study(tiny_study) as study:
        run(study, ["v0.1.0", "v0.2.0"])
    return tiny_study


def test_each_stored_reply_is_timed(folder: Path) -> None:
    with Study(folder) as study:
        found = wrapper_seconds.seconds(study, ["v0.1.0", "v0.2.0"], 2)
        prompts = len(study.suite("v0.1.0").prompts)
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(
        ("v0.1.0", "v0.2.0"), (prompts, 2)
    )
    assert all((values > 0).all() for values in found.values())


def test_another_reply_than_the_stored_one_is_not_timed() -> None:
    engine = Engine(tiny.loaded("llama"))
    backend = WrappedBackend(engine, engine.text)
    sampled = Decoding(temperature=1.0, max_new_tokens=8)
    requests = [tiny.request("the cat", sampled, index=index, key=index) for index in range(2)]
    stored = {made.identity: made for made in backend.generate(requests)}
    first, second = stored.values()
    clock = iter(float(reading**2) for reading in range(100))
    found = timed(backend, {"a": requests}, stored, 2, lambda: next(clock))
    np.testing.assert_array_equal(found["a"], [[1.0, 5.0]])
    swapped = {first.identity: second, second.identity: first}
    with pytest.raises(OtherReplyError, match="the reply is not the stored one"):
        timed(backend, {"a": requests}, swapped, 2)


def test_the_table_shows_seconds_and_whether_they_clearly_differ(folder: Path) -> None:
    with Study(folder) as study:
        prompts = len(study.suite("v0.1.0").prompts)
        chance = np.random.default_rng(1)
        before = 1 + 0.1 * chance.random((prompts, 2))
        slower = before + 0.5 + 0.01 * chance.random((prompts, 2))
        table = Table(study, {"v0.1.0": before, "v0.2.0": slower})
        assert table.columns[-1].title == "seconds"
        table.columns = [each for each in table.columns if each.title in ("tokens", "seconds")]
        base, wrapped = table.rows({"v0.1.0": "none", "v0.2.0": "two"}, "v0.1.0")[2:]
    assert base.endswith(f" {before.mean():.2f} |")
    assert f" {slower.mean():.2f} (+0.5" in wrapped
    assert wrapped.endswith(")* |")
    assert isinstance(table.columns[0], Column)
