"""Notes: the sentences of a version's author, read and edited in the version's own file.

An edit replaces only the characters of the sentences that changed; comments, layout and everything
else in the file stay as they are. The result is parsed before it is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import EthogramError, SpecError
from ethogram.files import write_whole
from ethogram.spec.source import parse_yaml, read_text

if TYPE_CHECKING:
    from ethogram.study.workspace import Study

#: Fields of a version that hold its author's sentences, in the order of the log.
NOTE_FIELDS = ("learned", "takeaway", "limitation", "notes")
#: Indentation of the items of a list that is new in a file.
_INDENT = "  "


class ChangedOnDiskError(EthogramError):
    """A file changed after it was read for editing; nothing was written."""


@dataclass(frozen=True)
class NotesFile:
    """The notes of a version as its file states them.

    Attributes:
        path: of the file.
        digest: of its content; an edit names the one that it was made from.
        notes: field to its sentences.
    """

    path: Path
    digest: str
    notes: Mapping[str, Sequence[str]]


def read_notes(study: Study, version: str) -> NotesFile:
    """The notes of a version, as they are on disk.

    Raises:
        SpecError: there is no such version, or its file cannot be read.
    """
    path = version_file(study, version)
    text = read_text(path)
    data = parse_yaml(text) or {}
    return NotesFile(
        path=path,
        digest=_digest(text),
        notes={field: _sentences(data.get(field)) for field in NOTE_FIELDS},
    )


def version_file(study: Study, version: str) -> Path:
    """The file of a version.

    Raises:
        SpecError: there is no such version, or it has no file.
    """
    study.spec.version(version)
    for suffix in (".yaml", ".yml"):
        path = study.folder / "versions" / f"{version}{suffix}"
        if path.is_file():
            return path
    raise SpecError("this version has no file", where=version)


def edit_notes(
    study: Study, version: str, field: str, sentences: Sequence[str], *, digest: str
) -> NotesFile:
    """Replace the sentences of one field in a version's file.

    Sentences are matched by their place: one that stays keeps what shows it (`shown_by`).

    Args:
        study: the opened study.
        version: its name.
        field: one of `NOTE_FIELDS`.
        sentences: all of the field, in order; empty ones are left out.
        digest: of the file that the edit was made from.

    Raises:
        ChangedOnDiskError: the file is another one by now.
        SpecError: there is no such field, or the file states the notes in a form that cannot be
            edited here, such as an alias.
        WriteError: the file cannot be written.
    """
    path = version_file(study, version)
    if field not in NOTE_FIELDS:
        raise SpecError(f"{field!r} holds no notes", where=version)
    text = _read_exactly(path)
    if _digest(text.removeprefix("\ufeff")) != digest:
        raise ChangedOnDiskError(
            "changed on disk since it was opened, so nothing was written",
            where=str(path),
            hint="look at both and save again",
        )
    wanted = [kept for each in sentences if (kept := each.strip())]
    before = parse_yaml(text) or {}
    edited = _edited(text, field, wanted)
    _check(before, edited, field, wanted, path)
    write_whole(path, [edited])
    return read_notes(study, version)


def _read_exactly(path: Path) -> str:
    read_text(path)  # Its errors are one line.
    return path.read_bytes().decode("utf-8")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _sentences(value: Any) -> list[str]:
    given = value if isinstance(value, list) else [] if value is None else [value]
    return [str(each.get("text", "") if isinstance(each, dict) else each) for each in given]


def _edited(text: str, field: str, wanted: Sequence[str]) -> str:
    """The text of the file with other sentences in a field."""
    found = _find(text, field)
    if found is None:
        return _appended(text, field, wanted)
    key, value = found
    places = _places(value)
    if places is None or not places or not wanted:
        return _rewritten(text, key, value, field, wanted)
    if len(wanted) < len(places):
        removed = _removed([said for _, _, said in places], wanted)
        if removed is None or value.id != "sequence" or value.flow_style:
            return _rewritten(text, key, value, field, wanted)
        return _without(text, value.value, removed)
    for (start, end, said), new in sorted(
        zip(places, wanted, strict=False), key=lambda pair: -pair[0][0]
    ):
        if said != new:
            text = text[:start] + _scalar(new) + _rest(text[start:end]) + text[end:]
    more = wanted[len(places) :]
    return _extended(text, field, more) if more else text


def _find(text: str, field: str) -> tuple[Any, Any] | None:
    """The nodes of a field's key and value."""
    from ruamel.yaml import YAML

    root = YAML(typ="rt").compose(text)
    for key, value in getattr(root, "value", None) or ():
        if key.value == field:
            return key, value
    return None


def _places(value: Any) -> list[tuple[int, int, str]] | None:
    """Start, end and content of each sentence in the text; None for other forms."""
    items = value.value if isinstance(value.value, list) and value.id == "sequence" else [value]
    found = []
    for item in items:
        node = item
        if item.id == "mapping":
            node = next((inner for key, inner in item.value if key.value == "text"), None)
        if node is None or node.id != "scalar" or node.anchor:
            return None
        found.append((node.start_mark.index, node.end_mark.index, str(node.value)))
    return found


