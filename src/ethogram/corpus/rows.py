"""Rows of training data: what a line of a file holds, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["text", "messages", "preference", "vote"]
#: Roles of a conversation that is trained on.
ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation: role is system, user, assistant or tool."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Row:
    """One usable row.

    Attributes:
        kind: which of the fields below it has.
        file: that it comes from.
        line: 1-based line, or row of a table without lines.
        text: of a document; kind `text`.
        messages: of a conversation that ends with a reply; of a pair or vote, its prompt.
        chosen: the preferred reply; kind `preference`.
        rejected: the other reply; kind `preference`.
        reply: the reply that was voted on; kind `vote`.
        label: whether it was liked; kind `vote`.
        licence: as the row states it; empty where it does not.
        source: as the row states it; empty where it does not.
        extra: further fields, kept when rows are written.
        shape: what the row's fields look like, such as `Alpaca`.
        fields: names of all its fields.
    """

    kind: Kind
    file: Path
    line: int
    text: str = ""
    messages: tuple[Turn, ...] = ()
    chosen: str = ""
    rejected: str = ""
    reply: str = ""
    label: bool = False
    licence: str = ""
    source: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    shape: str = field(default="", compare=False)
    fields: tuple[str, ...] = field(default=(), compare=False)

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}:{self.line}"

    @property
    def words(self) -> str:
        """All its text, for finding duplicates and overlap."""
        turns = [turn.content for turn in self.messages]
        parts = [self.text, *turns, self.chosen, self.rejected, self.reply]
        return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used as it is.

    Attributes:
        file: that it comes from.
        line: 1-based line, or row of a table without lines.
        reason: what is wrong, in a few words.
        fix: name of the rule that would make it usable; empty where there is none.
    """

    file: Path
    line: int
    reason: str
    fix: str = ""

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}:{self.line}"
