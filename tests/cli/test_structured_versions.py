"""Versions with a response format: run, stored, shown, traced, chatted with, exported, imported."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.cli.calls import Run

from ethogram.spec import Version
from ethogram.spec.response_format import with_schema_as_text
from ethogram.study import Study, export, import_outputs, run, trace, versions
from ethogram.study.chatting import Chat

FORMED = "v0.2.0"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"z": {"type": "string"}, "a": {"enum": [1, "é", None]}},
    "required": ["z", "a"],
    "additionalProperties": False,
}


@pytest.fixture
def folder(tiny_study: Path) -> Path:
    form = {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA}}
    decoding = {"max_new_tokens": 40, "response_format": form}
    wrapper = {"confidence": True, "candidates": 2, "most_sentences": 1}
    whole = {"title": "Form", "parent": "v0.1.0", "decoding": decoding, "wrapper": wrapper}
    (tiny_study / f"versions/{FORMED}.yaml").write_text(json.dumps(whole))
    return tiny_study


def all_valid(texts: Sequence[str]) -> bool:
    return all(Draft202012Validator(SCHEMA).is_valid(json.loads(text)) for text in texts)


def test_outputs_of_a_form_survive_the_store_an_export_and_an_import(folder: Path) -> None:
    path = folder / "rows.jsonl"
    with Study(folder) as study:
        run(study, [FORMED])
        made = study.generations(FORMED)
        assert made
        assert all_valid([each.text for each in made])
        assert "closed" in {each.finish_reason for each in made}
        assert all(each.guarded and each.guarded.agreement is not None for each in made)
        [status] = [each for each in versions(study) if each.version == FORMED]
        assert (status.stored, status.stale) == (status.wanted, "")
        export(study, path, [FORMED])
        import_outputs(study, path, "v5.0.0")
    with Study(folder) as study:
        run(study, [FORMED, "v5.0.0"])
        assert study.generations(FORMED) == made
        again = study.generations("v5.0.0")
        assert [each.finish_reason for each in again] == [each.finish_reason for each in made]
        assert [each.guarded for each in again] == [each.guarded for each in made]
        traced = trace(study, FORMED, prompt=made[0].prompt_id)
        assert traced is not None


def test_a_conversation_gives_its_reply_as_an_object(
    folder: Path, ethogram: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Study(folder) as study:
        answer = Chat(study, FORMED).say("Who are you?").answer
    assert all_valid([answer.answer])
    assert answer.data == json.loads(answer.answer)
    assert list(answer.data) == ["z", "a"]
    assert answer.sentences == ()
    assert 0 < (answer.token_probability or 0) <= 1
    assert answer.agreement in (0.5, 1.0)
    monkeypatch.setattr(sys, "stdin", io.StringIO("hi\n"))
    code, out, error = ethogram("chat", FORMED, "--study", str(folder), "--json")
    assert code == 0, error
    [line] = out.splitlines()
    told = json.loads(line)
    assert all_valid([told["answer"]])
    assert set(told) == {
        *("answer", "data", "sentences", "confidence", "flags", "finish_reason", "usage")
    }


def test_a_schema_that_cannot_be_served_is_one_line(folder: Path, ethogram: Run) -> None:
    form = {"type": "json_schema", "json_schema": {"schema": {"not": {}}}}
    whole = {"title": "No", "parent": "v0.1.0", "decoding": {"response_format": form}}
    (folder / "versions/v0.3.0.yaml").write_text(json.dumps(whole))
    code, _, error = ethogram("run", "v0.3.0", "--study", str(folder))
    assert code == 2
    assert "not is not supported" in error
    assert "Traceback" not in error


def test_a_version_is_stored_with_its_schema_in_order(folder: Path) -> None:
    with Study(folder) as study:
        version = study.versions[FORMED]
    form = version.decoding.response_format
    assert form is not None
    fields = version.model_dump(mode="json", exclude_defaults=True)
    fields["decoding"]["response_format"] = with_schema_as_text(form)
    again = Version.model_validate(json.loads(json.dumps(fields, sort_keys=True)))
    assert again.identity == version.identity
    sorted_only = version.model_dump(mode="json", exclude_defaults=True)
    other = Version.model_validate(json.loads(json.dumps(sorted_only, sort_keys=True)))
    assert other.identity != version.identity, "the order of keys does not matter"
