"""Suite: an ordered set of prompts, read from JSONL or YAML with the line of each mistake."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ethogram.errors import SpecError
from ethogram.spec.constraints import check_constraint
from ethogram.spec.identity import digest
from ethogram.spec.source import SourceMap, read_jsonl, read_yaml, validate


class ChatMessage(BaseModel):
    """One turn of a chat prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str

    @field_validator("content", mode="before")
    @classmethod
    def _content_is_text(cls, value: Any) -> Any:
        """A list of text parts, as chat APIs write it, is one text; null is none."""
        if value is None:
            return ""
        if not isinstance(value, list):
            return value
        texts = []
        for part in value:
            kind = part.get("type", "text") if isinstance(part, dict) else type(part).__name__
            if isinstance(part, dict) and kind == "text" and isinstance(part.get("text"), str):
                texts.append(part["text"])
            else:
                raise ValueError(f"a part of type {kind!r} cannot be read; only text can")
        return "".join(texts)


class Constraint(BaseModel):
    """A checkable demand on the output, named as in IFEval (Zhou et al. 2023)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(min_length=1, description="IFEval instruction id; `id` means the same")
    kwargs: dict[str, Any] = Field(default_factory=dict, description="its arguments")

    @model_validator(mode="before")
    @classmethod
    def _id_is_type(cls, data: Any) -> Any:
        if isinstance(data, dict) and "id" in data and "type" not in data:
            data = {"type": data["id"], **{k: v for k, v in data.items() if k != "id"}}
        return data

    @model_validator(mode="after")
    def _known(self) -> Constraint:
        # Tables of many instructions fill the arguments that one does not have with null.
        given = {name: value for name, value in self.kwargs.items() if value is not None}
        check_constraint(self.type, given)
        return self


class SuitePrompt(BaseModel):
    """One prompt of a suite: an id and either a text or chat messages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, description="unique in the suite; keys the sampling noise")
    text: str | None = Field(None, min_length=1, description="the prompt")
    messages: tuple[ChatMessage, ...] | None = Field(None, min_length=1, description="chat turns")
    reference: str | tuple[str, ...] | None = Field(
        None, description="the reference answer, or a list of several; a number is read as text"
    )
    constraints: tuple[Constraint, ...] = Field(
        (), description="checkable constraints on the output"
    )
    tags: tuple[str, ...] = Field((), description="groups for reading results")

    @field_validator("reference", mode="before")
    @classmethod
    def _numbers_as_text(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return tuple(cls._numbers_as_text(each) for each in value) or None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if is_number else value

    @property
    def references(self) -> tuple[str, ...]:
        """Every reference answer; empty if there is none."""
        if self.reference is None:
            return ()
        return (self.reference,) if isinstance(self.reference, str) else self.reference

    @model_validator(mode="after")
    def _text_or_messages(self) -> SuitePrompt:
        if (self.text is None) == (self.messages is None):
            raise ValueError("give either text or messages")
        return self

    def as_text(self) -> str:
        """The prompt as plain text; of a chat, the contents of its turns, a line each."""
        if self.text is not None:
            return self.text
        return "\n".join(message.content for message in self.messages or ())


class Suite(BaseModel):
    """An ordered set of prompts with unique ids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompts: tuple[SuitePrompt, ...]

    def __len__(self) -> int:
        return len(self.prompts)

    @cached_property
    def identity(self) -> str:
        """Digest of all prompts in their order."""
        return digest([item.model_dump(mode="json") for item in self.prompts])


def load_suite(path: Path) -> Suite:
    """Read a suite from `.jsonl`, `.yaml` or `.yml`.

    Raises:
        SpecError: a broken line, an unknown field, a duplicate id or an empty suite.
    """
    rows = list(_rows(path))
    if not rows:
        raise SpecError("the suite is empty", where=str(path), hint="add at least one prompt")
    prompts: list[SuitePrompt] = []
    first_line: dict[str, int] = {}
    for line, row in rows:
        places = SourceMap()
        places.set((), path, line)
        item = validate(SuitePrompt, row, path, places)
        if item.id in first_line:
            raise SpecError(
                f"duplicate prompt id {item.id!r} (first on line {first_line[item.id]})",
                where=f"{path}:{line}",
                hint="give each prompt its own id",
            )
        first_line[item.id] = line
        prompts.append(item)
    return Suite(prompts=tuple(prompts))


def _rows(path: Path) -> list[tuple[int, Any]]:
    if path.suffix in (".yaml", ".yml"):
        data, places = read_yaml(path)
        listed = data.get("prompts") if isinstance(data, dict) else data
        if not isinstance(listed, list):
            raise SpecError("a YAML suite is a list of prompts", where=str(path))
        prefix: tuple[str | int, ...] = ("prompts",) if isinstance(data, dict) else ()
        return [(places.line((*prefix, i)) or 1, row) for i, row in enumerate(listed)]
    return [(line, row) for line, row in read_jsonl(path)]
