"""Doctor: what is installed, what this machine does, what a store holds, and how to fix it.

Nothing is downloaded and nothing is changed: a store with an older schema is not upgraded.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ethogram import __version__
from ethogram.cache import cache_folder
from ethogram.cores import VARIABLE, allowed_cores, is_number_set, threads_to_use
from ethogram.errors import EthogramError
from ethogram.processor import instructions, processor_name
from ethogram.spec.study import STUDY_FILE, load_study

State = Literal["ok", "missing", "warning", "error"]
#: Below this many bytes of free space a run or a download may fail.
LOW_SPACE = 2 * 10**9
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)(\[[^]]*])?\s*([^;]*?)\s*(?:;\s*(.*))?$")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        section: Program, Extras, Processor, Compiler, Models, Disk or Study.
        name: of the thing.
        value: what was found.
        state: `missing` is an optional part that is not there; `error` needs fixing.
        hint: how to fix it.
    """

    section: str
    name: str
    value: str
    state: State = "ok"
    hint: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """All findings, in the order of the sections."""

    findings: Sequence[Finding]

    @property
    def errors(self) -> list[Finding]:
        """Those that need fixing."""
        return [finding for finding in self.findings if finding.state == "error"]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"ethogram": __version__, "ok": not self.errors, "findings": list(self.findings)}


def diagnose(folder: str | Path = ".", *, measure: bool = True) -> Diagnosis:
    """Look at this installation, this machine, and the study in a folder if there is one.

    Args:
        folder: of a study; one without study.yaml is left out.
        measure: also time matrix products, about a second.
    """
    parts: tuple[Callable[[], Iterator[Finding]], ...] = (
        _program,
        _extras,
        _processor,
        *((_rates,) if measure else ()),
        _compiler,
        _models,
        lambda: _disk(Path(folder)),
        lambda: _study(Path(folder)),
    )
    return Diagnosis([finding for part in parts for finding in part()])


def _program() -> Iterator[Finding]:
    yield Finding("Program", "ethogram", __version__)
    yield Finding("Program", "python", f"{platform.python_version()} on {platform.platform()}")
    for name, _, problem in _requirements(None):
        if problem:
            hint = "pip install --upgrade ethogram"
            yield Finding("Program", name, problem, "error", hint)


def _extras() -> Iterator[Finding]:
    for extra in sorted(metadata.metadata("ethogram").get_all("Provides-Extra") or ()):
        found = list(_requirements(extra))
        wrong = [f"{name} {problem}" for name, _, problem in found if problem]
        if not wrong:
            versions = ", ".join(f"{name} {version}" for name, version, _ in found)
            yield Finding("Extras", extra, versions or "installed")
            continue
        hint = f"pip install '.[{extra}]' in the checkout"
        yield Finding("Extras", extra, ", ".join(wrong), "missing", hint)


def _requirements(extra: str | None) -> Iterator[tuple[str, str, str]]:
    """Name, installed version and problem of the requirements of an extra, or of the program."""
    for text in metadata.requires("ethogram") or ():
        match = _REQUIREMENT.match(text)
        if match is None:
            continue
        name, _, wanted, marker = match.groups()
        of = _EXTRA.search(marker or "")
        if (of.group(1) if of else None) != extra or name == "ethogram":
            continue
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, "", "is not installed"
            continue
        yield name, version, "" if _fits(version, wanted) else f"{version} is not {wanted}"


def _fits(version: str, wanted: str) -> bool:
    """Whether a version is within the supported range; taken for granted without `packaging`."""
    if not wanted or find_spec("packaging") is None:
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(wanted.strip("()")).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def _processor() -> Iterator[Finding]:
    yield Finding("Processor", "model", processor_name())
    yield Finding("Processor", "instructions", " ".join(instructions()) or "unknown")
    try:
        threads = threads_to_use()
    except EthogramError as error:
        yield Finding("Processor", "threads", str(error), "error")
        return
    cores = allowed_cores()
    value = f"{threads} of {os.cpu_count()} cores" + (
        f" (set by {VARIABLE})" if is_number_set() else ""
    )
    too_many = threads > cores
    hint = f"only {cores} cores are allowed here: lower {VARIABLE}" if too_many else ""
    yield Finding("Processor", "threads", value, "warning" if too_many else "ok", hint)


