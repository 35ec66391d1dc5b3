"""Find, pull, verify and load models and tokenizers. Importing it does not import torch."""

from ethogram.models.catalogue import (
    ModelInfo,
    available,
    chat_template,
    identity,
    locate,
    pull,
)
from ethogram.models.load import LoadedModel, describe, load, load_tokenizer
from ethogram.models.reference import ModelReference

__all__ = [
    "LoadedModel",
    "ModelInfo",
    "ModelReference",
    "available",
    "chat_template",
    "describe",
    "identity",
    "load",
    "load_tokenizer",
    "locate",
    "pull",
]
