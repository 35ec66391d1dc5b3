"""Every field of decoding, prompt and wrapper, away from its default, survives all its ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from ethogram.models import ModelReference
from ethogram.serve.catalogue import Served
from ethogram.spec import Decoding, Message, Suite, SuitePrompt, Version, make_requests
from ethogram.spec.prompt import Prompt
from ethogram.spec.space import Setting, apply
from ethogram.spec.wrapper import Wrapper
from ethogram.study import Study, diff, new_version, show
from ethogram.study.chatting import Chat

#: Field to a value that is not its default, and what it needs beside it.
DECODING: dict[str, tuple[Any, dict[str, Any]]] = {
    "strategy": ("greedy", {}),
    "order": (
        ["top_k", "temperature"],
        {"temperature": 0.5, "top_k": 3},
    ),
    "temperature": (0.7, {}),
    "top_k": (30, {}),
    "top_p": (0.9, {}),
    "min_p": (0.05, {}),
    "typical_p": (0.8, {}),
    "epsilon_cutoff": (0.001, {}),
    "eta_cutoff": (0.002, {}),
    "top_n_sigma": (1.5, {}),
    "top_h": (0.4, {}),
    "xtc.probability": (0.5, {}),
    "xtc.threshold": (0.2, {"xtc": {"probability": 0.5}}),
    "mirostat.tau": (4.0, {}),
    "mirostat.eta": (0.2, {"mirostat": {"tau": 4.0}}),
    "repetition_penalty": (1.2, {}),
    "frequency_penalty": (0.3, {}),
    "presence_penalty": (-0.4, {}),
    "dry.multiplier": (0.8, {}),
    "dry.base": (2.0, {"dry": {"multiplier": 0.8}}),
    "dry.allowed_length": (3, {"dry": {"multiplier": 0.8}}),
    "dry.penalty_last_n": (128, {"dry": {"multiplier": 0.8}}),
    "dry.sequence_breakers": (["\n", "é"], {"dry": {"multiplier": 0.8}}),
    "no_repeat_ngram_size": (3, {}),
    "logit_bias": ({"7": -2.5, "11": 4.0}, {}),
    "bad_words": (["no", [3, 4]], {}),
    "min_new_tokens": (4, {}),
    "guidance_scale": (1.5, {}),
    "negative_prompt": ('Be "long": yes\nand dull', {"guidance_scale": 1.5}),
    "contrastive.amateur": ("gpt2", {}),
    "contrastive.alpha": (0.2, {"contrastive": {"amateur": "gpt2"}}),
    "contrastive.beta": (0.4, {"contrastive": {"amateur": "gpt2"}}),
    "contrastive.amateur_temperature": (0.6, {"contrastive": {"amateur": "gpt2"}}),
    "dola_layers": ([0, 2], {}),
    "num_beams": (3, {"strategy": "beam", "num_beams": 2}),
    "length_penalty": (0.5, {"num_beams": 3}),
    "early_stopping": ("never", {"num_beams": 3}),
    "penalty_alpha": (0.6, {"strategy": "contrastive", "penalty_alpha": 0.4, "top_k": 4}),
    "best_of": (4, {}),
    "best_of_by": ("total", {"best_of": 4}),
    "self_consistency": (5, {}),
    "answer": ("text", {"self_consistency": 5}),
    "answer_pattern": (
        "B: (\\d+)",
        {"self_consistency": 5, "answer": "pattern", "answer_pattern": "A: (.*)"},
    ),
    "prompt_lookup_num_tokens": (6, {"strategy": "greedy"}),
    "max_matching_ngram_size": (3, {"strategy": "greedy", "prompt_lookup_num_tokens": 6}),
    "response_format": (
        {
            "type": "json_schema",
            "json_schema": {
                "name": "reply",
                "schema": {
                    "type": "object",
                    "properties": {"z": {"enum": ["é", None, 1.5]}, "a": {"type": "string"}},
                    "required": ["z"],
                },
            },
        },
        {"response_format": {"type": "json_object"}},
    ),
    "max_new_tokens": (33, {}),
    "stop": (["\nQ:", "no", "# x"], {}),
    "stop_token_ids": ([5, 6], {}),
    "forced_tokens": (["fr", 9], {}),
}
PROMPT: dict[str, tuple[Any, dict[str, Any]]] = {
    "template": ("Q: {{ input }}\nA:", {}),
    "system": ("Be brief: 'yes' — or no", {"chat": True}),
    "chat": (True, {}),
    "template_args": (
        {"enable_thinking": False, "depth": [1, {"a": "2024-01-01"}]},
        {"chat": True},
    ),
    "continue_final": (False, {"chat": True}),
    "examples": ([{"input": "a", "output": "b: c"}], {"template": "{{ examples }}{{ input }}"}),
    "stop": (["\n\n"], {}),
}
WRAPPER: dict[str, tuple[Any, dict[str, Any]]] = {
    "history_tokens": (512, {}),
    "stop_at_next_turn": (True, {}),
    "whole_sentences": (True, {}),
    "stop_when_answered": (True, {}),
    "most_sentences": (2, {}),
    "loop_breaker": (
        {"copies": 4, "tokens": 40, "period": 99, "ngram": 5, "breaks": 2},
        {},
    ),
    "candidates": (3, {}),
    "retry": ({"when": ["empty", "cut"], "decoding": {"temperature": 0.4}}, {}),
    "flag_sources": (True, {}),
    "confidence": (True, {}),
}
#: How fast, not what: they are no part of the identity.
SPEED = {"prompt_lookup_num_tokens", "max_matching_ngram_size"}
SUITE = Suite(prompts=(SuitePrompt(id="a", text="the sea"),))
IDENTITIES: dict[str, Any] = {"model_identity": "m", "amateur_identity": "n"}
MODEL = ModelReference("m")
CASES = [
    (section, name, value, beside)
    for section, table in (("decoding", DECODING), ("prompt", PROMPT), ("wrapper", WRAPPER))
    for name, (value, beside) in table.items()
]


def leaves(model: type[BaseModel]) -> set[str]:
    """Fields of a model; those of a group as `group.field`."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {f"{name}.{inner}" for inner in kind.model_fields}
        else:
            found.add(name)
    return found


