"""Every mistake of a user is one line with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.calls import Run, one_line

MISTAKES = [
    (
        "versions/v0.1.0.yaml",
        "decoding: {temperatur: 1}",
        ("v0.1.0.yaml:", "temperature"),
    ),
    ("versions/v0.1.0.yaml", "decoding: {temperature: hot}", ("v0.1.0.yaml:", "temperature")),
    ("versions/v0.1.0.yaml", "decoding: {temperature: -1}", ("v0.1.0.yaml:", "temperature")),
    ("versions/v0.1.0.yaml", "decoding: {top_p: 0}", ("v0.1.0.yaml:", "top_p")),
    ("versions/v0.1.0.yaml", "decoding: {top_p: 1.5}", ("v0.1.0.yaml:", "top_p")),
    ("versions/v0.1.0.yaml", "parent: v9.9.9", ("v9.9.9",)),
    ("versions/v0.0.1.yaml", "parent: v1.0.0", ("each other's parents",)),
    ("versions/v0.1.0.yaml", "a: b: c", ("v0.1.0.yaml",)),
    ("suites/prompts.jsonl", "", ("prompts.jsonl", "empty")),
    ("study.yaml", "nam: x", ("study.yaml:", "nam")),
]


@pytest.mark.parametrize(("name", "line", "words"), MISTAKES)
def test_a_mistake_in_a_file(
    ethogram: Run, tiny_study: Path, name: str, line: str, words: tuple[str, ...]
) -> None:
    path = tiny_study / name
    kept = "" if not line else path.read_text()
    if line.startswith(("decoding", "parent")):
        field = line.split(":")[0]
        kept = "".join(
            part for part in kept.splitlines(keepends=True) if not part.startswith(field)
        )
    path.write_text(f"{kept}{line}\n" if line else "")
    one_line(ethogram("run", "--study", str(tiny_study)), *words)


def test_a_broken_line_and_a_doubled_id(ethogram: Run, tiny_study: Path) -> None:
    suite = tiny_study / "suites/prompts.jsonl"
    good = suite.read_text()
    suite.write_text(good + '{"id": "p7", "text": \n')
    one_line(ethogram("run", "--study", str(tiny_study)), "prompts.jsonl:7")
    suite.write_text(good + '{"id": "p0", "text": "again"}\n')
    one_line(ethogram("run", "--study", str(tiny_study)), "prompts.jsonl:7", "p0")


def test_a_broken_model_folder(ethogram: Run, tiny_study: Path, tmp_path: Path) -> None:
    import shutil

    version = tiny_study / "versions/v0.0.1.yaml"
    model = version.read_text().split("model: ")[1].splitlines()[0]
    broken = Path(shutil.copytree(model, tmp_path / "broken"))
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    version.write_text(version.read_text().replace(model, str(broken)))
    one_line(ethogram("run", "--study", str(tiny_study)), "model.safetensors", "bytes")
    weights.unlink()
    one_line(ethogram("run", "--study", str(tiny_study)), "model.safetensors is missing")
    version.write_text(version.read_text().replace(str(broken), "gpt2"))
    one_line(ethogram("run", "--study", str(tiny_study)), "ethogram pull gpt2")


def test_a_prompt_longer_than_the_context(ethogram: Run, tiny_study: Path) -> None:
    with (tiny_study / "suites/prompts.jsonl").open("a") as suite:
        suite.write('{"id": "endless", "text": "%s"}\n' % ("sea " * 400))
    one_line(ethogram("run", "--study", str(tiny_study)), "endless", "256")


def test_wrong_usage(ethogram: Run, tmp_path: Path, tiny_study: Path) -> None:
    one_line(ethogram("run", "--study", str(tmp_path / "none")), "study.yaml")
    one_line(ethogram("sow", "v0.0.1"), "sow", "did you mean 'show'?")
    one_line(ethogram("versions"), "did you mean 'ls'?")
    one_line(ethogram("qqqq"), "ethogram --help")
    one_line(ethogram("show"), "VERSION")
    one_line(ethogram("show", "v7.7.7", "--study", str(tiny_study)), "v7.7.7")
    one_line(ethogram("score", str(tmp_path / "none.jsonl")), "none.jsonl")
    one_line(ethogram("compare", "v0.0.1", "v0.1.0", "--study", str(tiny_study)), "ethogram run")
    assert ethogram("--version")[1].startswith("ethogram")


def test_what_the_system_refuses_is_one_line(
    ethogram: Run, tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "store.sqlite")

    monkeypatch.setattr("ethogram.store.Store.open", full)
    one_line(ethogram("log", "--study", str(tiny_study)), "store.sqlite: No space left on device")


def test_a_broken_log_is_one_line(ethogram: Run, tiny_study: Path) -> None:
    (tiny_study / "PROGRESS.md").write_text("<!-- ethogram:begin v0.0.1 -->\nmine\n")
    for verb in ("log", "verify"):
        one_line(ethogram(verb, "--study", str(tiny_study)), "PROGRESS.md:1", "has no end marker")


@pytest.mark.parametrize("value", ["two", "0", "-1"])
@pytest.mark.parametrize("arguments", [("run",), ("trace", "v0.1.0", "-p", "p1"), ("check",)])
def test_a_bad_number_of_threads_is_refused_before_any_work(
    ethogram: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    value: str,
) -> None:
    monkeypatch.setenv("ETHOGRAM_THREADS", value)
    # The folder holds no study, which the command would have said otherwise.
    at = ("--study", str(tmp_path))
    one_line(ethogram(*arguments, *at), f"ETHOGRAM_THREADS: '{value}'", "set it to 1 or more")
    assert ethogram(arguments[0], "--help")[0] == 0
