"""inspect_ai's `.eval` archives: a zip with a header and a JSON file a sample.

Members are read in memory; their names are compared with and never used as paths.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.formats.base import Value
from ethogram.formats.content import well_formed
from ethogram.formats.limits import MOST_DOCUMENT, Budget
from ethogram.spec.source import parse_json

#: The header of a finished log, and of one still running.
_HEADERS = ("header.json", "_journal/start.json", "start.json")
_SAMPLE = re.compile(r"^samples/.*\.json$", re.DOTALL)
_ZSTANDARD = 93


def archived(path: Path) -> Iterator[Value]:
    """The samples of an archive, each with the model of its header.

    Raises:
        SpecError: it is damaged, no log of inspect_ai, packed in an unknown way or too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            headers = {info.filename: info for info in members if info.filename in _HEADERS}
            samples = [info for info in members if _SAMPLE.match(info.filename)]
            if not headers or not samples:
                raise SpecError(
                    "this zip is not an inspect_ai log with samples",
                    where=str(path),
                    hint="unpack other archives and name the file inside",
                )
            budget = Budget(path)
            header = next(headers[name] for name in _HEADERS if name in headers)
            model = _model(_read(archive, header, path, budget))
            samples.sort(key=lambda info: _in_order(info.filename))
            for number, info in enumerate(samples, start=1):
                value = _read(archive, info, path, budget)
                if isinstance(value, dict):
                    output = value.get("output")
                    value["output"] = output if isinstance(output, dict) else {}
                    value["output"].setdefault("choices", [])
                    value.setdefault("input", None)
                    if model:
                        value["output"]["model"] = model
                yield Value(value, _where(path, info), number)
    except (zipfile.BadZipFile, EOFError, zlib.error, struct.error, UnicodeDecodeError):
        raise SpecError(
            "the zip file is truncated or damaged",
            where=str(path),
            hint="copy or create the file again",
        ) from None


def _where(path: Path, info: zipfile.ZipInfo) -> str:
    return f"{path}: {info.filename}"


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, budget: Budget) -> object:
    where = _where(path, info)
    if info.compress_type == _ZSTANDARD:
        raise SpecError(
            "compressed with Zstandard, which this Python cannot read",
            where=where,
            hint="convert it to JSON: inspect log convert --to json",
        )
    try:
        with archive.open(info) as file:
            data = file.read(min(MOST_DOCUMENT, budget.left) + 1)
    except (NotImplementedError, RuntimeError) as error:
        raise SpecError(f"cannot be unpacked: {error}", where=where) from None
    budget.spend(len(data))
    if len(data) > MOST_DOCUMENT:
        raise SpecError(f"a sample of more than {MOST_DOCUMENT // 2**20} MiB", where=where)
    text = data.decode("utf-8-sig")
    return well_formed(parse_json(text, where), text, where)


def _model(header: object) -> str | None:
    spec = header.get("eval") if isinstance(header, dict) else None
    model = spec.get("model") if isinstance(spec, dict) else None
    return model if isinstance(model, str) else None


def _in_order(name: str) -> list[tuple[int, int, str]]:
    """Sorts `samples/10_epoch_1.json` after `samples/9_epoch_1.json`."""
    parts = re.split(r"(\d+)", name)
    return [
        (1, int(part), "") if part.isdecimal() and len(part) < 20 else (0, 0, part)
        for part in parts
    ]
