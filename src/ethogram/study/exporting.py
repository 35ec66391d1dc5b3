"""Export: stored generations and traces as tables, pairs, prompts of other tools, a model."""

from __future__ import annotations

import csv
import json
import logging
import math
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.extras import require
from ethogram.files import replacing, write_whole
from ethogram.metrics import get
from ethogram.objects import is_address, put, without_secrets
from ethogram.spec.suite import SuitePrompt
from ethogram.study.exporting_models import export_model
from ethogram.study.exporting_traces import trace_rows, traced_versions
from ethogram.study.lines import constraints_of, json_lines, output_columns
from ethogram.study.measure import measure
from ethogram.study.pairs import preference_pairs
from ethogram.study.stale import stored_results
from ethogram.study.stored_outputs import generations_of
from ethogram.study.workspace import Study

_log = logging.getLogger(__name__)

SUFFIXES = (".jsonl", ".csv", ".parquet")
#: What may be written: generations, their traces, DPO pairs, promptfoo tests, an inspect_ai data
#: set, and the files of a model.
KINDS = ("generations", "traces", "dpo", "promptfoo", "inspect", "model")


def export(
    study: Study,
    path: str | Path,
    versions: Sequence[str] | None = None,
    *,
    tag: str | None = None,
    metrics: Sequence[str] = (),
    kind: str = "generations",
) -> int:
    """Write stored generations, what is made from them, or a model; returns the number of rows.

    Args:
        study: the opened study.
        path: ends in `.jsonl`, `.csv` or `.parquet`; an address such as `s3://bucket/rows.jsonl`
            needs the extra `objects`; `-` writes JSON lines to standard output. For `model` a new
            folder or its address, see `export_model`.
        versions: names; default all. For `dpo` exactly two with a metric or stored verdicts, for
            `model` one.
        tag: only prompts with this tag.
        metrics: names of metrics whose value each row gets as a column, empty where a metric does
            not apply. For `dpo`, the one metric that decides which output is better.
        kind: `generations`; `traces`, how each of their tokens was chosen; `dpo`, pairs with
            `prompt`, `chosen` and `rejected` as TRL reads them; `promptfoo`, tests, or `inspect`,
            a data set, of the suites' prompts; `model`, the files of a version's local model.

    Returns:
        The number of rows; for `model`, of files.

    Raises:
        SpecError: another suffix or kind, or generations or traces are missing.
        ModelError: `model` of a version whose model is not a local one, or is damaged.
        WriteError: the file cannot be written.
        BackendError: the object storage cannot be written.
        MissingExtraError: Parquet without the extra `parquet`, an address without `objects`.
    """
    target = str(path)
    if kind not in KINDS:
        raise SpecError(f"unknown kind {kind!r}", where="--as", hint=f"one of {', '.join(KINDS)}")
    if metrics and kind in ("traces", "model"):
        raise SpecError(f"--metric cannot be combined with --as {kind}", where="--metric")
    if kind == "model":
        return _export_model(study, target, versions, tag)
    if target != "-" and Path(path).suffix not in SUFFIXES:
        raise SpecError(
            "unknown format",
            where=without_secrets(target),
            hint="end in .jsonl, .csv or .parquet, or write -",
        )
    rows = _rows(study, versions, tag, metrics, kind)
    if kind != "traces":  # Large, so they are made while they are written.
        rows = iter(list(rows))
    first = list(islice(rows, 1))
    if not first and tag is not None:
        raise SpecError(f"no prompt with the tag {tag!r}", where=str(study.folder))
    counter = count()  # Advanced by each row that is written.
    _write(target, (row for row, _ in zip(chain(first, rows), counter, strict=False)))
    return next(counter)


def _export_model(
    study: Study, target: str, versions: Sequence[str] | None, tag: str | None
) -> int:
    """As `export_model`, for what the options may say."""
    if tag is not None:
        raise SpecError("--tag cannot be combined with --as model", where="--tag")
    if target == "-":
        raise SpecError("a model is not written to standard output", hint="name a folder")
    if versions is None or len(versions) != 1:
        raise SpecError(
            "the model of one version is exported",
            where="--as model",
            hint="name one version: ethogram export FOLDER VERSION --as model",
        )
    return export_model(study, target, versions[0])


def _rows(
    study: Study,
    versions: Sequence[str] | None,
    tag: str | None,
    metrics: Sequence[str],
    kind: str,
) -> Iterator[dict[str, Any]]:
    """The rows of a kind, made as they are read."""
    if kind == "traces":
        return trace_rows(study, traced_versions(study, versions), tag=tag)
    names = list(versions or study.versions)
    if kind == "dpo":
        return preference_pairs(study, names, metrics, tag)
    if kind == "generations":
        for name in names:
            if stale := stored_results(study, name).stale:
                _log.warning("%s %s", name, stale)
        return generation_rows(study, names, tag=tag, metrics=metrics)
    return _prompt_rows(study, names, tag, _PROMPTS[kind])


