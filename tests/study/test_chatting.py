"""A conversation with a version: replies, settings, retries, and what is saved of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ethogram.errors import RequestError, SpecError
from ethogram.spec.generation import Message
from ethogram.study import Study, run
from ethogram.study.chatting import Chat

SAMPLED, CHAT = "v0.1.0", "v1.0.0"


def said(chat: Chat, text: str) -> tuple[str, str]:
    """The reply to a message, and its pieces joined."""
    pieces: list[str] = []
    made = chat.say(text, pieces.append)
    return made.generation.text, "".join(pieces)


@pytest.mark.parametrize("version", [SAMPLED, CHAT])
def test_a_streamed_reply_is_the_reply_that_is_kept(tiny_study: Path, version: str) -> None:
    with Study(tiny_study) as study:
        chat = Chat(study, version)
        reply, streamed = said(chat, "the cat")
        assert reply == streamed
        assert chat.messages == [Message("user", "the cat"), Message("assistant", reply)]
        quiet = Chat(study, version)
        assert quiet.say("the cat").generation.token_ids == chat.last.generation.token_ids  # type: ignore[union-attr]


def test_a_wrapped_version_replies_in_one_piece(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        chat = Chat(study, SAMPLED)
        chat.set("wrapper.most_sentences", 1)
        pieces: list[str] = []
        made = chat.say("the cat", pieces.append).generation
        assert pieces == [made.text]
        assert made.guarded is not None
        assert made.guarded.raw_text.startswith(made.text)


def test_a_retry_has_other_random_numbers_and_undo_forgets(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        chat = Chat(study, SAMPLED)
        first, _ = said(chat, "the cat")
        second = chat.retry().generation.text
        assert second != first
        assert [each.content for each in chat.messages] == ["the cat", second]
        said(chat, "the dog")
        chat.undo()
        assert [each.content for each in chat.messages] == ["the cat", second]
        chat.undo()
        assert chat.messages == []
        for refused in (chat.retry, chat.why):
            with pytest.raises(RequestError, match="there is no reply"):
                refused()


def test_a_changed_setting_acts_and_is_saved_as_a_child(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        chat = Chat(study, SAMPLED)
        with pytest.raises(SpecError, match="no setting was changed"):
            chat.save_version("v0.2.0")
        chat.set("max_new_tokens", 3)
        chat.set("prompt.template", "Q: {{ input }}")
        assert len(chat.say("the cat").generation.token_ids) <= 3
        for name, value in (("temprature", 1), ("temperature", -1)):
            with pytest.raises(SpecError):
                chat.set(name, value)
        assert list(chat.settings) == ["decoding.max_new_tokens", "prompt.template"]
        chat.save_version("v0.2.0")
        wanted = chat.resolved.identity
    with Study(tiny_study) as study:
        assert study.versions["v0.2.0"].identity == wanted
        assert study.versions["v0.2.0"].parent == SAMPLED


def test_another_version_continues_the_conversation(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        chat = Chat(study, SAMPLED)
        chat.set("max_new_tokens", 4)
        said(chat, "the cat")
        chat.use(CHAT)
        assert not chat.settings
        said(chat, "the dog")
        assert [each.role for each in chat.messages] == ["user", "assistant"] * 2
        assert "the cat" in chat.last.generation.prompt_text  # type: ignore[union-attr]
        with pytest.raises(SpecError):
            chat.use("v9.9.9")


def test_why_shows_the_tokens_of_the_last_reply(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        chat = Chat(study, SAMPLED)
        said(chat, "the cat")
        found = chat.why()
        assert chat.last is not None
        assert found.generation.token_ids == chat.last.generation.token_ids
        assert len(found.trace) == len(found.pieces)


def test_a_conversation_is_saved_and_appended(tiny_study: Path, tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_text('{"id": "x"}')  # Its last line has no end.
    with Study(tiny_study) as study:
        chat = Chat(study, CHAT)
        with pytest.raises(SpecError, match="nothing was said"):
            chat.save_conversation(path)
        reply, _ = said(chat, "the cat")
        chat.save_conversation(path)
    first, second = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert first == {"id": "x"}
    assert second["messages"] == [
        {"role": "user", "content": "the cat"},
        {"role": "assistant", "content": reply},
    ]


def test_a_long_conversation_drops_its_oldest_messages(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        chat = Chat(study, CHAT)
        chat.set("wrapper.history_tokens", 64)
        for _ in range(6):
            said(chat, "the cat sat on the mat")
        assert chat.last is not None
        assert chat.last.dropped > 0
        assert len(chat.last.generation.prompt_token_ids) <= 64
        before = list(chat.messages)
        with pytest.raises(RequestError, match="there is room for 64"):
            chat.say("the cat " * 80)
        assert chat.messages == before


def test_imported_outputs_cannot_reply(tiny_study: Path) -> None:
    (tiny_study / "outputs").mkdir()
    (tiny_study / "outputs/v2.jsonl").write_text(
        '{"prompt_id": "p0", "prompt": "a", "text": "b"}\n'
    )
    (tiny_study / "versions/v2.0.0.yaml").write_text("model: imported\noutputs: outputs/v2.jsonl\n")
    with Study(tiny_study) as study, pytest.raises(SpecError, match="cannot reply"):
        Chat(study, "v2.0.0")


@pytest.fixture
def beginning(checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    """A checkpoint whose tokenizer begins texts with token 1, as its template begins chats."""
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path / "beginning"
    shutil.copytree(checkpoint("llama", chat=True), folder)
    words = PreTrainedTokenizerFast.from_pretrained(folder)
    words.bos_token = "<eos>"
    words.backend_tokenizer.post_processor = TemplateProcessing(
        single="<eos> $A", special_tokens=[("<eos>", 1)]
    )
    words.chat_template = (
        "{{ bos_token }}{% for each in messages %}{{ each.role }}: {{ each.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    words.save_pretrained(folder)
    return folder


def test_one_beginning_of_sequence(beginning: Path, tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        for version in (SAMPLED, CHAT):
            chat = Chat(study, version)
            chat.set("model", str(beginning))
            chat.set("max_new_tokens", 2)
            for _ in range(2):
                made = chat.say("the cat").generation
                assert made.prompt_token_ids.count(1) == 1
                assert made.prompt_token_ids[0] == 1


def test_the_first_message_is_what_a_run_generates_from(tiny_study: Path) -> None:
    """Greedy: the same prompt text gives the same tokens in a chat and in a run."""
    with Study(tiny_study) as study:
        run(study, ["v0.0.1"])
        stored = study.generations("v0.0.1")[0]
        made = Chat(study, "v0.0.1").say("the old lighthouse keeper number 0 said").generation
        assert made.token_ids == stored.token_ids
        assert made.logprobs == stored.logprobs
