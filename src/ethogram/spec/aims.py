"""What a version is meant to change, and notes that name the metric that shows them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_serializer,
)

#: Which way a metric is meant to move, against the parent.
Way = Literal["lower", "higher", "same"]
WAYS: tuple[Way, ...] = ("lower", "higher", "same")
BOUND = re.compile(r"^\s*(<=|>=|<|>)\s*-?\d+(\.\d+)?\s*$")


def check_claim(metric: str, claim: str) -> str:
    """A claim about a metric: a way it moves, or a bound on its value.

    Raises:
        ValueError: it is neither.
    """
    if claim not in WAYS and not BOUND.match(claim):
        raise ValueError(
            f"{metric}: invalid claim {claim!r}; expected lower, higher, same, or a bound "
            "like '< 0.02'"
        )
    return claim


def within(value: float, bound: str) -> bool:
    """Whether a value keeps a bound such as "< 0.02"; NaN keeps none."""
    match = BOUND.match(bound)
    if match is None:
        raise ValueError(f"invalid bound {bound!r}; expected something like '< 0.02'")
    sign, limit = match[1], float(bound.strip().removeprefix(match[1]))
    kept = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}
    return kept[sign]


class Note(BaseModel):
    """A sentence of the author, and what shows it.

    Written as plain text, or as `{text: …, shown_by: {loop_rate: lower}, against: v0.0.1}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1, description="what was learned, in a sentence")
    shown_by: dict[str, str] = Field(
        default_factory=dict,
        description="metrics that show it: lower, higher or same (against the parent), or a "
        "bound like '< 0.05' on this version's value; `verify` fails if they do not",
    )
    against: str | None = Field(None, description="version to compare with; default: the parent")

    @field_validator("shown_by")
    @classmethod
    def _claims_parse(cls, value: dict[str, str]) -> dict[str, str]:
        return {metric: check_claim(metric, claim) for metric, claim in value.items()}

    @model_serializer
    def _plain_where_possible(self) -> Any:
        if not self.shown_by and self.against is None:
            return self.text
        form: dict[str, Any] = {"text": self.text, "shown_by": self.shown_by}
        return form if self.against is None else {**form, "against": self.against}

    def __str__(self) -> str:
        return self.text


def _as_notes(value: Any) -> Any:
    given = (value,) if isinstance(value, str | dict) else value
    if not isinstance(given, list | tuple):
        return given
    return tuple({"text": each} if isinstance(each, str) else each for each in given)


Notes = Annotated[tuple[Note, ...], BeforeValidator(_as_notes)]