def generation_rows(
    study: Study,
    versions: Sequence[str],
    *,
    tag: str | None = None,
    metrics: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """A row for each stored generation of versions, with the values of metrics.

    Where a suite grew or a version was edited since, the stored results are those of before.

    Raises:
        SpecError: generations are missing, or a metric's name is unknown.
    """
    for name in versions:
        results = stored_results(study, name)
        prompts = {item.id: item for item in results.suite.prompts}
        values = _values(study, name, metrics)
        for generation in generations_of(study, name, results=results):
            item = prompts.get(generation.prompt_id)
            if tag is not None and (item is None or tag not in item.tags):
                continue
            row = {
                **output_columns(name, generation),
                "logprobs": list(generation.logprobs),
                "seconds": generation.seconds,
                "selection": generation.selection.to_json() if generation.selection else None,
                "guarded": generation.guarded.to_json() if generation.guarded else None,
                "reference": _right_answers(item) if item else None,
                "tags": list(item.tags) if item else [],
                "constraints": constraints_of(item) or None if item else None,
            }
            place = (generation.prompt_id, generation.sample_index)
            yield row | {metric: known.get(place) for metric, known in values.items()}


def _right_answers(item: SuitePrompt) -> str | list[str] | None:
    """One as a text, several as a list."""
    return list(item.reference) if isinstance(item.reference, tuple) else item.reference


def _values(
    study: Study, version: str, metrics: Sequence[str]
) -> dict[str, dict[tuple[str, int], float | None]]:
    """Metric name to prompt id and sample index to value.

    Raises:
        SpecError: a metric has a value for a whole prompt only.
    """
    for name in metrics:
        if get(name).scope == "prompt":
            raise SpecError(
                f"{name!r} measures all samples of a prompt, not one output",
                where="--metrics",
                hint="leave it out, or see `study.frame('scores')`",
            )
    found = measure(study, version, metrics, accept="earlier") if metrics else {}
    return {
        name: {
            (output.prompt_id, output.sample_index): score.value
            for output, score in zip(measured.outputs, measured.scores, strict=True)
        }
        for name, measured in found.items()
    }


def _prompt_rows(
    study: Study, names: Sequence[str], tag: str | None, make: Callable[[SuitePrompt], Any]
) -> Iterator[dict[str, Any]]:
    """The prompts of the versions' suites, each once."""
    seen: dict[str, SuitePrompt] = {}
    for name in names:
        for item in study.suite(name).prompts:
            if tag is not None and tag not in item.tags:
                continue
            if seen.setdefault(item.id, item) is item:
                yield make(item)


def _promptfoo_test(item: SuitePrompt) -> dict[str, Any]:
    """A promptfoo test: the prompt as a variable, the right answer as an assertion."""
    chat = [message.model_dump() for message in item.messages or ()]
    prompt = json.dumps(chat, ensure_ascii=False) if chat else item.as_text()
    row: dict[str, Any] = {"description": item.id, "vars": {"prompt": prompt}}
    if item.reference is not None:
        kind = "icontains" if isinstance(item.reference, str) else "icontains-any"
        row["assert"] = [{"type": kind, "value": _right_answers(item)}]
    return row | {"metadata": {"id": item.id, "tags": list(item.tags)}}


def _inspect_record(item: SuitePrompt) -> dict[str, Any]:
    """A sample of an inspect_ai data set."""
    chat = [message.model_dump() for message in item.messages or ()]
    return {
        "id": item.id,
        "input": chat or item.as_text(),
        "target": _right_answers(item) or "",
        "metadata": {"tags": list(item.tags)},
    }


_PROMPTS: dict[str, Callable[[SuitePrompt], Any]] = {
    "promptfoo": _promptfoo_test,
    "inspect": _inspect_record,
}


def _write(target: str, rows: Iterable[dict[str, Any]]) -> None:
    if is_address(target):
        with tempfile.TemporaryDirectory(prefix="ethogram-export-") as folder:
            local = Path(folder, target.rpartition("/")[2])
            _write(str(local), rows)
            put(local, target)
    elif target == "-":
        sys.stdout.writelines(json_lines(rows))
    elif target.endswith(".jsonl"):
        write_whole(Path(target), json_lines(rows))
    elif target.endswith(".csv"):
        write_whole(Path(target), _csv_lines(rows))
    else:
        _write_parquet(Path(target), rows)


class _Buffer:
    """A file that hands back what was written last, so that a table is written line by line."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


def _csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The rows as CSV; lists and objects are JSON in their cells."""
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(_Buffer(), list(row), lineterminator="\n")
            yield ",".join(row) + "\n"
        cells = {
            key: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
            for key, value in row.items()
        }
        yield str(writer.writerow(cells))


def _write_parquet(target: Path, rows: Iterable[dict[str, Any]]) -> None:
    arrow = require("pyarrow", extra="parquet", needed_for="export to Parquet")
    parquet = require("pyarrow.parquet", extra="parquet", needed_for="export to Parquet")
    listed = [_with_json_cells(row) for row in rows]
    several = any(isinstance(row.get("reference"), list) for row in listed)
    for row in listed:
        if several and isinstance(row.get("reference"), str):
            row["reference"] = [row["reference"]]
    with replacing(target) as temporary:
        parquet.write_table(arrow.Table.from_pylist(listed), temporary)


def _with_json_cells(row: dict[str, Any]) -> dict[str, Any]:
    """A row for Parquet, in which a column has one shape.

    Each constraint has arguments of its own, what a guard did has texts beside numbers, and a trace
    the steps of its version.
    """
    texts = {
        column: json.dumps(row[column], ensure_ascii=False)
        for column in ("constraints", "guarded", "trace")
        if row.get(column) is not None
    }
    return row | texts


def finite(value: float | None) -> float | None:
    """The value, or None where there is none or it is not a number."""
    return None if value is None or not math.isfinite(value) else value
