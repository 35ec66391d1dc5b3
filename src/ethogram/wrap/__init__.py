"""Wrap: from a user's input to a guarded reply. Knows neither study nor server."""

from ethogram.wrap.answer import Answer
from ethogram.wrap.backend import WrappedBackend

__all__ = ["Answer", "WrappedBackend"]
