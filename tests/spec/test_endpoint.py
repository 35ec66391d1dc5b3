"""Versions at endpoints as files: the backend that follows, identities, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethogram.errors import SpecError
from ethogram.spec import StudySpec, load_study

FAR = "model: openai:qwen3\nbase_url: http://localhost:11434/v1/\n"


def study_of(folder: Path, settings: str = "", **files: str) -> StudySpec:
    """A study with version files v0.1.0, v0.2.0, … by their names without dots."""
    (folder / "versions").mkdir()
    (folder / "study.yaml").write_text(f"name: far\n{settings}", encoding="utf-8")
    for name, text in files.items():
        file = folder / f"versions/{'.'.join(name)}.yaml"
        file.write_text(text, encoding="utf-8")
    return load_study(folder)


def test_the_backend_follows_from_the_model(tmp_path: Path) -> None:
    versions = study_of(
        tmp_path,
        **{
            "010": FAR,
            "011": "parent: 0.1.0\ntitle: The same\n",
            "012": "parent: 0.1.0\nbase_url: http://localhost:1/v1\n",
            "013": "parent: 0.1.0\napi: vllm\n",
            "014": "parent: 0.1.0\nmodel: gpt2\n",
            "020": "model: gpt2\n",
        },
    ).versions
    assert [version.backend for version in versions.values()] == ["openai"] * 4 + ["engine"] * 2
    assert versions["0.1.0"].base_url == "http://localhost:11434/v1"
    same, other_place, other_api = (versions[f"0.1.{i}"].identity for i in (1, 2, 3))
    assert same == versions["0.1.0"].identity
    assert len({same, other_place, other_api}) == 3
    assert versions["0.1.4"].identity == versions["0.2.0"].identity, "an address means nothing here"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("decoding: {min_p: 0.1}", 3, "decoding.min_p: OpenAI's API has no min-p; turn it off"),
        ("decoding: {bad_words: [a]}", 3, "OpenAI's API has no bad words; turn it off (bad_words"),
        ("api: vllm\ndecoding: {bad_words: [a]}", 4, "vLLM's API has no bad words"),
        ("api: vllm\ndecoding: {min_p: 0.1, top_p: 0.9}", 4, "set `order: vllm`"),
        ("api: llamacpp\ndecoding: {top_p: 0.9, temperature: 2}", 4, "set `order: llamacpp`"),
        ("decoding: {stop_token_ids: [2]}", 3, "takes no token ids that end an output"),
        ("decoding: {stop: [a, b, c, d, e]}", 3, "OpenAI's API takes 4 stop strings"),
        ("decoding: {self_consistency: 3}", 3, "self_consistency: an endpoint gives one output"),
        ("decoding: {presence_penalty: 3}", 3, "takes -2 to 2 and it is 3"),
        ("wrapper: {loop_breaker: true}", 3, "an endpoint takes no forced first tokens"),
        ("wrapper: {confidence: true}", 3, "an endpoint is not asked for token probabilities"),
        ("wrapper: {candidates: 2}", 3, "an endpoint is not asked for token probabilities"),
        ("wrapper: {history_tokens: 99}", 3, "an endpoint counts no tokens"),
        ("wrapper: {retry: {decoding: {min_new_tokens: 2}}}", 3, "has no minimum length"),
        ("prompt: {chat: true, template_args: {a: 1}}", 3, "no arguments of the model's chat"),
        ("prompt: {chat: true, continue_final: true}", 3, "cannot continue a message"),
        ("dtype: bfloat16", 3, "dtype: the endpoint decides it; set `dtype: float32`"),
        ("revision: main", 3, "revision: the endpoint decides it; set `revision: null`"),
    ],
)
def test_what_an_endpoint_cannot_take_is_refused_where_it_is_written(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(SpecError) as caught:
        study_of(tmp_path, **{"010": FAR + text})
    assert f"0.1.0.yaml:{line}: " in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("base_url: http://h/v1", "base_url: is of models at endpoints"),
        ("api: vllm", "api: is of models at endpoints"),
        ("backend: openai", "backend: is of models at endpoints"),
        ("model: openai:x\nbackend: vllm", "backend: vllm cannot run openai:x"),
        ("model: openai:x\nbase_url: http://me:pw@h/v1", "keys come from the environment only"),
        ("model: openai:x\nbase_url: http://h/v1?key=a", "keys come from the environment only"),
        ("model: openai:x\nbase_url: localhost:8000", "not an API address"),
        ("model: openai:x\nbase_url: file:///etc", "not an API address"),
        ("model: openai:x\nbase_url: 'http://['", "not an API address"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        study_of(tmp_path, **{"010": text})
    assert words in str(caught.value)
    assert "pw" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize("pair", ["{'openai:x': gpt2}", "{gpt2: 'openai:x'}"])
def test_endpoints_and_stand_ins_do_not_mix(tmp_path: Path, pair: str) -> None:
    with pytest.raises(SpecError, match="neither has a stand-in nor is one"):
        study_of(tmp_path, f"stand_ins: {pair}\n", **{"010": "model: gpt2"})