def _removed(said: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """Places of the sentences that were taken out; None if others changed too."""
    left, removed = list(wanted), []
    for place, each in enumerate(said):
        if left and left[0] == each:
            left.pop(0)
        else:
            removed.append(place)
    return None if left else removed


def _without(text: str, items: Sequence[Any], removed: Sequence[int]) -> str:
    """The text without the lines of some items; comments above an item stay."""
    for place in reversed(removed):
        start = text.rfind("\n", 0, items[place].start_mark.index) + 1
        last = len(text[: items[place].end_mark.index].rstrip())
        stop = text.find("\n", last) + 1 or len(text)
        text = text[:start] + text[stop:]
    return text


def _rest(old: str) -> str:
    """White space and comments after a block scalar, which its end includes."""
    return old[len(old.rstrip()) :]


def _scalar(sentence: str) -> str:
    """A sentence as YAML: plain where that reads back as the same, else in double quotes."""
    plain = sentence[:1].isalpha() and not any(
        mark in sentence for mark in (": ", " #", "[", "]", "{", "}", ",", "\\", '"')
    )
    if plain and not sentence.endswith(":") and sentence.isprintable():
        try:
            if parse_yaml(sentence) == sentence:
                return sentence
        except Exception:
            return _quoted(sentence)
    return _quoted(sentence)


def _quoted(sentence: str) -> str:
    """In double quotes, in which YAML has an escape for every character."""
    return '"' + "".join(map(_escaped, sentence)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    point = ord(character)
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _appended(text: str, field: str, wanted: Sequence[str]) -> str:
    if not wanted:
        return text
    end = _line_end(text)
    gap = "" if not text or text.endswith("\n") else end
    return text + gap + _listed(field, wanted, end)


def _listed(field: str, wanted: Sequence[str], end: str) -> str:
    return f"{field}:{end}" + "".join(f"{_INDENT}- {_scalar(each)}{end}" for each in wanted)


def _extended(text: str, field: str, more: Sequence[str]) -> str:
    """Further items behind the last one, in the layout that the list has."""
    found = _find(text, field)
    assert found is not None
    key, value = found
    if value.id != "sequence" or value.flow_style:
        return _rewritten(text, key, value, field, [*(p[2] for p in _places(value) or ()), *more])
    last = value.value[-1]
    at = last.end_mark.index
    stop = len(text[:at].rstrip())
    line = text.find("\n", stop)  # Behind a comment on the last item's line.
    line = len(text) if line < 0 else line
    if text[:line].endswith("\r"):
        line -= 1
    indent = " " * value.start_mark.column
    end = _line_end(text)
    added = "".join(f"{end}{indent}- {_scalar(each)}" for each in more)
    return text[:line] + added + text[line:]


def _rewritten(text: str, key: Any, value: Any, field: str, wanted: Sequence[str]) -> str:
    """The field written again: items were taken out, or it was one sentence and is a list now."""
    items = value.value if value.id == "sequence" else [value]
    places = _places(value)
    if places is None:
        raise SpecError(
            f"{field} is written in a form that can only be edited in the file",
            hint="open the file in an editor",
        )
    start, stop = key.start_mark.index, value.end_mark.index
    stop = len(text[:stop].rstrip())
    kept = _kept_forms(text, items, [said for _, _, said in places], wanted)
    end = _line_end(text)
    new = f"{field}:" + "".join(f"{end}{_INDENT}- {each}" for each in kept) if kept else ""
    if not new:  # With its line.
        stop = text.find("\n", stop) + 1 or len(text)
    return text[:start] + new + text[stop:]


def _kept_forms(
    text: str, items: Sequence[Any], said: Sequence[str], wanted: Sequence[str]
) -> list[str]:
    """Each sentence as YAML; one that was there keeps its form, with what shows it."""
    forms = {}
    for item, sentence in zip(items, said, strict=True):
        if item.id == "mapping":
            shape = {str(key.value): _plain_value(inner) for key, inner in item.value}
            forms[sentence] = json.dumps(shape, ensure_ascii=False)
        else:
            forms[sentence] = _scalar(sentence)
    return [forms.get(each) or _scalar(each) for each in wanted]


def _plain_value(node: Any) -> Any:
    if node.id == "mapping":
        return {str(key.value): _plain_value(inner) for key, inner in node.value}
    return node.value


def _check(
    before: Mapping[str, Any], edited: str, field: str, wanted: Sequence[str], path: Path
) -> None:
    """The file must say what was wanted, and all else as before.

    Raises:
        SpecError: it would not; nothing is written then.
    """
    try:
        after = parse_yaml(edited) or {}
    except Exception:
        after = {}
    rest = {key: value for key, value in before.items() if key != field}
    same = {key: value for key, value in after.items() if key != field} == rest
    if not same or _sentences(after.get(field)) != list(wanted):
        raise SpecError(
            f"{field} cannot be edited here without changing more of the file",
            where=str(path),
            hint="open the file in an editor",
        )
