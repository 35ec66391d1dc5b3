"""Compiled kernels: built once by the system's C++ compiler, called through ctypes.

A machine without a compiler runs the same algorithms in torch, so nothing here is ever required.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

from ethogram.cache import build_once
from ethogram.errors import WriteError
from ethogram.stages import over, stage

_FOLDER = Path(__file__).parent
SOURCES = tuple(sorted(_FOLDER.glob("*.cpp")))
HEADERS = tuple(sorted(_FOLDER.glob("*.h")))
_LIBRARY = "kernels.so"
#: Without -ffast-math: results must not depend on how the compiler regroups sums.
_FLAGS = ("-std=c++17", "-O3", "-fno-math-errno", "-pthread", "-fPIC")
#: GCC and Clang name the processor at hand by one of these, by architecture.
_PROCESSOR = "-march=native" if platform.machine() in ("x86_64", "AMD64") else "-mcpu=native"
#: For one source, on a machine that is busy with other things.
_COMPILE_SECONDS = 600


@cache
def library() -> ctypes.CDLL | None:
    """The kernels, compiled on first use; None without a compiler.

    The environment variable ETHOGRAM_NATIVE=0 turns them off.
    """
    compiler = shutil.which(os.environ.get("CXX", "c++")) or shutil.which("g++")
    if os.environ.get("ETHOGRAM_NATIVE", "1") == "0" or compiler is None:
        return None
    try:
        folder = build_once(
            f"kernels-{_fingerprint(compiler)}", lambda target: _compile(compiler, target)
        )
        return ctypes.CDLL(str(folder / _LIBRARY))
    except (OSError, subprocess.SubprocessError, WriteError):
        return None


def _fingerprint(compiler: str) -> str:
    """Digest of all that the library depends on: sources, flags, compiler, processor."""
    version = subprocess.run(
        [compiler, "--version"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    parts = [*_FLAGS, _PROCESSOR, version, _processor_name()]
    digest = hashlib.sha256("\n".join(parts).encode())
    for source in (*HEADERS, *SOURCES):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _processor_name() -> str:
    """The processor with its features, since a home folder may be shared by different machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "\n".join({line for line in lines if line.startswith(("model name", "flags"))})


def _compile(compiler: str, folder: Path) -> None:
    objects = []
    for number, source in enumerate(SOURCES, 1):
        stage(f"Compiling kernels, once: {number} of {len(SOURCES)}")
        target = folder / f"{source.stem}.o"
        _call(compiler, *_FLAGS, _PROCESSOR, "-c", str(source), "-o", str(target))
        objects.append(str(target))
    _call(compiler, "-shared", "-pthread", *objects, "-o", str(folder / _LIBRARY))
    over()


def _call(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=True, timeout=_COMPILE_SECONDS)
