"""Generation on transformers models: requests in, generations out. Importing it imports torch."""

from ethogram.engine.engine import MAX_ROWS, Engine
from ethogram.engine.work import Work

__all__ = ["MAX_ROWS", "Engine", "Work"]
