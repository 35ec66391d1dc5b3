"""Import and export: outputs brought into a study and taken out of it. Generates nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.extras import require
from ethogram.files import replacing, write_whole
from ethogram.metrics import Output
from ethogram.spec.suite import SuitePrompt
from ethogram.spec.version import VERSION_NAME
from ethogram.study.shared_prompts import UNKNOWN_PROMPT
from ethogram.study.workspace import Study, read_imported


def import_outputs(study: Study, file: str | Path, version: str, *, title: str = "") -> Path:
    """Bring outputs made elsewhere into a study as a version.

    The rows are copied into `outputs/` and a suite is made of their prompts, both kept under git
    with the study; `run` then stores and measures them like any other version.

    Returns:
        The path of the new version file.

    Raises:
        SpecError: the name is taken or no version name, or the file has no usable rows.
        WriteError: the study's folder cannot be written.
    """
    if not VERSION_NAME.match(version):
        raise SpecError("no version name", where=version, hint="use a name like v0.1.0")
    if version in study.versions:
        raise SpecError("this version exists already", where=version, hint="choose another name")
    rows = read_imported(Path(file))
    if not rows:
        raise SpecError("no outputs in this file", where=str(file))
    prompts: dict[str, str] = {}
    for row in rows:
        if prompts.setdefault(row.prompt_id, row.prompt) != row.prompt:
            raise SpecError(
                f"prompt id {row.prompt_id!r} stands for two different prompts", where=str(file)
            )
    suite = f"suites/{version}.jsonl"
    heading = title or f"Outputs imported from {Path(file).name}"
    write_whole(study.folder / f"outputs/{version}.jsonl", _lines(map(_output_row, rows)))
    write_whole(study.folder / suite, _lines(_suite_rows(rows)))
    path = study.folder / f"versions/{version}.yaml"
    version_file = (
        f"title: {json.dumps(heading, ensure_ascii=False)}\nmodel: imported\n"
        f"outputs: outputs/{version}.jsonl\nsuite: {suite}\n"
    )
    write_whole(path, [version_file])
    return path


def _output_row(output: Output) -> dict[str, Any]:
    """An output as a line of `outputs/`, without what it does not say."""
    row = {
        "prompt_id": output.prompt_id,
        "sample": output.sample_index,
        "prompt": output.prompt,
        "output": output.text,
        "finish_reason": output.finish_reason,
        "token_ids": output.token_ids,
        "logprobs": output.logprobs,
    }
    return {key: value for key, value in row.items() if value is not None}


def _suite_rows(outputs: Sequence[Output]) -> Iterator[dict[str, Any]]:
    """A line of a suite for each prompt; a prompt that nobody kept is said to be missing."""
    first = {output.prompt_id: output for output in reversed(outputs)}
    for prompt_id in dict.fromkeys(output.prompt_id for output in outputs):
        output = first[prompt_id]
        row = {
            "id": prompt_id,
            "text": output.prompt or UNKNOWN_PROMPT,
            "reference": output.reference,
            "constraints": _constraints(output) or None,
            "tags": list(output.tags) or None,
        }
        yield {key: value for key, value in row.items() if value is not None}


def export(study: Study, path: str | Path, versions: Sequence[str] | None = None) -> int:
    """Write the stored generations of versions as `.jsonl` or `.parquet`; returns the rows.

    Raises:
        SpecError: another suffix, or generations are missing.
        WriteError: the file cannot be written.
        MissingExtraError: Parquet without the extra `parquet`.
    """
    target = Path(path)
    if target.suffix not in (".jsonl", ".parquet"):
        raise SpecError("unknown format", where=str(target), hint="end in .jsonl or .parquet")
    rows = list(_export_rows(study, versions or list(study.versions)))
    if target.suffix == ".jsonl":
        write_whole(target, _lines(rows))
    else:
        arrow = require("pyarrow", extra="parquet", needed_for="export to Parquet")
        parquet = require("pyarrow.parquet", extra="parquet", needed_for="export to Parquet")
        for row in rows:
            # Each constraint has arguments of its own, and a Parquet column only one shape.
            if row["constraints"] is not None:
                row["constraints"] = json.dumps(row["constraints"], ensure_ascii=False)
        with replacing(target) as temporary:
            parquet.write_table(arrow.Table.from_pylist(rows), temporary)
    return len(rows)


def _export_rows(study: Study, versions: Sequence[str]) -> Iterator[dict[str, Any]]:
    for name in versions:
        prompts = {item.id: item for item in study.suite(name).prompts}
        for generation in study.generations(name):
            item = prompts.get(generation.prompt_id)
            yield {
                "version": name,
                "identity": generation.identity,
                "prompt_id": generation.prompt_id,
                "sample": generation.sample_index,
                "prompt": generation.prompt_text,
                "output": generation.text,
                "finish_reason": generation.finish_reason,
                "token_ids": list(generation.token_ids),
                "logprobs": list(generation.logprobs),
                "seconds": generation.seconds,
                "selection": generation.selection.to_json() if generation.selection else None,
                "reference": item.reference if item else None,
                "tags": list(item.tags) if item else [],
                "constraints": _constraints(item) or None if item else None,
            }


def _constraints(item: SuitePrompt | Output) -> list[dict[str, Any]]:
    return [constraint.model_dump() for constraint in item.constraints]


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
