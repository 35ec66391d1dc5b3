"""Versions that another backend generates: pools, noise, identities, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ethogram.backends import base
from ethogram.backends import vllm as vllm_backend
from ethogram.engine import Engine
from ethogram.errors import MissingExtraError, SpecError
from ethogram.models import load
from ethogram.spec import Generation, Request
from ethogram.study import Study, run, trace
from ethogram.study.run import Maker
from ethogram.study.workspace import Part


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"versions/{name}.yaml").write_text(text, encoding="utf-8")


class Standing:
    """Stands in vLLM's place, which the tests' environment lacks: another engine on the model."""

    log: list[Any]

    def __init__(self, reference: Any, *, max_rows: int | None = None) -> None:
        self._engine = Engine(load(reference))

    @property
    def work(self) -> Any:
        return self._engine.work

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
    ) -> Iterator[Generation]:
        assert not trace
        self.log.append(sorted(request.identity for request in requests))
        return self._engine.generate(requests, on_tokens=on_tokens)

    def close(self) -> None:
        self.log.append("closed")


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of the backend that stands in vLLM's place."""
    log: list[Any] = []
    monkeypatch.setattr(vllm_backend, "VllmBackend", type("Here", (Standing,), {"log": log}))
    monkeypatch.setattr(base, "find_spec", lambda name: object())
    return log


def test_each_backend_makes_its_own_versions_of_a_model(
    tiny_study: Path, standing: list[Any]
) -> None:
    write(tiny_study, "v0.2.0", "title: Other\nparent: v0.1.0\nbackend: vllm\n")
    write(tiny_study, "v0.2.1", "title: Warm\nparent: v0.2.0\ndecoding: {temperature: 1.2}\n")
    loaded: list[str] = []
    with Study(tiny_study) as study:
        result = run(study, on_load=loaded.append)
        wanted = {
            name: {request.identity for request in study.requests(name)} for name in study.versions
        }
        again = run(study)
    assert standing == [sorted(wanted["v0.2.0"] | wanted["v0.2.1"]), "closed"]
    assert len(loaded) == 2, "once for each backend"
    assert result.made == 30 + 24
    assert again.made == 0


def test_another_backend_makes_other_outputs_on_other_noise(tiny_study: Path) -> None:
    write(tiny_study, "v0.2.0", "title: Other\nparent: v0.1.0\nbackend: vllm\n")
    write(tiny_study, "v0.2.1", "title: Warm\nparent: v0.2.0\ndecoding: {temperature: 1.2}\n")
    write(tiny_study, "v0.3.0", "title: Said\nparent: v0.1.0\nbackend: engine\n")
    with Study(tiny_study) as study:
        identities = {name: study.versions[name].identity for name in study.versions}
        keys = {
            name: [request.noise_key for request in study.requests(name)]
            for name in ("v0.1.0", "v0.2.0", "v0.2.1", "v0.3.0")
        }
        assert study.coupled("v0.1.0", "v0.3.0")
        assert not study.coupled("v0.1.0", "v0.2.0")
        assert not study.coupled("v0.2.0", "v0.2.1")
    assert identities["v0.3.0"] == identities["v0.1.0"] != identities["v0.2.0"]
    assert keys["v0.1.0"] == keys["v0.3.0"]
    for one, other in (("v0.1.0", "v0.2.0"), ("v0.2.0", "v0.2.1")):
        assert not set(keys[one]) & set(keys[other]), "what is not coupled shares no noise"


def test_a_missing_backend_is_an_error_before_anything_runs(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch, stored: Callable[[Path], dict[str, Any]]
) -> None:
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    write(tiny_study, "v2.0.0", "title: Other\nparent: v0.1.0\nbackend: vllm\n")
    with Study(tiny_study) as study, pytest.raises(MissingExtraError, match=r"'\.\[vllm\]'"):
        run(study)
    assert stored(tiny_study) == {}
    with Study(tiny_study) as study:
        assert run(study, ["v0.0.1"]).made == 6


def test_a_trace_is_refused_where_the_backend_shows_none(
    tiny_study: Path, standing: list[Any], stored: Callable[[Path], dict[str, Any]]
) -> None:
    """The engine must not answer for vLLM, under the identity of vLLM's output."""
    write(tiny_study, "v0.2.0", "title: Other\nparent: v0.1.0\nbackend: vllm\n")
    with Study(tiny_study) as study:
        prompt = study.suite("v0.2.0").prompts[0].id
        for text in (prompt, "a text of my own"):
            with pytest.raises(SpecError, match="backend vllm cannot trace how a token was chosen"):
                trace(study, "v0.2.0", text)
    assert stored(tiny_study) == {}


def test_more_samples_come_from_the_version_s_own_backend(
    tiny_study: Path, standing: list[Any]
) -> None:
    write(tiny_study, "v0.2.0", "title: Other\nparent: v0.1.0\nbackend: vllm\n")
    with Study(tiny_study) as study:
        with Maker(study) as maker:
            made = maker.make(study, ["v0.2.0"], Part(samples=3))
        assert made["v0.2.0"].generations == 18
    assert len(standing[0]) == 18


@pytest.mark.parametrize(
    ("line", "where", "says"),
    [
        ("decoding: {typical_p: 0.9}", r"v0\.2\.0\.yaml:4: decoding\.typical_p", "typical"),
        ("decoding: {num_beams: 3, strategy: beam}", r"yaml:4: decoding\.num_beams", "beam"),
        ("decoding: {min_p: 0.1}", r"decoding\.order", "order: vllm"),
        ("adapter: adapters/polite", r"v0\.2\.0\.yaml:4: adapter", "merged"),
    ],
)
def test_what_vllm_cannot_do_is_an_error_with_its_line(
    tiny_study: Path, line: str, where: str, says: str
) -> None:
    write(tiny_study, "v0.2.0", f"title: Other\nparent: v0.1.0\nbackend: vllm\n{line}\n")
    with pytest.raises(SpecError, match=where) as caught:
        Study(tiny_study)
    assert says in str(caught.value)


def test_outputs_made_elsewhere_are_not_refused(tiny_study: Path) -> None:
    write(
        tiny_study,
        "v0.2.0",
        "title: Other\nparent: v0.1.0\nbackend: vllm\noutputs: o.jsonl\n"
        "decoding: {typical_p: 0.9}\n",
    )
    assert "v0.2.0" in Study(tiny_study).versions
