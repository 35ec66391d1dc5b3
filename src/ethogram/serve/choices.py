"""Choices: the outputs of one request while they grow, their text and their log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ethogram.engine.text_stream import TextStream
from ethogram.serve.loop import Event

if TYPE_CHECKING:
    from ethogram.spec.generation import Generation

#: Reasons of ours as the interface names them. A reply whose loop could not be broken is not whole;
#: one that was closed at its limit is complete JSON.
FINISH = {
    "eos": "stop",
    "stop": "stop",
    "length": "length",
    "closed": "stop",
    "loop": "length",
    "unknown": "stop",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One token with its log-probability.

    Attributes:
        token_id: the token.
        logprob: nats; None for the first token of a text.
        alternatives: ids and log-probabilities of the most probable tokens, most probable first.
        offset: of its text in the output, characters.
    """

    token_id: int
    logprob: float | None
    alternatives: tuple[tuple[int, float], ...]
    offset: int


@dataclass(slots=True)
class Choice:
    """An output that grows.

    Attributes:
        text: while it grows.
        keeps_end: tell the log-probability of the token that ended the output too.
        generation: the whole output, once it has ended.
        entries: of the tokens whose text was returned.
    """

    text: TextStream
    keeps_end: bool = False
    generation: Generation | None = None
    entries: list[Entry] = field(default_factory=list)
    _held: list[Entry] = field(default_factory=list)

    def push(self, event: Event) -> tuple[str, list[Entry]]:
        """Take in an event; return the text and the entries that may be shown now."""
        piece = ""
        beside = event.alternatives or ((),) * len(event.token_ids)
        for token, logprob, alternatives in zip(
            event.token_ids, event.logprobs, beside, strict=True
        ):
            self._held.append(Entry(token, logprob, alternatives, self.text.length))
            piece += self.text.push([token])
        if event.generation is not None:
            self.generation = event.generation
            piece += self.text.finish(event.generation.text)
        return piece, self._shown()

    def _shown(self) -> list[Entry]:
        end = len(self.text.sent)
        made = self.generation
        if made is not None and self.keeps_end and made.finish_reason != "stop":
            shown = list(self._held)
        else:
            shown = [entry for entry in self._held if entry.offset < end]
        self._held = self._held[len(shown) :]
        self.entries += shown
        return shown

    @property
    def finish_reason(self) -> str:
        """Why it ended, as the interface names it."""
        assert self.generation is not None
        return FINISH[self.generation.finish_reason]

    @property
    def tokens(self) -> int:
        """Generated tokens, those of thrown-away attempts included."""
        assert self.generation is not None
        guarded = self.generation.guarded
        return guarded.tokens if guarded else len(self.generation.token_ids)


class TokenTexts:
    """What tokens are called in lists of log-probabilities.

    Args:
        tokenizer: the model's.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[int, tuple[str, bytes]] = {}

    def text(self, token: int) -> str:
        """The text of a token; of one that is part of a character, its bytes in hexadecimal."""
        return self._of(token)[0]

    def raw(self, token: int) -> list[int]:
        """The UTF-8 bytes of a token."""
        return list(self._of(token)[1])

    def _of(self, token: int) -> tuple[str, bytes]:
        if token not in self._known:
            text = str(
                self._tokenizer.decode(
                    [token], skip_special_tokens=False, clean_up_tokenization_spaces=False
                )
            )
            raw = text.encode("utf-8", "replace")
            if "�" in text:
                raw = _bytes_of(str(self._tokenizer.convert_ids_to_tokens(token))) or raw
                text = "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)
            self._known[token] = (text, raw)
        return self._known[token]

    def chat(self, entries: Sequence[Entry]) -> dict[str, Any]:
        """As /v1/chat/completions tells them."""
        return {
            "content": [
                {
                    **self._named_token(entry.token_id, entry.logprob),
                    "top_logprobs": [self._named_token(*each) for each in _beside(entry)],
                }
                for entry in entries
            ],
            "refusal": None,
        }

    def _named_token(self, token: int, logprob: float | None) -> dict[str, Any]:
        return {
            "token": self.text(token),
            "logprob": _finite(logprob),
            "bytes": self.raw(token),
        }

    def completion(self, entries: Sequence[Entry]) -> dict[str, list[Any]]:
        """As /v1/completions tells them: the chosen token is always among the most probable."""
        return {
            "tokens": [self.text(entry.token_id) for entry in entries],
            "token_logprobs": [_finite(entry.logprob) for entry in entries],
            "top_logprobs": [self._named(entry) for entry in entries],
            "text_offset": [entry.offset for entry in entries],
        }

    def _named(self, entry: Entry) -> Mapping[str, float | None] | None:
        if entry.logprob is None:
            return None
        named: dict[str, float | None] = {}
        for token, logprob in (*_beside(entry), (entry.token_id, entry.logprob)):
            # Of tokens that read alike the more probable one comes first and stays.
            named.setdefault(self.text(token), _finite(logprob))
        return named


def _beside(entry: Entry) -> list[tuple[int, float | None]]:
    """The alternatives; the chosen token has the same float there as by itself."""
    return [
        (token, entry.logprob if token == entry.token_id else logprob)
        for token, logprob in entry.alternatives
    ]


def _finite(logprob: float | None) -> float | None:
    """JSON has no infinity: what cannot be chosen is at the lowest number that clients expect."""
    return None if logprob is None else max(logprob, -9999.0)


def _bytes_of(name: str) -> bytes:
    """Bytes of a token by its name in the vocabulary: byte-level BPE, or `<0xE2>`."""
    if len(name) == 6 and name.startswith("<0x"):
        return bytes([int(name[3:5], 16)])
    found = [_BYTES.get(each) for each in name]
    return bytes(each for each in found if each is not None) if None not in found else b""


def _byte_characters() -> dict[str, int]:
    """The characters by which byte-level BPE writes bytes, after GPT-2."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    table = {chr(byte): byte for byte in plain}
    return table | {chr(256 + at): byte for at, byte in enumerate(rest)}


_BYTES = _byte_characters()
