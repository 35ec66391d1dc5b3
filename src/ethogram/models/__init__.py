"""Models: find, pull, verify and load a model and its tokenizer. Importing it imports no torch."""

from ethogram.models.catalogue import ModelInfo, available, identity, locate, pull
from ethogram.models.load import LoadedModel, load, load_tokenizer
from ethogram.models.reference import ModelReference

__all__ = [
    "LoadedModel",
    "ModelInfo",
    "ModelReference",
    "available",
    "identity",
    "load",
    "load_tokenizer",
    "locate",
    "pull",
]
