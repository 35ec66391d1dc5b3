"""Remarks: stars and comments on outputs, in a file of the study that is shared with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.spec.source import read_jsonl

REMARKS_FILE = "remarks.jsonl"


@dataclass(frozen=True)
class Remark:
    """What somebody noted beside the outputs of a version on a prompt.

    Attributes:
        version: its name.
        prompt_id: which prompt.
        star: whether it is starred.
        comment: in words; empty for none.
    """

    version: str
    prompt_id: str
    star: bool = False
    comment: str = ""


def read_remarks(folder: Path) -> Mapping[tuple[str, str], Remark]:
    """The remarks of a study by version and prompt; none where there is no file.

    Raises:
        SpecError: a line is not a remark.
    """
    path = folder / REMARKS_FILE
    if not path.is_file():
        return {}
    found = {}
    for number, row in read_jsonl(path):
        try:
            remark = Remark(**row)
        except TypeError:
            raise SpecError(
                "not a remark: expected version, prompt_id, star and comment",
                where=f"{path}:{number}",
                hint="fix or remove the line",
            ) from None
        found[remark.version, remark.prompt_id] = remark
    return found


def write_remark(folder: Path, remark: Remark) -> None:
    """Write a remark in place of the one that was there; one without star and comment goes.

    Raises:
        SpecError: the file that is there cannot be read.
        WriteError: it cannot be written.
    """
    remarks = dict(read_remarks(folder))
    remarks.pop((remark.version, remark.prompt_id), None)
    if remark.star or remark.comment:
        remarks[remark.version, remark.prompt_id] = remark
    lines = (json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in remarks.values())
    write_whole(folder / REMARKS_FILE, lines)
