"""Wrap: from a user's input to a guarded reply. Knows neither study nor server."""

from ethogram.wrap.backend import WrappedBackend
from ethogram.wrap.loops import FoundLoop, LoopWatch

__all__ = ["FoundLoop", "LoopWatch", "WrappedBackend"]
