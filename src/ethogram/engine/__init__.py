"""Generation on transformers models: requests in, generations out. Importing it imports torch."""

from ethogram.engine.batch import Work
from ethogram.engine.engine import MAX_ROWS, Engine

__all__ = ["MAX_ROWS", "Engine", "Work"]
