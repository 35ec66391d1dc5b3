"""Backends: answers from elsewhere. Today: chat completions of any OpenAI-compatible endpoint."""

from ethogram.backends.chat import ChatClient, ChatReply, ChatRequest, Endpoint

__all__ = ["ChatClient", "ChatReply", "ChatRequest", "Endpoint"]
