"""Backends: what turns requests into generations, and chat completions of an endpoint.

Importing it imports neither torch nor vLLM.
"""

from ethogram.backends.base import Backend, check_installed
from ethogram.backends.chat import ChatClient, ChatReply, ChatRequest, Endpoint

__all__ = ["Backend", "ChatClient", "ChatReply", "ChatRequest", "Endpoint", "check_installed"]
