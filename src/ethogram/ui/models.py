"""What the page's answers are made of: frozen pydantic models and texts safe to send."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

#: Characters of a text in a list; the whole text is requested when it is opened. Rows of full texts
#: of 10 KB take up to 600 ms to lay out, clipped ones 20 ms.
CLIP = 400


def clean(text: Any) -> Any:
    """A text that UTF-8 can encode: lone surrogates, which models can emit, are replaced."""
    if not isinstance(text, str):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


#: A text that may come from a model, a file or a remote service.
Text = Annotated[str, BeforeValidator(clean)]


class Answer(BaseModel):
    """Base of all that the API sends: NaN and infinity become null."""

    model_config = ConfigDict(
        frozen=True, ser_json_inf_nan="null", protected_namespaces=(), from_attributes=True
    )


class Body(BaseModel):
    """Base of all that the API accepts: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Clipped(Answer):
    """The beginning of a text.

    Attributes:
        text: at most `CLIP` characters.
        length: characters of the whole text.
    """

    text: Text
    length: int

    @classmethod
    def of(cls, text: str, most: int = CLIP) -> Clipped:
        """Cut a text."""
        return cls(text=text[:most], length=len(text))


class Problem(Answer):
    """Why a request was refused: one line, as on the command line."""

    error: Text