def test_the_table_has_every_field() -> None:
    assert set(DECODING) == leaves(Decoding)
    assert set(PROMPT) == leaves(Prompt)
    assert set(WRAPPER) == leaves(Wrapper)


def written(path: Path, data: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(data, file)


def nested(name: str, value: Any, beside: dict[str, Any]) -> dict[str, Any]:
    """The settings with the field among them."""
    group, _, inner = name.partition(".")
    return {**beside, group: {**beside.get(group, {}), inner: value} if inner else value}


def nested_names(section: str, beside: dict[str, Any]) -> dict[str, Any]:
    """Dotted names of settings."""
    return {f"{section}.{name}": value for name, value in beside.items()}


def at(fields: Any, name: str) -> Any:
    for part in name.split("."):
        fields = fields[part]
    return fields


@pytest.mark.parametrize(("section", "name", "value", "beside"), CASES)
def test_a_field_survives(
    tmp_path: Path, section: str, name: str, value: Any, beside: dict[str, Any]
) -> None:
    for folder in ("versions", "suites"):
        (tmp_path / folder).mkdir()
    (tmp_path / "study.yaml").write_text("name: fields\n")
    (tmp_path / "suites/prompts.jsonl").write_text('{"id": "a", "text": "the sea"}\n')
    files = tmp_path / "versions"
    written(files / "v0.1.0.yaml", {section: beside} if beside else {"title": "defaults"})
    written(files / "v0.2.0.yaml", {section: nested(name, value, beside)})
    written(files / "v0.3.0.yaml", {"title": "heir", "parent": "v0.2.0"})
    with Study(tmp_path) as study:
        # Inherited and resolved.
        heir = study.versions["v0.3.0"]
        whole = show(study, "v0.3.0", resolved=True)
        assert at(whole.fields[section], name) == value
        assert getattr(heir, section) == getattr(study.versions["v0.2.0"], section)
        # Told apart, by the field's name alone.
        changes = diff(study, "v0.1.0", "v0.3.0").changes
        told = {change.field for change in changes}
        assert told == ({f"{section}.{name}"} | ({"identity"} & told)), told
        assert (heir.identity == study.versions["v0.1.0"].identity) == (name in SPEED)
        # As the store remembers the settings of a run.
        kept = json.loads(json.dumps(heir.model_dump(mode="json", exclude_defaults=True)))
        assert Version.model_validate(kept) == heir
        # What is shown is a version file.
        (files / "v0.4.0.yaml").write_text(whole.to_text(), encoding="utf-8")
        new_version(study, "v0.5.0", "v0.1.0", {f"{section}.{name}": value})
        # As a sweep tries it, as a run requests it, and as `ethogram chat` sets it.
        stated = {**nested_names(section, beside), f"{section}.{name}": value}
        tried = apply(study.versions["v0.1.0"], Setting(tuple(stated.items())), parent="v0.1.0")
        assert tried.identity == heir.identity
        [request] = make_requests(heir, SUITE, samples=1, seed=0, **IDENTITIES)
        assert request.decoding == heir.effective_decoding()
        assert request.wrapper == (None if heir.wrapper.is_plain else heir.wrapper)
        # As a server makes a request of a message.
        served = Served("heir", heir, MODEL, "m", amateur=(MODEL, "n"))
        message = [Message("user", "the sea")]
        [reply] = served.chat(message, heir.decoding, count=1, seed=0, prompt_id="a")
        assert (reply.identity, reply.prompt) == (request.identity, request.prompt)
        assert reply.decoding == request.decoding
        if name != "history_tokens":  # The server drops turns before it makes the request.
            assert reply.wrapper == request.wrapper
        chat = Chat(study, "v0.1.0")
        for field, setting in stated.items():
            chat.set(field, setting)
        assert chat.resolved.identity == heir.identity
        chat.save_version("v0.6.0")
    with Study(tmp_path) as study:
        for again in ("v0.4.0", "v0.5.0", "v0.6.0"):
            assert study.versions[again].identity == heir.identity, again
            assert at(show(study, again, resolved=True).fields[section], name) == value
        assert not diff(study, "v0.3.0", "v0.5.0").changes
