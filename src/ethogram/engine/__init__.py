"""Generation on transformers models: requests in, generations out. Importing it imports torch."""

from ethogram.engine.engine import Engine

__all__ = ["Engine"]
