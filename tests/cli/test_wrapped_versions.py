"""Versions with a wrapper: what a guard did is stored, shown, exported, imported, and ablated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import Run, one_line, parsed

import ethogram as eg
from ethogram.errors import SpecError
from ethogram.spec.wrapper import LoopBreaker, Wrapper
from ethogram.study import Study, ablate, export, import_outputs, outputs, run, trace

WRAPPED = "v0.2.0"


@pytest.fixture
def folder(tiny_study: Path) -> Path:
    """The tiny study with a version whose guards act on most outputs."""
    (tiny_study / f"versions/{WRAPPED}.yaml").write_text(
        "title: Wrapped\nparent: v0.1.0\n"
        "wrapper: {loop_breaker: {copies: 2, tokens: 4, breaks: 2}, candidates: 2, "
        "confidence: true}\n"
    )
    return tiny_study


def test_a_run_stores_what_the_guards_did(folder: Path) -> None:
    with Study(folder) as study:
        run(study, ["v0.1.0", WRAPPED])
        made = study.generations(WRAPPED)
        assert all(each.guarded is not None for each in made)
        acted = [each for each in made if each.guarded and each.guarded.actions]
        assert acted
        assert all(each.guarded is None for each in study.generations("v0.1.0"))
        shown = outputs(study, WRAPPED).to_json()["outputs"]
        assert [row["guarded"] for row in shown] == [
            each.guarded.to_json() for each in made if each.guarded
        ]
        run(study, [WRAPPED])
        assert study.generations(WRAPPED) == made


def test_outputs_show_the_guards_and_raw_completions(folder: Path, ethogram: Run) -> None:
    with Study(folder) as study:
        run(study, [WRAPPED])
    arguments = ("outputs", WRAPPED, "-n", "0", "--study", str(folder))
    code, plain, _ = ethogram(*arguments)
    assert code == 0
    assert "(candidates: chose" in plain
    assert "\nraw" not in plain
    code, raw, _ = ethogram(*arguments, "--raw")
    assert code == 0
    rows = parsed(ethogram(*arguments, "--json"))["outputs"]
    changed = [row for row in rows if row["guarded"]["raw_text"] != row["output"]]
    assert raw.count("\nraw") == len(changed)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_an_export_keeps_them_and_an_import_reads_them(folder: Path, suffix: str) -> None:
    path = folder / f"rows{suffix}"
    with Study(folder) as study:
        run(study, [WRAPPED])
        export(study, path, [WRAPPED])
        made = study.generations(WRAPPED)
        import_outputs(study, path, "v5.0.0")
    with Study(folder) as study:
        run(study, ["v5.0.0"])
        again = study.generations("v5.0.0")
    assert [each.guarded for each in again] == [each.guarded for each in made]
    assert [each.text for each in again] == [each.text for each in made]


@pytest.mark.parametrize("wrong", [3, {"raw_text": "a"}, "nothing", [], {"actions": 1}])
def test_a_wrong_record_of_guards_is_refused(folder: Path, wrong: object) -> None:
    path = folder / "wrong.jsonl"
    path.write_text(json.dumps({"prompt": "a", "output": "b", "guarded": wrong}) + "\n")
    with Study(folder) as study, pytest.raises(SpecError, match="guarded: not what"):
        import_outputs(study, path, "v5.0.0")


def test_a_trace_of_a_wrapped_version_keeps_its_guards(folder: Path) -> None:
    with Study(folder) as study:
        run(study, [WRAPPED], trace=True)
        before = study.generations(WRAPPED)
        for made in before:
            how = study.store.traces([made.identity])[made.identity]
            assert len(how) == len(made.token_ids)
        found = trace(study, WRAPPED, "p0")
        assert found.generation.guarded == before[0].guarded


def test_a_trace_that_generates_stores_the_guarded_reply(folder: Path) -> None:
    with Study(folder) as study:
        found = trace(study, WRAPPED, "p0")
        assert found.generation.guarded is not None
        stored = study.store.get([found.generation.identity])[found.generation.identity]
        assert stored.guarded == found.generation.guarded


def test_ablate_takes_the_fields_of_a_wrapper_one_by_one(folder: Path) -> None:
    with Study(folder) as study:
        found = ablate(study, WRAPPED, metrics=["words"])
    fields = {each.change.field for each in found.changes}
    assert fields == {"wrapper.loop_breaker", "wrapper.candidates", "wrapper.confidence"}
    assert all(each.alone and each.left_out for each in found.changes)


def test_generate_wraps_too(folder: Path) -> None:
    model = json.loads(json.dumps(str(Study(folder).versions["v0.1.0"].model)))
    version = eg.Version(
        model=model,
        decoding=eg.Decoding(strategy="greedy", max_new_tokens=40),
        wrapper=Wrapper(loop_breaker=LoopBreaker(copies=2, tokens=4), whole_sentences=True),
    )
    [made] = eg.generate("the cat", version)
    assert made.guarded is not None
    [plain] = eg.generate("the cat", version.model_copy(update={"wrapper": Wrapper()}))
    assert plain.guarded is None
    # It ends where a loop is found, and has the same start.
    assert plain.text.startswith(made.guarded.raw_text)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("backend: vllm\nwrapper: {loop_breaker: true}", ("vLLM", "loop_breaker", "v0.3.0.yaml:3")),
        (
            "decoding: {strategy: contrastive, penalty_alpha: 0.6, top_k: 4}\n"
            "wrapper: {loop_breaker: true}",
            ("wrapper.loop_breaker", "contrastive search", "v0.3.0.yaml"),
        ),
        ("wrapper: {retry: {decoding: {temprature: 1}}}", ("temprature", "v0.3.0.yaml:2")),
        ("wrapper: {candidates: 0}", ("wrapper.candidates", "v0.3.0.yaml:2")),
    ],
)
def test_what_cannot_be_wrapped_is_refused_when_the_study_is_read(
    folder: Path, ethogram: Run, settings: str, words: tuple[str, ...]
) -> None:
    (folder / "versions/v0.3.0.yaml").write_text(
        f"model: {Study(folder).versions['v0.1.0'].model}\n{settings}\n"
    )
    one_line(ethogram("ls", "--study", str(folder)), *words)
