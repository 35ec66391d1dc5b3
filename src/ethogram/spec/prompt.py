"""Prompt: how a suite's text becomes what the model sees."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ethogram.errors import SpecError
from ethogram.spec.generation import ChatFormat, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from ethogram.spec.suite import SuitePrompt

DEFAULT_TEMPLATE = "{{ input }}"


class Example(BaseModel):
    """One worked example for few-shot prompting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str = Field(description="a user's input")
    output: str = Field(description="the answer to give")


class Prompt(BaseModel):
    """How the text of a suite becomes the prompt of a version.

    The template is Jinja (sandboxed) over `input`, `system` and `examples`. With `chat`, the
    rendered template is the user's turn, examples become earlier turns, and the model's own chat
    template joins them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: str = Field(DEFAULT_TEMPLATE, description="Jinja over input, system, examples")
    system: str | None = Field(None, description="system message of a chat; `system` in templates")
    chat: bool = Field(False, description="format with the model's own chat template")
    template_args: dict[str, Any] = Field(
        default_factory=dict,
        description="arguments of the model's chat template, such as enable_thinking: false",
    )
    continue_final: bool | None = Field(
        None,
        description="leave the last assistant message of a chat open for the model to continue; "
        "default: on if it is the last message",
    )
    examples: tuple[Example, ...] = Field((), description="few-shot examples")
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="stop strings that belong to this template"
    )

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("template_args")
    @classmethod
    def _arguments_are_data(cls, value: dict[str, Any]) -> dict[str, Any]:
        taken = {"messages", "conversation", "tokenize", "add_generation_prompt"} & value.keys()
        if taken or "continue_final_message" in value:
            name = next(iter(taken), "continue_final_message")
            raise ValueError(f"{name} is set by Ethogram; see prompt.continue_final")
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError("use only numbers, texts, lists and mappings") from None
        return value

    @field_validator("template")
    @classmethod
    def _template_renders(cls, value: str) -> str:
        try:
            rendered = fill_template(value, input="\x00", system="", examples=())
        except SpecError as error:
            raise ValueError(str(error)) from None
        if "\x00" not in rendered:
            raise ValueError("template does not use {{ input }}, so every prompt would be the same")
        return value

    def render(self, item: SuitePrompt) -> str | tuple[Message, ...]:
        """What the model sees of a suite's prompt: text, or the messages of a chat."""
        if not self.chat:
            return self._fill(item.as_text())
        system = [Message("system", self.system)] if self.system else []
        shots = [
            Message(role, text)
            for example in self.examples
            for role, text in (("user", self._fill(example.input)), ("assistant", example.output))
        ]
        if item.messages is None:
            turns = [Message("user", self._fill(item.as_text()))]
        else:
            turns = [Message(message.role, message.content) for message in item.messages]
            if turns[0].role == "system":
                system = []
        return (*system, *shots, *turns)

    def chat_format(self, prompt: str | tuple[Message, ...]) -> ChatFormat:
        """How the messages of a rendered prompt become a text."""
        if isinstance(prompt, str):
            return ChatFormat()
        continues = self.continue_final
        if continues is None:
            continues = prompt[-1].role == "assistant"
        return ChatFormat(json.dumps(self.template_args, sort_keys=True), continues)

    def _fill(self, text: str) -> str:
        return fill_template(
            self.template, input=text, system=self.system or "", examples=self.examples
        )

    def canonical(self) -> dict[str, Any]:
        """The settings that can change the prompt, in one form per behaviour; stops apart."""
        form: dict[str, Any] = {}
        if self.template != DEFAULT_TEMPLATE:
            form["template"] = self.template
        if self.chat:
            form["chat"] = True
            if self.template_args:
                form["template_args"] = self.template_args
            if self.continue_final is not None:
                form["continue_final"] = self.continue_final
        if self.system and (self.chat or "system" in self.template):
            form["system"] = self.system
        if self.examples and (self.chat or "examples" in self.template):
            form["examples"] = [[example.input, example.output] for example in self.examples]
        return form


def fill_template(source: str, *, input: str, system: str, examples: Sequence[Example]) -> str:
    """The text of a sandboxed Jinja template.

    Args:
        source: the template.
        input: the prompt's text, or the user's.
        system: the system prompt, empty without one.
        examples: the few shots.

    Raises:
        SpecError: it uses something unknown or forbidden, or fails on this input: whatever it
            raises is its author's, since a template computes.
    """
    try:
        return _compiled(source).render(input=input, system=system, examples=examples)
    except Exception as error:
        problem = str(error).rstrip(".") or type(error).__name__
        raise SpecError(f"template: {problem}; it may use input, system and examples") from None


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    """A sandboxed Jinja template in which an unknown variable is an error."""
    from jinja2 import StrictUndefined

    from ethogram.spec.sandbox import Sandbox

    environment = Sandbox(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(source)
