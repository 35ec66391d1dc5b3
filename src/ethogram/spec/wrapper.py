"""Wrapper: what is done around a completion: history, guards, candidates, and one retry.

Each part is off unless a version turns it on, so that a version file states all that was done and
`ethogram ablate` can measure each part alone.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ethogram.spec.decoding import Decoding

#: Faults of a reply that a retry can answer to.
Fault = Literal["empty", "loop", "leak", "cut"]
_FROZEN = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LoopBreaker(BaseModel):
    """Goes back to the end of a loop's first copy, forbids the loop, and continues.

    It acts only once a loop is found: at least `copies` equal phrases and at least `tokens` tokens
    of them. A reply that its limit cuts within a shorter loop (two copies, half the tokens) ends
    after the first copy. docs/wrapper.md has the loops it found and the false alarms.
    """

    model_config = _FROZEN

    copies: int = Field(3, ge=2, le=64, description="equal phrases that make a loop")
    tokens: int = Field(48, ge=4, le=4096, description="tokens that these hold at least")
    period: int = Field(128, ge=1, le=4096, description="longest phrase that is looked for")
    ngram: int = Field(6, ge=1, le=64, description="n-grams of the loop that are then forbidden")
    breaks: int = Field(3, ge=1, le=16, description="most loops broken; the next ends the reply")


class Retry(BaseModel):
    """Generates a reply once more, with the next random numbers, where it has a fault."""

    model_config = _FROZEN

    when: tuple[Fault, ...] = Field(("empty",), min_length=1, description="faults that it answers")
    decoding: dict[str, Any] = Field(
        default_factory=dict, description="settings of decoding that the second try changes"
    )

    @field_validator("decoding")
    @classmethod
    def _settings_exist(cls, value: dict[str, Any]) -> dict[str, Any]:
        Decoding.model_validate(value)
        return value


class Wrapper(BaseModel):
    """From a user's input to a guarded reply; every part is optional."""

    model_config = _FROZEN

    history_tokens: int | None = Field(
        None,
        ge=16,
        description="most tokens of a conversation; the oldest turns are dropped whole, the "
        "system message and the last turn stay; default: what the model's context allows",
    )
    stop_at_next_turn: bool = Field(
        False, description="end where the model begins to write the next turn itself"
    )
    whole_sentences: bool = Field(
        False, description="cut a reply that reached its limit after its last whole sentence"
    )
    stop_when_answered: bool = Field(
        False, description="end after the first paragraph that holds a whole sentence"
    )
    most_sentences: int | None = Field(None, ge=1, description="end after so many sentences")
    loop_breaker: LoopBreaker | None = Field(None, description="break loops and continue")
    candidates: int = Field(
        1,
        ge=1,
        le=64,
        description="generate so many and keep the best: no fault first, then the most probable "
        "per token",
    )
    retry: Retry | None = Field(None, description="try once more where a reply has a fault")
    flag_sources: bool = Field(
        False, description="flag links, DOIs, arXiv ids and citations that the prompt lacks"
    )
    confidence: bool = Field(
        False, description="report the geometric mean of the reply's token probabilities"
    )

    @field_validator("loop_breaker", "retry", mode="before")
    @classmethod
    def _true_is_default(cls, value: Any) -> Any:
        """`loop_breaker: true` turns a part on with its defaults, `false` turns it off."""
        return {True: {}, False: None}.get(value, value) if isinstance(value, bool) else value

    @property
    def is_plain(self) -> bool:
        """Whether it changes no reply to a single prompt."""
        return not self.canonical()

    def canonical(self) -> dict[str, Any]:
        """The settings that can change a reply, in one form per behaviour."""
        form = self.model_dump(mode="json", exclude_defaults=True)
        for part in ("loop_breaker", "retry"):
            if getattr(self, part) is not None:
                form[part] = getattr(self, part).model_dump(mode="json")
        return form
