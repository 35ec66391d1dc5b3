"""Import: outputs made elsewhere as a version, prompts made elsewhere as a suite."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.formats import Row, all_rows, groups, messages_of
from ethogram.metrics import Output
from ethogram.spec.study import version_key
from ethogram.spec.suite import SuitePrompt, load_suite
from ethogram.spec.version import VERSION_NAME
from ethogram.study.lines import constraints_of, json_lines
from ethogram.study.shared_prompts import UNKNOWN_PROMPT
from ethogram.study.workspace import Study, read_imported

_log = logging.getLogger(__name__)
OnBad = Callable[[SpecError], None]


def import_outputs(
    study: Study,
    file: str | Path,
    version: str | None = None,
    *,
    title: str = "",
    select: str | None = None,
    on_bad: OnBad | None = None,
) -> Path:
    """Add outputs of another program to a study as a version.

    The rows are copied into `outputs/`, and a suite is made of their prompts; both belong under git
    with the study. `run` then stores and measures them like any other version. A row without a
    prompt takes the prompt with its id from the study's suite, if there is one.

    Args:
        study: the opened study.
        file: in any of the shapes of docs/importing.md.
        version: name of the new version; default the next free minor version.
        title: of the new version; default says which file and group it came from.
        select: whose outputs, where the file holds those of several models or versions.
        on_bad: called with the error of each skipped row; without it, the first error is raised.

    Returns:
        The path of the new version file.

    Raises:
        SpecError: the name is taken or not a version name, or the file has no usable rows.
        WriteError: the study's folder cannot be written.
    """
    name = _name(study, version)
    found = read_imported(Path(file), select, on_bad)
    if not found:
        raise SpecError("no outputs in this file", where=str(file))
    prompts: dict[str, str] = {}
    for row in found:
        if prompts.setdefault(row.prompt_id, row.prompt) != row.prompt:
            raise SpecError(
                f"prompt id {row.prompt_id!r} belongs to two different prompts", where=str(file)
            )
    suite = f"suites/{name}.jsonl"
    source = f"{Path(file).name}: {select}" if select else Path(file).name
    heading = title or f"Outputs imported from {source}"
    write_whole(study.folder / f"outputs/{name}.jsonl", json_lines(map(output_row, found)))
    write_whole(study.folder / suite, json_lines(suite_rows(found, _known_prompts(study))))
    path = study.folder / f"versions/{name}.yaml"
    version_file = (
        f"title: {json.dumps(heading, ensure_ascii=False)}\nmodel: imported\n"
        f"outputs: outputs/{name}.jsonl\nsuite: {suite}\n"
    )
    write_whole(path, [version_file])
    return path


def import_each(study: Study, file: str | Path, *, on_bad: OnBad | None = None) -> list[Path]:
    """Import every group of a file (model, provider with prompt, version), a version each.

    Raises:
        SpecError: as `import_outputs`.
    """
    first = next_version(study)
    numbers = version_key(first)[0]
    paths = []
    for offset, group in enumerate(groups(Path(file)) or [None]):
        name = f"v{numbers[0]}.{numbers[1] + offset}.{numbers[2]}"
        paths.append(import_outputs(study, file, name, select=group, on_bad=on_bad))
    return paths


def import_suite(study: Study, file: str | Path, name: str) -> Path:
    """Make a suite from the prompts of a file, in any format that outputs are read from.

    Prompts keep their ids, chat messages, reference answers, constraints and tags; outputs are
    dropped. A prompt that the file does not have, such as a later turn without the reply before
    it, is left out; how many is logged as a warning.

    Returns:
        The path of `suites/NAME.jsonl`.

    Raises:
        SpecError: the name is taken or not a file name, or a prompt is missing or wrong (named).
        WriteError: the study's folder cannot be written.
    """
    stem = name.removeprefix("suites/").removesuffix(".jsonl")
    if not re.fullmatch(r"[\w][\w.-]*", stem):
        raise SpecError("not a suite name", where=name, hint="use letters, digits, - and _")
    path = study.folder / f"suites/{stem}.jsonl"
    if path.exists():
        raise SpecError("this suite already exists", where=str(path), hint="choose another name")
    found: dict[str, dict[str, Any]] = {}
    left_out: dict[str, int] = {}
    for row in all_rows(Path(file)):
        if row.left_out:
            left_out[row.left_out] = left_out.get(row.left_out, 0) + 1
            continue
        prompt = _suite_prompt(row)
        same = found.setdefault(prompt["id"], prompt)
        # The prompts of promptfoo word one test in several ways; the first counts.
        if same != prompt and not row.test:
            raise SpecError(
                f"prompt id {prompt['id']!r} belongs to two different prompts", where=row.where
            )
    if not found:
        raise SpecError("no prompts in this file", where=str(file))
    write_whole(path, json_lines(found.values()))
    for why, count in left_out.items():
        prompts = "1 prompt" if count == 1 else f"{count} prompts"
        _log.warning("%s: %s left out: %s, which the file does not have", file, prompts, why)
    return path


def _suite_prompt(row: Row) -> dict[str, Any]:
    """A line of a suite.

    Raises:
        SpecError: it has no prompt, or a field that a suite cannot have.
    """
    data = row.fields
    prompt = next(
        (
            data[key]
            for key in ("prompt", "prompt_text", "instruction", "question", "input", "text")
            if data.get(key)
        ),
        None,
    )
    if prompt is None:
        raise SpecError("no prompt", where=row.where, hint="put it under 'prompt'")
    turns = messages_of(prompt) if isinstance(prompt, list) else None
    identity = data.get("prompt_id", data.get("id"))
    given: dict[str, Any] = {
        "id": str(identity) if identity is not None else f"line-{row.number}",
        "text": prompt if turns is None else None,
        "messages": turns,
        "reference": data.get("reference"),
        "constraints": data.get("constraints") or _ifeval(data),
        "tags": data.get("tags"),
    }
    line = {key: item for key, item in given.items() if item}
    try:
        SuitePrompt.model_validate(line)
    except ValidationError as error:
        details = error.errors()[0]
        field = ".".join(str(part) for part in details["loc"])
        message = str(details["msg"]).removeprefix("Value error, ")
        what = f"{field}: {message}" if field else message
        raise SpecError(what[:1].lower() + what[1:], where=row.where) from None
    return line


def _ifeval(data: dict[str, Any]) -> list[dict[str, Any]] | None:
    ids, given = data.get("instruction_id_list"), data.get("kwargs")
    if not isinstance(ids, list):
        return None
    kwargs = given if isinstance(given, list) and len(given) == len(ids) else [{}] * len(ids)
    return [
        {
            "type": name,
            "kwargs": {key: item for key, item in each.items() if item is not None}
            if isinstance(each, dict)
            else {},
        }
        for name, each in zip(ids, kwargs, strict=True)
    ]


def next_version(study: Study) -> str:
    """The next free minor version: v0.3.0 where v0.2.1 is the latest."""
    latest = max((version_key(name)[0] for name in study.versions), default=[0, 0, 0])
    return f"v{latest[0]}.{latest[1] + 1}.0" if study.versions else "v0.0.1"


def _name(study: Study, version: str | None) -> str:
    """The new version's name.

    Raises:
        SpecError: it is not one, or taken; suggests one that is free.
    """
    free = next_version(study)
    if version is None:
        return free
    if not VERSION_NAME.match(version):
        raise SpecError(
            "not a version name",
            where=version,
            hint=f"use a name like {free}, and --title for words",
        )
    if version in study.versions:
        raise SpecError(
            "this version already exists", where=version, hint=f"choose another name, like {free}"
        )
    return version


def _known_prompts(study: Study) -> dict[str, SuitePrompt]:
    """The prompts of the study's own suite by id; empty where it has none that can be read."""
    path = study.folder / study.spec.settings.suite
    try:
        return {item.id: item for item in load_suite(path).prompts} if path.exists() else {}
    except SpecError:
        return {}


