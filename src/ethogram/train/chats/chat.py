"""Chat: renders conversations to token ids; only replies and their end token are learned.

The mask is derived from renderings of growing parts of the conversation, so it needs no
`{% generation %}` in a template. What comes before each reply has exactly the ids that generation
reads: the prompt is rendered and tokenised as the engine does it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ethogram.errors import DataError
from ethogram.models.templates import bound_templates
from ethogram.train.chats.families import give_template, pad_token_id
from ethogram.train.chats.rows import TokenRow


class Turn(Protocol):
    """One message of a conversation."""

    @property
    def role(self) -> str:
        """system, user, assistant, …."""

    @property
    def content(self) -> str:
        """Its text."""


@dataclass(frozen=True)
class Chat:
    """How conversations become token ids for one tokenizer.

    Attributes:
        tokenizer: of transformers, with a chat template.
        end_id: token that ends a reply; None if the template writes none.
        pad_id: token for padding, never one that ends a reply; None if the tokenizer has none.
        family: of the template that it was given; None if it has its own.
        seq2seq: whether an encoder reads the prompt and a decoder writes the reply.
        arguments: further arguments of the template, such as `enable_thinking`.
    """

    tokenizer: Any
    end_id: int | None
    pad_id: int | None = None
    family: str | None = None
    seq2seq: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)

    def prompt_text(self, messages: Sequence[Turn], *, where: str = "") -> str:
        """The text that a model completes with a reply."""
        return self._render(messages, where, opens=True)

    def prompt_ids(self, messages: Sequence[Turn], *, where: str = "") -> tuple[int, ...]:
        """The ids that a model reads before it replies."""
        return self._ids(self.prompt_text(messages, where=where))

    def rows(
        self, messages: Sequence[Turn], *, where: str = "", last_only: bool = False
    ) -> list[TokenRow]:
        """The rows of a conversation: one, or several where its template rewrites history.

        Some templates render an earlier reply in another way than the last one (they leave out
        its reasoning), and some tokenizers merge tokens across its border. The replies of such a
        conversation are learned in rows of their own, each after exactly the prompt that
        generation would see. An encoder-decoder model always learns one reply a row.

        Args:
            messages: in order. One without a reply gives a row in which nothing is learned.
            where: file and line, for messages.
            last_only: learn the last reply only, as for preferences.

        Raises:
            DataError: the template refuses the messages, or the prompt is no prefix of prompt and
                reply.
        """
        replies = [at for at, turn in enumerate(messages) if turn.role == "assistant"]
        if not replies:
            ids = self.prompt_ids(messages, where=where)
            source, target = (ids, ()) if self.seq2seq else ((), ids)
            return [TokenRow(target, (False,) * len(target), where, source)]
        if last_only:
            replies = replies[-1:]
        if self.seq2seq:
            return [self._pair(messages[: at + 1], where) for at in replies]
        return list(self._joined(messages, replies, where))

    def _pair(self, messages: Sequence[Turn], where: str) -> TokenRow:
        source = self.prompt_ids(messages[:-1], where=where)
        text = messages[-1].content
        encoded = self.tokenizer(text_target=text, add_special_tokens=False, verbose=False)
        end = () if self.end_id is None else (self.end_id,)
        target = (*encoded.input_ids, *end)
        return TokenRow(target, (True,) * len(target), where, source)

    def _joined(
        self, messages: Sequence[Turn], replies: Sequence[int], where: str
    ) -> Iterator[TokenRow]:
        ids: tuple[int, ...] = ()
        learned: tuple[bool, ...] = ()
        for at in replies:
            prompt, reply = self._reply(messages[: at + 1], where)
            if ids and prompt[: len(ids)] != ids:
                yield TokenRow(ids, learned, where)
                learned = ()
            learned += (False,) * (len(prompt) - len(learned)) + (True,) * len(reply)
            ids = prompt + reply
        yield TokenRow(ids, learned, where)

    def _reply(
        self, messages: Sequence[Turn], where: str
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Ids of the prompt of the last message, and of that message up to its end token."""
        prompt = self.prompt_text(messages[:-1], where=where)
        whole = self._render(messages, where, opens=False)
        if not whole.startswith(prompt):
            raise _no_prefix(prompt, whole, where)
        prompt_ids, whole_ids = self._ids(prompt), self._ids(whole)
        rest = whole_ids[len(prompt_ids) :]
        if whole_ids[: len(prompt_ids)] != prompt_ids:
            # A token spans the border; at generation, there is a border.
            rest = self._ids(whole[len(prompt) :])
            if self.tokenizer.decode(prompt_ids + rest) != self.tokenizer.decode(whole_ids):
                raise _no_prefix(prompt, whole, where)
        return prompt_ids, self._up_to_end(rest)

    def _up_to_end(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """What a template writes after the end token is part of the next prompt."""
        if self.end_id is not None and self.end_id in ids:
            # The last one: a reply may quote the token, which the checks before training refuse.
            return ids[: len(ids) - ids[::-1].index(self.end_id)]
        return ids

    def _render(self, messages: Sequence[Turn], where: str, *, opens: bool) -> str:
        turns = [{"role": turn.role, "content": turn.content} for turn in messages]
        bound_templates()
        try:
            text = self.tokenizer.apply_chat_template(
                turns, add_generation_prompt=opens, tokenize=False, **self.arguments
            )
        except Exception as error:
            # A template runs any operation on the messages, so it can fail in any way.
            reason = next(iter(str(error).splitlines()), "")[:200] or type(error).__name__
            raise DataError(
                f"the chat template cannot format the conversation ({reason})",
                where=where or None,
                hint="change its messages, or give the recipe another template",
            ) from None
        return str(text)

    def _ids(self, text: str) -> tuple[int, ...]:
        # As the engine tokenises a chat: the template writes all special tokens.
        return tuple(self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids)


def _no_prefix(prompt: str, whole: str, where: str) -> DataError:
    at = next(
        (at for at, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b),
        min(len(prompt), len(whole)),
    )
    return DataError(
        f"the chat template's prompt is no prefix of prompt and reply: generation would read "
        f"{prompt[at : at + 30]!r} where training reads {whole[at : at + 30]!r}",
        where=where or None,
        hint="use another template, or set the template's arguments in changes.prompt",
    )


def make_chat(
    tokenizer: Any,
    *,
    template: str | None = None,
    folder: Path | None = None,
    seq2seq: bool = False,
    arguments: dict[str, Any] | None = None,
    eos_token_ids: Collection[int] = (),
) -> Chat:
    """A chat for a tokenizer, which gets a template and a padding token if it has none.

    Args:
        tokenizer: of transformers; changed in place. No token is added to it.
        template: as `give_template` takes it; None keeps the tokenizer's own.
        folder: that a relative template file counts from.
        seq2seq: whether an encoder reads the prompt.
        arguments: further arguments of the template.
        eos_token_ids: further ids that end an output, as the model's generation_config has them.

    Raises:
        SpecError: the template does not exist or does not suit the tokenizer.
        DataError: the template cannot format a question and an answer.
    """
    family = give_template(tokenizer, template, folder=folder or Path(), seq2seq=seq2seq)
    arguments = arguments or {}
    chat = Chat(tokenizer, None, None, family, seq2seq, arguments)
    end = tokenizer.eos_token_id if seq2seq else _end_id(chat)
    ends = {end, tokenizer.eos_token_id, *eos_token_ids} - {None}
    return Chat(tokenizer, end, pad_token_id(tokenizer, ends), family, seq2seq, arguments)


@dataclass(frozen=True)
class _Said:
    role: str
    content: str


def _end_id(chat: Chat) -> int | None:
    """The first special token after a reply; None if the template writes none there."""
    mark = "3.14"
    messages = [_Said("user", "2.72"), _Said("assistant", mark)]
    text = chat._render(messages, "chat template", opens=False)
    after = text[text.rfind(mark) + len(mark) :]
    special = set(chat.tokenizer.all_special_ids) | set(chat.tokenizer.added_tokens_decoder)
    # A token of its own even where a tokenizer puts a space before the first word.
    return next((token for token in chat._ids(after) if token in special), None)
