"""A version with an amateur: loaded beside the model, part of what keys its generations."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import ModelError, RequestError
from ethogram.models import ModelReference
from ethogram.study import Study, run, trace


def write(folder: Path, name: str, decoding: str, parent: str = "v0.1.0") -> None:
    text = f"title: {name}\nparent: {parent}\ndecoding: {{{decoding}}}\n"
    (folder / f"versions/{name}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def study_folder(tiny_study: Path, checkpoint: Callable[..., Path]) -> Path:
    """The tiny study with a GPT-2 of the same tokenizer in its folder, under two names."""
    for name in ("small", "copied"):
        shutil.copytree(checkpoint("gpt2"), tiny_study / "models" / name)
    return tiny_study


def test_a_trace_has_the_amateur_that_a_run_has(study_folder: Path) -> None:
    write(study_folder, "v0.2.0", "amateur: models/small")
    with Study(study_folder) as study:
        prompt = study.suite("v0.2.0").prompts[0].id
        traced = trace(study, "v0.2.0", prompt)
        run(study, ["v0.2.0"])
        made = next(one for one in study.generations("v0.2.0") if one.prompt_id == prompt)
    assert traced.generation.token_ids == made.token_ids
    assert traced.generation.logprobs == made.logprobs


def test_own_text_is_traced_with_the_amateur(study_folder: Path) -> None:
    """Of a suite prompt's text, the output is the one that the suite's prompt has."""
    write(study_folder, "v0.2.0", "amateur: models/small, temperature: 0.01")
    with Study(study_folder) as study:
        prompt = study.suite("v0.2.0").prompts[0]
        shown = trace(study, "v0.2.0", text=prompt.as_text())
        listed = trace(study, "v0.2.0", prompt.id)
    assert not shown.in_suite
    assert shown.generation.prompt_text == listed.generation.prompt_text
    assert shown.trace.entropy[0] == listed.trace.entropy[0]


def test_a_run_loads_each_model_once_and_says_which(study_folder: Path) -> None:
    write(study_folder, "v0.2.0", "amateur: models/small")
    write(study_folder, "v0.3.0", "amateur: models/small, contrastive_beta: 0.5")
    names: list[str] = []
    with Study(study_folder) as study:
        result = run(study, ["v0.1.0", "v0.2.0", "v0.3.0", "v1.0.0"], on_load=names.append)
        texts = [[g.text for g in study.generations(v)] for v in ("v0.1.0", "v0.2.0", "v0.3.0")]
        expert = study.model_reference("v0.1.0").model
    assert names == [expert, str((study_folder / "models/small").resolve())]
    assert result.made == 48
    assert len({tuple(some) for some in texts}) == 3
    with Study(study_folder) as study:
        assert run(study).made == 6, "only v0.0.1 is missing"


def test_the_same_weights_under_another_name_generate_nothing_again(study_folder: Path) -> None:
    write(study_folder, "v0.2.0", "amateur: models/small")
    write(study_folder, "v0.3.0", "amateur: models/copied")
    with Study(study_folder) as study:
        assert study.versions["v0.2.0"].identity != study.versions["v0.3.0"].identity
        assert run(study, ["v0.2.0"]).made == 12
        assert run(study, ["v0.3.0"]).made == 0


def test_other_weights_under_the_same_name_are_another_amateur(
    study_folder: Path, checkpoint: Callable[..., Path]
) -> None:
    write(study_folder, "v0.2.0", "amateur: models/small")
    with Study(study_folder) as study:
        run(study, ["v0.2.0"])
    shutil.rmtree(study_folder / "models/small")
    shutil.copytree(checkpoint("gpt_neox"), study_folder / "models/small")
    with Study(study_folder) as study:
        assert run(study, ["v0.2.0"]).made == 12


def test_a_model_may_be_its_own_amateur(study_folder: Path) -> None:
    names: list[str] = []
    with Study(study_folder) as study:
        model = study.versions["v0.1.0"].model
        before = run(study, ["v0.1.0"], on_load=names.append)
    write(study_folder, "v0.2.0", f"amateur: {model}, contrastive_beta: 1, contrastive_alpha: 0")
    with Study(study_folder) as study:
        run(study, ["v0.2.0"], on_load=names.append)
        texts = [[g.text for g in study.generations(v)] for v in ("v0.1.0", "v0.2.0")]
    assert before.made == 12
    assert names == [model, model], "once a run, although it is both"
    assert texts[0] == texts[1]


def test_another_tokenizer_is_refused_before_anything_runs(
    study_folder: Path, stored: Callable[[Path], dict[str, Any]]
) -> None:
    from tests.conftest import byte_level_tokenizer

    words = byte_level_tokenizer()
    words.add_tokens(["<more>"])
    words.save_pretrained(study_folder / "models/small")
    write(study_folder, "v0.2.0", "contrastive: {amateur: models/small}")
    with Study(study_folder) as study, pytest.raises(RequestError) as caught:
        run(study, ["v0.2.0"])
    message = str(caught.value)
    assert "v0.2.0.yaml:3: decoding.contrastive.amateur" in message
    assert "a different tokenizer from the model" in message
    assert stored(study_folder) == {}


def test_an_amateur_that_is_not_here_is_named(study_folder: Path) -> None:
    write(study_folder, "v0.2.0", "amateur: nobody/nothing@dev")
    with Study(study_folder) as study, pytest.raises(ModelError) as caught:
        run(study, ["v0.2.0"])
    told = str(caught.value)
    assert told.startswith(
        "model nobody/nothing: this model is not downloaded, and there is no folder "
        "nobody/nothing; fetch it with"
    )
    assert told.endswith("--revision dev")


@pytest.mark.parametrize(
    ("name", "model", "revision"),
    [
        ("org/name@main", "org/name", "main"),
        ("gpt2@feature/one", "gpt2", "feature/one"),
        ("gpt2", "gpt2", None),
        ("./models/a@b", "./models/a@b", None),
        ("/models/a@b.gguf", "/models/a@b.gguf", None),
    ],
)
def test_a_revision_stands_behind_a_hub_id(name: str, model: str, revision: str | None) -> None:
    assert ModelReference.parse(name) == ModelReference(model, revision=revision)
