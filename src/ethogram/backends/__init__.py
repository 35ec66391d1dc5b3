"""Backends: what turns requests into generations. Importing it imports neither torch nor vLLM."""

from ethogram.backends.base import Backend, check_installed

__all__ = ["Backend", "check_installed"]
