"""Stored branches: list them, undo them, and turn them into versions and training pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.study.calling import takes_study
from ethogram.study.found_output import found_branch
from ethogram.study.trace import Traced, traced_output
from ethogram.study.versions import new_version
from ethogram.study.workspace import Study

if TYPE_CHECKING:
    from ethogram.store.branches import StoredBranch

Preferred = Literal["branch", "original"]


def branch_json(branch: StoredBranch) -> dict[str, Any]:
    """A branch as plain data, without the numbers of its tokens."""
    made = branch.generation
    return {
        "id": branch.id,
        "version": branch.version,
        "prompt_id": made.prompt_id,
        "sample_index": made.sample_index,
        "origin": branch.origin,
        "parent": branch.parent,
        "at": branch.at,
        "token": branch.token,
        "settings": branch.settings,
        "draw": branch.draw,
        "undone": branch.undone,
        "text": made.text,
        "finish_reason": made.finish_reason,
    }


def branch_words(branch: StoredBranch, pieces: Sequence[str] | None = None) -> str:
    """What a branch changes, in words.

    Args:
        branch: the branch.
        pieces: the texts of its tokens, to name the one that was put there.
    """
    parts = []
    if branch.token is not None:
        known = pieces is not None and branch.at < len(pieces)
        parts.append(repr(pieces[branch.at]) if pieces and known else f"token {branch.token}")
    parts += [f"{field.removeprefix('decoding.')} {v}" for field, v in branch.settings.items()]
    if branch.draw:
        parts.append("other random numbers")
    return f"from token {branch.at + 1}: {', '.join(parts) or 'nothing changed'}"


@takes_study
def traced_branch(study: Study, number: int) -> Traced:
    """A branch, token by token, as `trace` shows an output; loads the tokenizer only.

    Raises:
        SpecError: there is no such branch, or its version is gone.
    """
    found = found_branch(study, number)
    return traced_output(study, found.version, found.generation)


@takes_study
def branches(
    study: Study,
    version: str | None = None,
    prompt: str | None = None,
    sample: int | None = None,
    *,
    undone: bool = False,
) -> list[StoredBranch]:
    """The stored branches of outputs, in the order in which they were made.

    Args:
        study: the opened study.
        version: only those of this version.
        prompt: only those of this prompt id.
        sample: only those of this sample index.
        undone: those that were undone as well.
    """
    from ethogram.store.branches import Branches

    return [
        found
        for found in Branches(study.store).of()
        if (undone or not found.undone)
        and version in (None, found.version)
        and prompt in (None, found.generation.prompt_id)
        and sample in (None, found.generation.sample_index)
    ]


@takes_study
def undo_branch(study: Study, number: int | None = None) -> StoredBranch:
    """Hide a branch, which stays stored; by default the last one made. Returns it.

    Raises:
        SpecError: there is no such branch.
    """
    from ethogram.store.branches import Branches

    if number is None:
        shown = branches(study)
        if not shown:
            raise SpecError("no branch to undo", where=str(study.folder))
        number = shown[-1].id
    found = found_branch(study, number)
    Branches(study.store).set_undone(number, True)
    return replace(found, undone=True)


@takes_study
def restore_branch(study: Study, number: int | None = None) -> StoredBranch:
    """Show a branch again that was undone; by default the first of them. Returns it.

    Raises:
        SpecError: there is no such branch.
    """
    from ethogram.store.branches import Branches

    if number is None:
        hidden = [found for found in branches(study, undone=True) if found.undone]
        if not hidden:
            raise SpecError("no branch was undone", where=str(study.folder))
        number = hidden[0].id
    found = found_branch(study, number)
    Branches(study.store).set_undone(number, False)
    return replace(found, undone=False)


@takes_study
def branch_as_version(study: Study, number: int, name: str, *, title: str = "") -> Path:
    """Write the settings of a branch as a child version; returns the path of its file.

    Raises:
        SpecError: the branch changes no setting, or the name is not that of a new version.
        WriteError: the file cannot be written.
    """
    found = found_branch(study, number)
    if not found.settings:
        raise SpecError(
            "this branch changes no setting, so there is nothing for a version to state",
            where=f"branch {number}",
            hint="write it as a training pair, with `branch pair`",
        )
    return new_version(study, name, found.version, found.settings, title=title)


@takes_study
def branch_pair(study: Study, number: int, *, prefer: Preferred = "branch") -> dict[str, Any]:
    """A branch and the output of its version as a pair of a `dpo` recipe.

    Args:
        study: the opened study.
        number: id of the branch.
        prefer: which of the two is chosen; the other one is rejected.

    Returns:
        `prompt`, `chosen`, `rejected`, as TRL's DPOTrainer reads them, and `prompt_id`.

    Raises:
        SpecError: the branch, its prompt or the original is gone, or both texts are equal.
    """
    found = found_branch(study, number)
    made = found.generation
    original = study.store.get([found.origin]).get(found.origin)
    items = {item.id: item for item in study.suite(found.version).prompts}
    where = f"branch {number}"
    if original is None or made.prompt_id not in items:
        raise SpecError("its prompt or its original is no longer in the study", where=where)
    if original.text == made.text:
        raise SpecError("both outputs have the same text, so neither is better", where=where)
    prompt: Any = study.spec.version(found.version).prompt.render(items[made.prompt_id])
    texts = [made.text, original.text]
    sides: list[Any] = texts if prefer == "branch" else texts[::-1]
    if not isinstance(prompt, str):
        prompt = [{"role": turn.role, "content": turn.content} for turn in prompt]
        sides = [[{"role": "assistant", "content": text}] for text in sides]
    return {
        "prompt": prompt,
        "chosen": sides[0],
        "rejected": sides[1],
        "prompt_id": made.prompt_id,
    }


@takes_study
def write_branch_pair(
    study: Study, number: int, path: Path, *, prefer: Preferred = "branch"
) -> int:
    """Append `branch_pair` to a file of JSON lines; returns how many rows it has then.

    A row that the file has already is not written twice.

    Raises:
        SpecError: as `branch_pair`.
        WriteError: the file cannot be written.
    """
    line = json.dumps(branch_pair(study, number, prefer=prefer), ensure_ascii=False)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if line not in lines:
        lines.append(line)
        write_whole(path, [f"{each}\n" for each in lines])
    return len(lines)
