"""Kind: what an engine computes on; two engines of one kind give a request the same bits."""

from __future__ import annotations

from ethogram.engine.engine import Engine
from ethogram.engine.native import library
from ethogram.processor import processor_kind


def engine_kind(engine: Engine) -> str:
    """The kind of processor of an engine, in a few words.

    The number of threads belongs to it where torch computes the matrix products, whose last bits
    may depend on how rows are divided among threads.
    """
    kind = processor_kind(compiled=library() is not None, accelerator=accelerator())
    if engine.loaded.model.device.type == "cuda" or engine.threads_for([engine.batch_sizes]):
        return kind
    import torch

    return f"{kind}, {torch.get_num_threads()} threads"


def accelerator() -> str:
    """The name of the first CUDA device; empty without one."""
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
