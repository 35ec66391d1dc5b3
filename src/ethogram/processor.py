"""Processor: what computes here, in words that are equal where outputs are equal, bit for bit."""

from __future__ import annotations

import platform
from pathlib import Path

#: Instruction sets that the kernels and torch choose their code by.
INSTRUCTIONS = (
    "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile",
    "asimd", "asimdhp", "bf16", "sve", "sve2", "i8mm",
)  # fmt: skip


def processor_name() -> str:
    """The processor's model, as the system names it."""
    return _field("model name") or platform.processor() or platform.machine()


def instructions() -> tuple[str, ...]:
    """Those of `INSTRUCTIONS` that the processor has; empty where the system does not say."""
    found = {*_field("flags").split(), *_field("Features").split()}
    return tuple(name for name in INSTRUCTIONS if name in found)


def processor_kind(*, compiled: bool, accelerator: str = "") -> str:
    """The kind of processor: two of one kind give a request the same bits.

    Args:
        compiled: whether the compiled kernels are used.
        accelerator: name of the GPU that computes; empty on a CPU.
    """
    if accelerator:
        return accelerator
    sets = " ".join(instructions()) or platform.machine()
    return f"{processor_name()} ({sets}{'' if compiled else '; no compiled kernels'})"


def _field(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")
