"""Chats: conversations as token ids, with a mask of what is learned."""

from ethogram.train.chats.chat import Chat, Turn, make_chat
from ethogram.train.chats.families import FAMILIES, SEQ2SEQ, give_template, pad_token_id
from ethogram.train.chats.rows import TokenRow, shown

__all__ = [
    "FAMILIES",
    "SEQ2SEQ",
    "Chat",
    "TokenRow",
    "Turn",
    "give_template",
    "make_chat",
    "pad_token_id",
    "shown",
]
