"""A model goes to object storage and comes back, as a user types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.calls import Run, one_line, parsed
from tests.faults.commands import TERMINATED, call, is_one_line

pytestmark = pytest.mark.long


@pytest.fixture
def own(tiny_study: Path, checkpoint: Callable[..., Path]) -> Path:
    """The study with its model in models/tiny."""
    shutil.copytree(checkpoint("llama", chat=True), tiny_study / "models/tiny")
    version = tiny_study / "versions/v0.0.1.yaml"
    model = str(checkpoint("llama", chat=True))
    version.write_text(version.read_text().replace(model, "models/tiny"))
    return tiny_study


def rows(ethogram: Run, study: Path) -> list[dict[str, object]]:
    """What a version wrote, without the clock."""
    code, out, err = ethogram("export", "-", "v0.0.1", "-C", str(study))
    assert code == 0, err
    return [json.loads(line) | {"seconds": None} for line in out.splitlines()]


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_export_pull_run(
    kind: str, ethogram: Run, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    address = f"file://{tmp_path}/bucket/tiny" if kind == "file" else "memory://round/trip/tiny"
    other = tmp_path / "other"
    shutil.copytree(own, other, ignore=shutil.ignore_patterns("models", ".ethogram"))
    code, out, err = ethogram("export", address, "v0.0.1", "--as", "model", "-C", str(own))
    assert code == 0, err
    assert out.endswith(f"files to {address}\n")
    monkeypatch.chdir(other)
    one_line(ethogram("run", "v0.0.1", "--json"), "models/tiny")
    code, out, _ = ethogram("pull", address)
    assert code == 0
    assert "Next: write `model: models/tiny` in a version" in out
    one_line(ethogram("pull", address), "models/tiny", "exists already")
    for study in (own, other):
        assert ethogram("run", "v0.0.1", "--json", "-C", str(study))[0] == 0
    assert rows(ethogram, other) == rows(ethogram, own)
    again = ("pull", address, "--to", str(tmp_path / "again"), "--json")
    assert parsed(ethogram(*again)) == {"model": address, "path": str(tmp_path / "again")}


def test_traces_on_standard_output(ethogram: Run, own: Path) -> None:
    at = ("-C", str(own))
    one_line(
        ethogram("export", "-", "v0.0.1", "--as", "traces", *at), "no stored traces", "--trace"
    )
    assert ethogram("run", "v0.0.1", "--trace", "--json", *at)[0] == 0
    code, out, _ = ethogram("export", "-", "v0.0.1", "--as", "traces", *at)
    assert code == 0
    assert [json.loads(line)["prompt_id"] for line in out.splitlines()] == [
        f"p{number}" for number in range(6)
    ]


def test_mistakes_are_one_line(ethogram: Run, own: Path, tmp_path: Path) -> None:
    at = ("-C", str(own))
    one_line(ethogram("export", str(tmp_path / "x"), "--as", "model", *at), "name one version")
    secret = "none://me:hunter2@host/m?signature=hunter2"
    for words in (("export", secret, "v0.0.1", "--as", "model", *at), ("pull", secret)):
        result = ethogram(*words)
        one_line(result, "none://host/m", "Protocol not known")
        assert "hunter2" not in result[2]


@pytest.mark.fault("Ctrl-C or SIGTERM while a model is fetched from an address")
@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", TERMINATED)])
def test_an_interrupted_pull_leaves_nothing(
    signal: str, code: int, own: Path, tmp_path: Path
) -> None:
    pytest.importorskip("fsspec")
    address = f"file://{(own / 'models/tiny').rename(tmp_path / 'tiny')}"
    fault = f"ethogram.objects:Place.fetch:3:{signal}"
    is_one_line(call(own, "pull", address, fault=fault), "interrupted", code=code)
    assert list((own / "models").iterdir()) == []
    assert call(own, "pull", address)[0] == 0
    assert (own / "models/tiny/config.json").is_file()
