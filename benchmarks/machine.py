"""What a figure depends on besides the code: processor, memory, system, load. Linux tells most."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

#: Instruction sets that decide how bf16 is computed.
FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_tile")


def describe() -> dict[str, Any]:
    """The machine as a record."""
    cpuinfo = _read("/proc/cpuinfo")
    flags = _field(cpuinfo, "flags").split()
    return {
        "processor": _field(cpuinfo, "model name") or platform.processor() or platform.machine(),
        "processor_detail": {
            name: _field(cpuinfo, name) for name in ("vendor_id", "cpu family", "model")
        },
        "instructions": [flag for flag in FLAGS if flag in flags],
        "cores": os.cpu_count(),
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def commit(folder: Path) -> str | None:
    """The commit that is measured, with a mark if files differ from it."""
    command = ("git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _field(text: str, name: str) -> str:
    lines = (line.partition(":") for line in text.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")
