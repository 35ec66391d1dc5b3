"""Chatting: a conversation with a version, turn by turn, as `ethogram chat` holds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import RequestError, SpecError
from ethogram.files import write_whole
from ethogram.spec.generation import Generation, Message, Request
from ethogram.spec.identity import digest, noise_key
from ethogram.spec.space import Setting, apply
from ethogram.spec.version import Version
from ethogram.study.pools import Backends, Pool
from ethogram.study.run import pool_of
from ethogram.study.trace import Traced, traced_output
from ethogram.study.versions import new_version
from ethogram.study.workspace import Study
from ethogram.wrap.answer import Answer
from ethogram.wrap.conversation import Fitted, Rendered, fit, render

if TYPE_CHECKING:
    from ethogram.engine import Engine

#: Name of the version as it is set now, in views of the study.
_NOW = "v0.0.0-chat"


@dataclass(frozen=True)
class Said:
    """One reply and what it answers.

    Attributes:
        generation: the reply.
        request: what was generated for it.
        dropped: earlier messages that did not fit.
    """

    generation: Generation
    request: Request
    dropped: int

    @property
    def answer(self) -> Answer:
        """The reply as an object: answer, data, sentences, confidence, flags, usage."""
        return Answer.of(self.generation, self.request.decoding)


@dataclass
class Chat:
    """A conversation with a version of a study.

    Args:
        study: opened.
        version: its name.
        on_load: called with the model's name before it is loaded.

    Attributes:
        messages: so far, the system message left out.
        settings: fields changed since the version, dotted name to value.
        last: the last reply; None before the first.
    """

    study: Study
    version: str
    on_load: Callable[[str], None] | None = None
    messages: list[Message] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    last: Said | None = None
    _tries: int = 0

    def __post_init__(self) -> None:
        if self.study.spec.version(self.version).outputs:
            raise SpecError("its outputs are imported, so it cannot reply", where=self.version)
        self._backends = Backends(None, self.on_load)

    @property
    def resolved(self) -> Version:
        """The version with the changed settings."""
        version = self.study.spec.version(self.version)
        if not self.settings:
            return version
        return apply(version, Setting(tuple(self.settings.items())), parent=self.version)

    def set(self, name: str, value: Any) -> None:
        """Change a setting for the replies that follow.

        Args:
            name: dotted field, or a field of `decoding` alone, such as `temperature`.
            value: its value.

        Raises:
            SpecError: no such field, or a value out of bounds.
        """
        if "." not in name and name in type(self.resolved.decoding).model_fields:
            name = f"decoding.{name}"
        apply(
            self.study.spec.version(self.version),
            Setting(tuple({**self.settings, name: value}.items())),
            parent=self.version,
        )
        self.settings[name] = value

    def use(self, version: str) -> None:
        """Continue the conversation with another version; changed settings are forgotten."""
        if self.study.spec.version(version).outputs:
            raise SpecError("its outputs are imported, so it cannot reply", where=version)
        self.version, self.settings = version, {}

    def say(self, text: str, on_text: Callable[[str], None] | None = None) -> Said:
        """Add a user's message and reply to it.

        Args:
            text: of the message.
            on_text: called with pieces of the reply as they are generated. A version whose wrapper
                acts gives its reply in one piece, since a guard may still cut it.

        Raises:
            EthogramError: the message does not fit, or the version cannot be served.
            KeyboardInterrupt: the user stopped the reply; message and reply are not kept.
        """
        self._tries = 0
        return self._reply([*self.messages, Message("user", text)], on_text)

    def retry(self, on_text: Callable[[str], None] | None = None) -> Said:
        """Reply to the last message again, with the next random numbers.

        Raises:
            RequestError: there is nothing to reply to again.
        """
        if not self.messages:
            raise RequestError("there is no reply to try again", hint="write a message first")
        self._tries += 1
        return self._reply(self.messages[:-1], on_text)

    def undo(self) -> None:
        """Forget the last message and its reply."""
        del self.messages[-2:]
        self.last = None

    def _reply(self, messages: list[Message], on_text: Callable[[str], None] | None) -> Said:
        version = self.resolved
        request, dropped = self._request(version, messages)
        made = self._generate(version, request, on_text)
        self.messages = [*messages, Message("assistant", made.text)]
        self.last = Said(made, request, dropped)
        return self.last

    @property
    def _pool(self) -> Pool:
        """The pool of the version as it is set now."""
        return pool_of(self.study.with_versions({_NOW: self.resolved}), _NOW)

    @property
    def _engine(self) -> Engine:
        return self._backends.engine(self._pool)

    def why(self) -> Traced:
        """How each token of the last reply was chosen.

        Raises:
            RequestError: there is no reply yet.
        """
        if self.last is None:
            raise RequestError("there is no reply to explain", hint="write a message first")
        if self._pool.backend != "engine":
            raise RequestError(
                f"backend {self._pool.backend} cannot trace how a token was chosen",
                where=self.version,
            )
        from ethogram.models.token_text import TokenText

        plain = replace(self.last.request, wrapper=None)
        made = next(self._engine.generate([plain], trace=True))
        texts = TokenText(self._engine.loaded.tokenizer)
        return traced_output(self.study, self.version, made, in_suite=False, texts=texts)

    def _request(self, version: Version, messages: list[Message]) -> tuple[Request, int]:
        decoding = version.effective_decoding()
        wrapper = None if version.wrapper.is_plain else version.wrapper
        fitted = self._fit(version, messages)
        key = noise_key(self.study.spec.settings.seed, "", "chat", len(messages), self._tries)
        request = Request(
            identity=digest([version.canonical(), len(messages), self._tries, str(fitted.prompt)]),
            prompt_id="chat",
            sample_index=self._tries,
            prompt=fitted.prompt,
            decoding=decoding,
            noise_key=key if decoding.is_stochastic else None,
            chat=version.prompt.chat_format(fitted.prompt),
            wrapper=wrapper,
        )
        return request, fitted.dropped

    def _fit(self, version: Version, messages: list[Message]) -> Fitted:
        if version.backend == "openai":  # It counts its tokens itself, and refuses too many.
            return Fitted(render(version.prompt, messages), tuple(messages), 0)
        engine = self._engine
        room = engine.loaded.context_length - version.decoding.max_new_tokens
        if version.wrapper.history_tokens is not None:
            room = min(room, version.wrapper.history_tokens)

        def count(prompt: Rendered) -> int:
            chat = version.prompt.chat_format(prompt)
            request = Request("count", "chat", 0, prompt, version.decoding, 0, chat)
            return engine.prompt_tokens(request)

        return fit(version.prompt, messages, count=count, room=room)

    def _generate(
        self, version: Version, request: Request, on_text: Callable[[str], None] | None
    ) -> Generation:
        if request.wrapper is None and version.backend == "engine" and on_text is not None:
            try:
                return self._streamed(request, on_text)
            except _NotLiveError:
                pass
        remote = self._pool.remote
        if request.wrapper is None and remote is not None and on_text is not None:
            return self._backends.endpoints.get(remote).stream(request, on_text)
        backend = self._backends.get(self._pool)
        [made] = backend.generate([request])
        if on_text is not None:
            on_text(made.text)
        return made

    def _streamed(self, request: Request, on_text: Callable[[str], None]) -> Generation:
        from ethogram.engine.live import LiveBatch
        from ethogram.engine.text_stream import TextStream

        engine = self._engine
        live = LiveBatch(engine, max_rows=1, max_tokens=engine.loaded.context_length)
        try:
            job = live.prepare(request)
        except RequestError as error:
            if "cannot join" in error.what:
                raise _NotLiveError from None
            raise
        stream = TextStream(engine.loaded.tokenizer, job.rules.stop_strings, job.rules.ending_ids)
        live.add(job)
        while True:
            for chosen in live.step():
                on_text(stream.push(chosen.token_ids))
                if chosen.generation is not None:
                    on_text(stream.finish(chosen.generation.text))
                    return chosen.generation

    def save_version(self, name: str) -> Path:
        """Write the changed settings as a child version; returns its file.

        Raises:
            SpecError: nothing was changed, or the name is taken.
        """
        if not self.settings:
            raise SpecError(
                "no setting was changed", where=self.version, hint="change one with /set first"
            )
        return new_version(self.study, name, self.version, self.settings)

    def save_conversation(self, path: Path) -> Path:
        """Append the conversation to a JSONL file, as training data or as a suite's prompt.

        Raises:
            SpecError: nothing was said.
            WriteError: the file cannot be written.
        """
        if not self.messages:
            raise SpecError("nothing was said yet", where=str(path), hint="write a message first")
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        system = self.resolved.prompt.system
        turns = [{"role": "system", "content": system}] if system else []
        turns += [{"role": each.role, "content": each.content} for each in self.messages]
        row: Mapping[str, Any] = {
            "id": f"chat-{digest(turns)[:12]}",
            "messages": turns,
            "version": self.version,
        }
        separator = "" if not before or before.endswith("\n") else "\n"
        write_whole(path, [before, separator, json.dumps(row, ensure_ascii=False), "\n"])
        return path


class _NotLiveError(Exception):
    """A decoding that cannot be generated token by token."""
