"""Models, texts and metrics that lie, break or are too large."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import struct
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.faults.commands import call, ended, here, is_one_line, outputs, part_of, start, works

pytestmark = pytest.mark.long
Rows = list[tuple[Any, ...]]
SUITE = "suites/prompts.jsonl"


def forget_scores(study: Path) -> None:
    """Have the metrics measure again."""
    with closing(sqlite3.connect(study / ".ethogram/store.sqlite")) as store, store:
        store.execute("DELETE FROM version_values")


def own_model(study: Path) -> Path:
    """The model of a study, as a copy of its own."""
    version = study / "versions/v0.0.1.yaml"
    model = version.read_text().split("model: ")[1].splitlines()[0]
    own = Path(shutil.copytree(model, study / "model"))
    version.write_text(version.read_text().replace(model, str(own)))
    return own


@pytest.mark.fault("a safetensors header gives a length that the file does not have")
def test_a_header_that_lies_about_its_length(study: Path) -> None:
    weights = own_model(study) / "model.safetensors"
    whole = weights.read_bytes()
    for length in (2**63 - 1, 2**64 - 1, len(whole) * 2, 0):
        weights.write_bytes(struct.pack("<Q", length) + whole[8:])
        is_one_line(here(study, "run"), "model.safetensors: .*fetch the model again")
    weights.write_bytes(whole)
    works(study, "run")


@pytest.mark.fault("a safetensors header places a tensor outside the file, or over another")
def test_a_header_that_lies_about_offsets(study: Path) -> None:
    weights = own_model(study) / "model.safetensors"
    whole = weights.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + length])
    name = next(name for name in header if name != "__metadata__")
    begin, end = header[name]["data_offsets"]
    for wrong in (
        [begin, end + 10**12],
        [-8, end],
        [end, begin],
        [begin + 4, end + 4],
        ["0", None],
    ):
        header[name]["data_offsets"] = wrong
        packed = json.dumps(header).encode()
        weights.write_bytes(struct.pack("<Q", len(packed)) + packed + whole[8 + length :])
        is_one_line(here(study, "run"), "model.safetensors|model: ")
    weights.write_bytes(whole)
    works(study, "run")


@pytest.mark.fault("a GGUF header counts more tensors, keys or characters than there are")
@pytest.mark.parametrize("place", [8, 16, 24])
def test_a_gguf_header_that_lies(study: Path, place: int) -> None:
    from tests.models.gguf_files import write_gguf

    from ethogram.models import load

    version = study / "versions/v0.0.1.yaml"
    model = version.read_text().split("model: ")[1].splitlines()[0]
    file = study / "tiny.gguf"
    write_gguf(file, load(model, device="cpu"), pre="smollm")
    version.write_text(version.read_text().replace(model, str(file)))
    whole = file.read_bytes()
    for count in (2**40, 2**63, 2**64 - 1):
        file.write_bytes(whole[:place] + struct.pack("<Q", count) + whole[place + 8 :])
        is_one_line(here(study, "run", "v0.0.1"), "tiny.gguf: it is truncated or not a GGUF file")


@pytest.mark.fault("finite weights give NaN or infinite logits")
def test_logits_that_are_not_finite(study: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    weights = own_model(study) / "model.safetensors"
    tensors = load_file(weights)
    name = next(name for name in tensors if name.endswith("down_proj.weight"))
    tensors[name] = torch.full_like(tensors[name], 3e38)
    tensors[name][::2] *= -1
    save_file(tensors, weights, {"format": "pt"})
    is_one_line(here(study, "run"), "NaN|not finite|infinite")
    assert outputs(study) == []


@pytest.mark.fault("the address space of a run is used up")
@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_out_of_memory(study: Path, undisturbed: Rows) -> None:
    is_one_line(call(study, "run", fault=f"memory:{2**20}"), "memory")
    assert part_of(outputs(study), undisturbed)
    works(study, "run")
    assert outputs(study) == undisturbed


@pytest.mark.fault("a metric raises an error")
def test_a_metric_that_raises(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ethogram.metrics.base import declared

    def broken(output: Any) -> Any:
        raise ZeroDivisionError(f"division by zero in {len(output.text)}")

    whole = outputs(ran)
    forget_scores(ran)
    rest = ("compare", "v0.0.1", "v0.1.0", "--metric", "rep_4")
    with monkeypatch.context() as patched:
        # A metric is frozen, so that its function is changed in its dictionary.
        patched.setitem(vars(declared["rep_4"]), "function", broken)
        is_one_line(here(ran, *rest), "metric rep_4: prompt p", "division by zero")
    assert outputs(ran) == whole
    works(ran, *rest)


@pytest.mark.fault("a metric hangs, and the user interrupts it")
def test_a_metric_that_hangs(ran: Path) -> None:
    whole = outputs(ran)
    forget_scores(ran)
    fault = "ethogram.metrics.base:Metric.measure:1:SIGSTOP"
    process = start(ran, "compare", "v0.0.1", "v0.1.0", fault=fault)
    stopped = f"/proc/{process.pid}/stat"
    for _ in range(1200):
        if process.poll() is not None or Path(stopped).read_text().rpartition(")")[2][1] in "TZ":
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    is_one_line(ended(process), "interrupted", code=130)
    assert outputs(ran) == whole
    works(ran, "compare", "v0.0.1", "v0.1.0")


def one_prompt(study: Path, line: bytes) -> None:
    """Add a line to the suite."""
    with (study / SUITE).open("ab") as suite:
        suite.write(line + b"\n")


@pytest.mark.fault("a prompt of 1 MB")
def test_a_prompt_of_a_megabyte(study: Path, undisturbed: Rows) -> None:
    good = (study / SUITE).read_bytes()
    one_prompt(study, json.dumps({"id": "long", "text": "sea " * 2**18}).encode())
    is_one_line(here(study, "run"), "long", "tokens")
    assert outputs(study) == []
    (study / SUITE).write_bytes(good)
    works(study, "run")
    assert outputs(study) == undisturbed


@pytest.mark.fault("invalid UTF-8 in a suite")
def test_invalid_utf8_in_a_suite(study: Path) -> None:
    one_prompt(study, b'{"id": "bad", "text": "caf\xe9 \xff"}')
    is_one_line(here(study, "run"), "prompts.jsonl", "UTF-8|utf-8")
    assert outputs(study) == []


@pytest.mark.fault("invalid UTF-8 in a version")
def test_invalid_utf8_in_a_version(study: Path) -> None:
    with (study / "versions/v1.0.0.yaml").open("ab") as file:
        file.write(b"learned: [caf\xe9]\n")
    is_one_line(here(study, "run"), "v1.0.0.yaml", "UTF-8|utf-8")
    assert outputs(study) == []


@pytest.mark.fault("a lone surrogate in a prompt")
def test_a_lone_surrogate(study: Path) -> None:
    one_prompt(study, b'{"id": "half", "text": "sea \\ud800 sea"}')
    is_one_line(here(study, "run"), "prompts.jsonl|half", "[Uu]nicode")
    assert outputs(study) == []


@pytest.mark.fault("NUL in a prompt")
def test_nul_in_a_prompt(study: Path, undisturbed: Rows) -> None:
    one_prompt(study, b'{"id": "nul", "text": "sea \\u0000 sea"}')
    works(study, "run")
    found = outputs(study)
    assert part_of(undisturbed, found)
    assert sum(row[1] == "nul" for row in found) == 5
    works(study, "log")
    works(study, "verify")
    works(study, "export", "out.jsonl")
    assert len((study / "out.jsonl").read_text().splitlines()) == len(found)


@pytest.mark.fault("a suite of a million rows")
@pytest.mark.parametrize("rows", [10**4, pytest.param(10**6, marks=pytest.mark.slow)])
def test_a_long_suite(study: Path, undisturbed: Rows, rows: int) -> None:
    good = (study / SUITE).read_text()
    with (study / SUITE).open("w") as suite:
        suite.writelines(f'{{"id": "q{n}", "text": "number {n}"}}\n' for n in range(rows))
        suite.write('{"id": "q7", "text": "again"}\n')
    is_one_line(here(study, "run", "v0.0.1"), f"prompts.jsonl:{rows + 1}", "q7")
    (study / SUITE).write_text(good)
    works(study, "run")
    assert outputs(study) == undisturbed


@pytest.mark.fault("a version names itself as its ancestor")
def test_a_circle_of_parents(study: Path) -> None:
    version = study / "versions/v0.1.0.yaml"
    version.write_text(version.read_text().replace("parent: v0.0.1", "parent: v1.0.0"))
    is_one_line(here(study, "run"), "v0.1.0|v1.0.0", "parent|ancestor|circle|cycle")


@pytest.mark.fault("a suite is emptied after a run")
def test_an_empty_suite(ran: Path) -> None:
    whole = outputs(ran)
    (ran / SUITE).write_text("")
    is_one_line(here(ran, "run"), "prompts.jsonl")
    assert outputs(ran) == whole