def _right_answers(texts: tuple[str, ...]) -> str | list[str] | None:
    """As a suite has them: one as a text, several as a list."""
    return list(texts) if len(texts) > 1 else texts[0] if texts else None


def output_row(output: Output) -> dict[str, Any]:
    """An output as a line of `outputs/`, without what is not known."""
    row = {
        "prompt_id": output.prompt_id,
        "sample": output.sample_index,
        "prompt": output.prompt,
        "output": output.text,
        "finish_reason": output.finish_reason,
        "token_ids": output.token_ids,
        "logprobs": output.logprobs,
        "guarded": output.guarded.to_json() if output.guarded else None,
    }
    return {key: value for key, value in row.items() if value is not None}


def suite_rows(
    outputs: Sequence[Output], known: dict[str, SuitePrompt] | None = None
) -> Iterator[dict[str, Any]]:
    """A line of a suite for each prompt.

    A prompt that the rows do not state is that of the study's suite with the same id, else
    `(none)`.
    """
    first = {output.prompt_id: output for output in reversed(outputs)}
    for prompt_id in dict.fromkeys(output.prompt_id for output in outputs):
        output = first[prompt_id]
        if not output.prompt and known and prompt_id in known:
            kept = known[prompt_id].model_dump(mode="json", exclude_defaults=True)
            yield {key: value for key, value in kept.items() if value}
            continue
        row = {
            "id": prompt_id,
            "text": output.prompt or UNKNOWN_PROMPT,
            "reference": _right_answers(output.references),
            "constraints": constraints_of(output) or None,
            "tags": list(output.tags) or None,
        }
        yield {key: value for key, value in row.items() if value is not None}
