"""Conversation: what `ethogram chat` prints. Model text is shown inert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ethogram.report.printing import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from ethogram.study.chatting import Chat, Said

#: What a terminal would act on; line ends stay.
_CONTROL = re.compile(
    r"[^\S\n ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)

HELP = """\
/version NAME     continue with another version
/set FIELD VALUE  change a setting, such as /set temperature 0.7
/why              show how each token of the last reply was chosen
/retry            reply again, with other random numbers
/undo             forget the last message and its reply
/save NAME        save the changed settings as a child version (v1.2.0), or the
                  conversation as training data (chats.jsonl)
/help             show this
/quit             leave"""


def print_opening(console: Console, chat: Chat) -> None:
    """Which version talks, and how to get help."""
    from rich.text import Text

    version = chat.resolved
    console.print(Text(f"{chat.version}  {printable(version.title)}", style="bold"))
    console.print(Text(f"{printable(version.model)}; /help lists the commands", style="dim"))


def writer(console: Console) -> Callable[[str], None]:
    """Prints pieces of a reply as they come, without what a terminal would act on."""
    from rich.text import Text

    def write(piece: str) -> None:
        if piece:
            console.print(
                Text(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", piece)), end="", soft_wrap=True
            )

    return write


def print_ending(console: Console, said: Said) -> None:
    """What there is to know of a finished reply: its guards, its end, dropped messages."""
    from rich.text import Text

    made = said.generation
    notes = [
        f"{action.guard}: {action.what}"
        for action in (made.guarded.actions if made.guarded else ())
    ]
    if not made.text.strip():
        notes.append("the reply is empty")
    if made.finish_reason == "length":
        notes.append("cut off by max_new_tokens")
    if made.finish_reason == "closed":
        notes.append("closed at max_new_tokens: complete JSON, but the model would have written on")
    if said.dropped:
        notes.append(f"{said.dropped} earlier messages did not fit and were left out")
    if made.guarded and made.guarded.confidence is not None:
        notes.append(f"mean token probability {made.guarded.confidence:.2f}")
    if made.guarded and made.guarded.agreement is not None:
        notes.append(f"{made.guarded.agreement:.0%} of the candidates agree")
    console.print()
    for note in notes:
        console.print(Text(f"  {note}", style="dim"))
