"""Studies of chat models: roles, contents, arguments, open turns and dates, from file to output."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CHAT_TEMPLATE

from ethogram.cli import main
from ethogram.errors import RequestError, SpecError
from ethogram.spec.prompt import Prompt
from ethogram.spec.suite import ChatMessage, SuitePrompt
from ethogram.study import Study, dated_chats
from ethogram.study.run import run

TEXT = "the old lighthouse"


@pytest.fixture
def make_study(
    checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
) -> Callable[..., Path]:
    """Makes a study of one chat version: `make_study(template, suite_row, "{chat: true}")`."""

    def make(template: str = CHAT_TEMPLATE, row: Any = None, prompt: str = "{chat: true}") -> Path:
        model = tmp_path / "model"
        if not model.exists():
            shutil.copytree(checkpoint("llama", chat=True), model)
        (model / "chat_template.jinja").write_text(template)
        folder = tmp_path / "study"
        for name in ("versions", "suites"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "study.yaml").write_text("name: chats\n")
        (folder / "suites/prompts.jsonl").write_text(
            json.dumps({"id": "a", **(row or {"text": TEXT})}) + "\n"
        )
        (folder / "versions/v0.1.0.yaml").write_text(
            f"model: {model}\ndecoding: {{strategy: greedy, max_new_tokens: 3}}\nprompt: {prompt}\n"
        )
        return folder

    return make


def _prompt_text(folder: Path) -> str:
    with Study(folder) as study:
        run(study)
        (made,) = study.store.get(study.identities("v0.1.0")).values()
        return made.prompt_text


def test_a_refusing_template_names_prompt_and_version(
    make_study: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make_study("{{ raise_exception('System role not supported') }}")
    monkeypatch.setattr("sys.argv", ["ethogram", "run", "--study", str(folder)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert "prompt a (version v0.1.0): the model's chat template cannot format it" in told
    assert "(System role not supported)" in told


def test_a_last_assistant_message_is_continued_by_itself(make_study: Callable[..., Path]) -> None:
    row = {
        "messages": [
            {"role": "user", "content": "Which river?"},
            {"role": "assistant", "content": "The longest river is the"},
        ]
    }
    assert _prompt_text(make_study(row=row)).endswith("<|assistant|>The longest river is the")
    closed = _prompt_text(make_study(row=row, prompt="{chat: true, continue_final: false}"))
    assert closed.endswith("river is the\n<|assistant|>")


def test_arguments_of_the_template(make_study: Callable[..., Path]) -> None:
    template = CHAT_TEMPLATE + "{% if enable_thinking is false %}<think></think>{% endif %}"
    assert _prompt_text(make_study(template)).endswith("<|assistant|>")
    prompt = "{chat: true, template_args: {enable_thinking: false}}"
    assert _prompt_text(make_study(template, prompt=prompt)).endswith("<think></think>")


def test_roles_and_contents_of_chat_apis(make_study: Callable[..., Path]) -> None:
    row = {
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be "}, {"text": "brief."}]},
            {"role": "assistant", "content": None},
            {"role": "tool", "content": "42"},
        ]
    }
    text = _prompt_text(make_study(row=row))
    assert text == "<|developer|>Be brief.\n<|assistant|>\n<|tool|>42\n<|assistant|>"


@pytest.mark.parametrize("part", [{"type": "image_url", "image_url": {}}, "text", {"type": "text"}])
def test_parts_that_are_no_text_are_refused(part: Any) -> None:
    with pytest.raises(ValueError, match="cannot be read; only text can"):
        ChatMessage.model_validate({"role": "user", "content": [part]})


def test_identities_of_ordinary_chats_are_those_of_before(
    make_study: Callable[..., Path],
) -> None:
    from ethogram.spec.identity import digest

    with Study(make_study()) as study:
        (request,) = study.requests("v0.1.0")
        assert request.identity == digest(
            {
                "model": study.model_identity("v0.1.0"),
                "decoding": request.decoding.canonical(),
                "prompt": {"chat": True},
                "input": [["user", TEXT]],
                "noise": None,
            }
        )
    assert "template_args" not in Prompt(chat=True).canonical()


def test_what_changes_the_prompt_changes_the_identity(make_study: Callable[..., Path]) -> None:
    found = set()
    for prompt in (
        "{chat: true}",
        "{chat: true, template_args: {a: 1}}",
        "{chat: true, template_args: {a: 2}}",
    ):
        with Study(make_study(prompt=prompt)) as study:
            found |= set(study.identities("v0.1.0"))
    assert len(found) == 3


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"messages": []}, "messages is set by Ethogram"),
        ({"continue_final_message": True}, "continue_final_message is set by Ethogram"),
        ({"x": {1, 2}}, "only numbers, texts, lists and mappings"),
        ({"x": float("nan")}, "only numbers, texts, lists and mappings"),
    ],
)
def test_arguments_that_are_refused(arguments: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Prompt(chat=True, template_args=arguments)


def test_only_an_assistant_can_be_continued(make_study: Callable[..., Path]) -> None:
    with (
        Study(make_study(prompt="{chat: true, continue_final: true}")) as study,
        pytest.raises(RequestError, match="its last message has role user"),
    ):
        run(study)


class TestDates:
    """Templates that write the date: the finished prompt is part of the identity."""

    DATED = "{{ date if date is defined else strftime_now('%d %b %Y') }} " + CHAT_TEMPLATE

    @staticmethod
    def _on(day: str, folder: Path) -> tuple[int, str]:
        from datetime import datetime

        with Study(folder) as study:
            study.dated_chats = dated_chats.DatedChats(datetime.fromisoformat(day))
            made = run(study).made
            (generation,) = study.store.get(study.identities("v0.1.0")).values()
            return made, generation.prompt_text

    def test_another_day_is_another_prompt(
        self,
        make_study: Callable[..., Path],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        folder = make_study(self.DATED)
        with caplog.at_level(logging.WARNING):
            assert self._on("2024-05-01", folder)[1].startswith("01 May 2024 ")
        assert "its chat template writes the date into the prompt" in caplog.text
        assert self._on("2024-05-01", folder)[0] == 0
        made, text = self._on("2024-05-02", folder)
        assert made == 1
        assert text.startswith("02 May 2024 ")

    def test_a_date_that_is_given_is_no_date(
        self,
        make_study: Callable[..., Path],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        folder = make_study(self.DATED, prompt="{chat: true, template_args: {date: 1 May}}")
        assert self._on("2024-05-01", folder)[0] == 1
        assert self._on("2024-05-02", folder)[0] == 0
        assert "writes the date" not in caplog.text


def test_the_last_message_may_be_any_of_a_suite() -> None:
    prompt = SuitePrompt.model_validate({"id": "a", "messages": [{"role": "tool", "content": "x"}]})
    assert Prompt(chat=True).chat_format(Prompt(chat=True).render(prompt)).continues is False
    with pytest.raises((SpecError, ValueError)):
        ChatMessage.model_validate({"role": "function", "content": "x"})
