"""Backends: engines that turn requests into generations, and a client for chat completions.

Importing it imports neither torch nor vLLM.
"""

from ethogram.backends.base import Backend, check_installed
from ethogram.backends.chat import ChatClient, ChatReply, ChatRequest
from ethogram.backends.endpoint import Budget, Endpoint

__all__ = [
    "Backend",
    "Budget",
    "ChatClient",
    "ChatReply",
    "ChatRequest",
    "Endpoint",
    "check_installed",
]
