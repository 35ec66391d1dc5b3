"""Runs on a Ray cluster: the same store as one process, with deaths of workers and nodes too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from ethogram.backends.ray_backend import BackendRunner, Setup
from ethogram.cluster import Placement
from ethogram.errors import ModelError, RequestError
from ethogram.spec.space import parse_axis
from ethogram.study import Progress, Study, run, sweep

pytest.importorskip("ray")
Stored = Callable[[Path], dict[str, Any]]
ON = Placement(None, workers=4, threads=1)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """Two nodes (raylets) with two CPUs each, connected; tests may add more and kill those."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    cluster.add_node(num_cpus=2)
    ray.init(cluster.address, log_to_driver=False, configure_logging=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def alone(tiny_study: Path, tmp_path: Path) -> Path:
    """A copy of the study, run in this process."""
    folder = Path(shutil.copytree(tiny_study, tmp_path / "alone"))
    run(folder)
    return folder


@pytest.fixture
def long_study(tiny_study: Path) -> Path:
    """Enough work that a death lands in the middle."""
    (tiny_study / "suites/prompts.jsonl").write_text(
        "".join(f'{{"id": "p{i}", "text": "keeper number {i} said"}}\n' for i in range(60))
    )
    version = tiny_study / "versions/v0.0.1.yaml"
    version.write_text(version.read_text().replace("max_new_tokens: 24", "max_new_tokens: 120"))
    return tiny_study


@pytest.mark.long
def test_two_nodes_give_the_store_of_one_process(
    nodes: Any, tiny_study: Path, alone: Path, stored: Stored
) -> None:
    seen: list[Progress] = []
    result = run(tiny_study, on=ON, on_progress=seen.append)
    assert stored(tiny_study) == stored(alone)
    assert result.made == 30
    assert seen[-1].done == seen[-1].total == 12 + 12 + 6
    assert seen[-1].tokens == result.tokens == result.computed.delivered
    with Study(tiny_study) as study, Study(alone) as other:
        assert study.store.processors() == other.store.processors(), "machines of one kind"
        assert sum(study.store.processors().values()) == 30
    assert run(tiny_study, on=ON).made == 0


@pytest.mark.long
def test_a_node_that_dies_in_the_middle(
    nodes: Any, long_study: Path, tmp_path: Path, stored: Stored
) -> None:
    alone = Path(shutil.copytree(long_study, tmp_path / "other"))
    run(alone)
    third = nodes.add_node(num_cpus=2)
    dead: list[int] = []

    def kill(now: Progress) -> None:
        if now.done > 20 and not dead:
            dead.append(now.done)
            nodes.remove_node(third, allow_graceful=False)

    result = run(long_study, on=Placement(None, workers=6, threads=1), on_progress=kill)
    assert dead
    assert dead[0] < 300
    assert result.made == 300
    assert stored(long_study) == stored(alone)


@pytest.mark.long
def test_a_killed_worker_is_replaced(long_study: Path, tmp_path: Path, stored: Stored) -> None:
    alone = Path(shutil.copytree(long_study, tmp_path / "other"))
    run(alone)
    killed: list[int] = []

    def kill(now: Progress) -> None:
        if now.done > 10 and not killed:
            found = [each.pid for each in psutil.Process().children(recursive=True) if _works(each)]
            killed.append(found[0])
            os.kill(found[0], signal.SIGKILL)

    result = run(long_study, on=Placement(None, workers=2, threads=1), on_progress=kill)
    assert killed
    assert result.made == 300
    assert stored(long_study) == stored(alone)


def _works(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[0].startswith("ray::Worker")
    except (psutil.Error, IndexError):
        return False


@pytest.mark.long
def test_a_sweep_and_wrapped_versions_on_workers(
    nodes: Any, tiny_study: Path, tmp_path: Path, stored: Stored
) -> None:
    suite = tiny_study / "suites/prompts.jsonl"
    suite.write_text(
        "".join(f'{{"id": "q{i}", "text": "keeper number {i} said"}}\n' for i in range(24))
    )
    (tiny_study / "versions/v1.1.0.yaml").write_text(
        "title: Guarded\nparent: v0.1.0\nwrapper: {candidates: 2, confidence: true}\n"
    )
    alone = Path(shutil.copytree(tiny_study, tmp_path / "other"))
    axes = [parse_axis("decoding.temperature=0.5,1.5")]
    results = []
    for folder, on in ((tiny_study, ON), (alone, None)):
        with Study(folder) as study:
            found = sweep(study, "v0.1.0", axes, objectives=["words:higher"], on=on)
            run(study, ["v1.1.0"], on=on)
            results.append((found.chosen, [trial.values for trial in found.trials]))
    assert results[0] == results[1]
    assert stored(tiny_study) == stored(alone)


@pytest.mark.long
def test_a_prompt_that_does_not_fit_is_refused_before_anything_runs(
    nodes: Any, tiny_study: Path, stored: Stored
) -> None:
    with (tiny_study / "suites/prompts.jsonl").open("a") as suite:
        suite.write(f'{{"id": "long", "text": "{"word " * 2000}"}}\n')
    with pytest.raises(RequestError, match=r"prompts\.jsonl: prompt long \(version v0\.0\.1\)"):
        run(tiny_study, on=ON)
    assert not stored(tiny_study)


@pytest.mark.long
def test_the_command_starts_ray_and_prints_json_only(tiny_study: Path) -> None:
    command = [sys.executable, "-c", "from ethogram.cli import main; main()", "run", "--json"]
    done = subprocess.run(
        [*command, "--on", "ray", "--workers", "2", "-C", str(tiny_study)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert json.loads(done.stdout)["made"] == 30


def test_other_weights_and_other_releases_are_refused() -> None:
    def never() -> Any:
        raise AssertionError("loaded in spite of it")

    from ethogram import __version__

    with pytest.raises(ModelError, match=r"has Ethogram .*, not 9\.9\.9"):
        BackendRunner(Setup(never, [], "9.9.9"))
    other = [(lambda: "a", "gpt2", "b")]
    with pytest.raises(ModelError, match="other weights under the name gpt2"):
        BackendRunner(Setup(never, other, __version__))


def test_kinds_of_processors_are_counted(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study, ["v0.0.1"])
        identities = study.identities("v0.0.1")
        (here,) = study.store.processors()
        made = study.store.get(identities[:2])
        others = [
            replace(made[each], identity=f"{i:064d}", processor="another processor")
            for i, each in enumerate(identities[:2])
        ]
        study.store.add(others, model="m")
        assert study.store.processors() == {here: 6, "another processor": 2}
        chosen = [identities[0], *(each.identity for each in others)]
        assert Counter(study.store.processors(chosen)) == {here: 1, "another processor": 2}


def test_outputs_of_another_kind_of_processor_are_marked(tiny_study: Path) -> None:
    from io import StringIO

    from rich.console import Console

    from ethogram.report.terminal import print_comparison, print_run
    from ethogram.study import compare
    from ethogram.study.record import Recorder

    class Elsewhere(Recorder):
        def record(self, generations: Any) -> None:
            super().record(replace(each, processor="another") for each in generations)

    with Study(tiny_study) as study:
        assert not run(study, ["v0.0.1"]).to_json()["processors"].get("another")
        made = run(study, ["v0.1.0"])
        assert len(made.processors) == 1
        screen = Console(file=StringIO(), width=500)
        print_run(screen, made)
        assert "kinds of processors" not in screen.file.getvalue()  # type: ignore[attr-defined]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys.modules["ethogram.study.run"], "Recorder", Elsewhere)
            mixed = run(study)
        print_run(screen, mixed)
        print_comparison(screen, compare(study, "v0.1.0", "v1.0.0"))
    text = screen.file.getvalue()  # type: ignore[attr-defined]
    assert text.count("computed on 2 kinds of processors") == 2
    assert text.count("12 on another") == 2