def _rates() -> Iterator[Finding]:
    if find_spec("torch") is None:
        return
    from ethogram.cores import use_allowed_threads
    from ethogram.engine.kind import accelerator
    from ethogram.engine.rates import matrix_rates

    try:
        use_allowed_threads()
    except EthogramError:
        return  # Reported with the threads.
    yield Finding("Processor", "accelerator", accelerator() or "none: models run on the CPU")
    rates = matrix_rates()
    for name, rate in rates.items():
        yield Finding("Processor", name, f"{rate / 1e9:,.0f} GFLOP/s in matrix products")
    if rates["bfloat16"] < rates["float32"]:
        hint = "keep `dtype: float32` and `precision: float32`"
        yield Finding("Processor", "bf16", "slower than float32 here", "warning", hint)


def _compiler() -> Iterator[Finding]:
    compiler = shutil.which(os.environ.get("CXX", "c++")) or shutil.which("g++")
    if compiler is None:
        hint = "install g++ or clang, or set CXX: compiled kernels are several times faster"
        yield Finding("Compiler", "C++", "not found; the engine runs in torch", "warning", hint)
        return
    yield Finding("Compiler", "C++", compiler)
    if os.environ.get("ETHOGRAM_NATIVE", "1") == "0":
        hint = "unset ETHOGRAM_NATIVE"
        yield Finding("Compiler", "kernels", "turned off", "warning", hint)
        return
    if find_spec("torch") is None:
        yield Finding("Compiler", "kernels", "not needed without the extra engine", "missing")
        return
    from ethogram.engine.native import library

    built = library() is not None
    hint = "" if built else f"see that {compiler} compiles C++17, and that the cache can be written"
    words = "compiled" if built else "cannot be compiled"
    yield Finding("Compiler", "kernels", words, "ok" if built else "warning", hint)


def _models() -> Iterator[Finding]:
    from ethogram.models import available

    for model in available():
        state: State = "ok" if model.ready else "missing"
        hint = "" if model.ready else f"ethogram pull {model.name}"
        words = f"{model.kind}, {'ready' if model.ready else 'not downloaded'}"
        yield Finding("Models", model.name, words, state, hint)


def _disk(folder: Path) -> Iterator[Finding]:
    cache = cache_folder()
    for name, path in (("cache", cache), ("study", folder.absolute())):
        there = next((each for each in (path, *path.parents) if each.exists()), Path.cwd())
        free = shutil.disk_usage(there).free
        low = free < LOW_SPACE
        hint = "free some space" + (", or set ETHOGRAM_CACHE" if name == "cache" else "")
        words = f"{path}: {free / 1e9:.1f} GB free"
        yield Finding("Disk", name, words, "warning" if low else "ok", hint if low else "")
        if not os.access(there, os.W_OK):
            yield Finding("Disk", name, f"{there} cannot be written", "error", "change its owner")


def _study(folder: Path) -> Iterator[Finding]:
    if not (folder / STUDY_FILE).is_file():
        return
    try:
        spec = load_study(folder)
    except EthogramError as error:
        yield Finding("Study", "files", str(error), "error")
        return
    yield Finding("Study", "versions", f"{len(spec.versions)} in {spec.settings.name}")
    location = spec.settings.store
    path = folder / location
    if "://" not in location and not path.exists():
        yield Finding("Study", "store", "empty: nothing was run yet")
        return
    try:
        yield from _store(location if "://" in location else path)
    except EthogramError as error:
        yield Finding("Study", "store", str(error), "error")


def _store(location: str | Path) -> Iterator[Finding]:
    from ethogram.store.inspect import inspect_store

    found = inspect_store(location)
    size = f", {location.stat().st_size / 1e6:.1f} MB" if isinstance(location, Path) else ""
    yield Finding("Study", "store", f"{found.where}{size}")
    old = found.schema < found.newest
    hint = "the next run upgrades it" if old else ""
    yield Finding("Study", "schema", f"{found.schema} of {found.newest}", "ok", hint)
    for name, count in found.rows.items():
        yield Finding("Study", name.replace("_", " "), f"{count:,}")
    for kind, count in found.processors.items():
        several = len(found.processors) > 1
        hint = "outputs of several kinds may differ in the last bits" if several else ""
        state: State = "warning" if several else "ok"
        yield Finding("Study", "made on", f"{kind}: {count:,} outputs", state, hint)
    if found.interrupted:
        hint = "ethogram run continues them"
        yield Finding("Study", "interrupted runs", str(found.interrupted), "ok", hint)
