"""Groups of settings that belong to one feature: DRY, XTC, mirostat, contrastive decoding.

Version 0.1 wrote their settings flat, with a prefix (`dry_multiplier`). Those names are still read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ethogram.spec.setting import Effect


def as_list(value: Any) -> Any:
    """A single string where a list of strings is meant."""
    return (value,) if isinstance(value, str) else value


class Group(BaseModel):
    """Settings of one feature; frozen and hashable, so that it can be a step's value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Dry(Group):
    """DRY (p-e-w, text-generation-webui pull request 5677; as in llama.cpp).

    It subtracts multiplier · base^(length − allowed_length) from the score of each token that would
    lengthen a repetition of that length.
    """

    multiplier: Annotated[
        float, Effect("loops are penalised less", "loops are penalised more", off=True)
    ] = Field(
        0.0,
        ge=0.0,
        le=100.0,
        description="makes verbatim loops less likely: size of the penalty on a token that would "
        "extend a repetition of earlier text; 0.8 is common; 0 is off",
    )
    base: Annotated[float, Effect("long loops cost less", "long loops cost more")] = Field(
        1.75,
        ge=1.0,
        le=100.0,
        description="how steeply the penalty grows: each further repeated token multiplies it by "
        "this",
    )
    allowed_length: Annotated[int, Effect("shorter repeats count", "only longer repeats count")] = (
        Field(
            2,
            ge=1,
            description="repetitions shorter than this many tokens are not penalised, so that "
            "names and set phrases can recur",
        )
    )
    penalty_last_n: int = Field(
        64,
        ge=-1,
        description="how far back to look for repetitions, in tokens of prompt and output; -1 is "
        "all of them, 0 is off",
    )
    sequence_breakers: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], BeforeValidator(as_list)
    ] = Field(
        ("\n", ":", '"', "*"),
        description="strings that end a repetition and are never penalised themselves, so that "
        "lists and dialogue keep their form",
    )

    @property
    def can_act(self) -> bool:
        """Whether it can change an output."""
        return bool(self.multiplier and self.penalty_last_n)

    @property
    def normal(self) -> Dry:
        """The same with its breakers as a sorted set."""
        breakers = tuple(sorted(set(self.sequence_breakers)))
        return self.model_copy(update={"sequence_breakers": breakers})


class Xtc(Group):
    """XTC, exclude top choices (p-e-w, text-generation-webui pull request 6335; llama.cpp)."""

    probability: Annotated[
        float, Effect("fewer surprising turns", "more surprising turns", off=True)
    ] = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="makes text less predictable: probability, at each token, that the most "
        "likely candidates are dropped in favour of a less likely one; 0 is off",
    )
    threshold: Annotated[float, Effect("more surprising turns", "fewer surprising turns")] = Field(
        0.1,
        gt=0.0,
        le=1.0,
        description="which candidates XTC drops: all with at least this probability, except the "
        "least probable of them (and its ties); above 0.5 is off",
    )

    @property
    def can_act(self) -> bool:
        """Whether it can change an output: above 0.5 at most one token is that probable."""
        return bool(self.probability and self.threshold <= 0.5)


class Mirostat(Group):
    """Mirostat 2 (Basu et al. 2021, arXiv 2007.14966, and their repository; as in llama.cpp)."""

    tau: Annotated[
        float,
        Effect("more predictable text", "less predictable text", off=True, zero_is_open=True),
    ] = Field(
        0.0,
        ge=0.0,
        le=100.0,
        description="keeps text at one level of predictability: the target surprisal in bits per "
        "token (3 is focused, 5 varied); replaces all truncations; 0 is off",
    )
    eta: Annotated[float, Effect("slower steering", "quicker steering")] = Field(
        0.1,
        ge=0.0,
        le=1.0,
        description="learning rate: share of the error that is corrected at the next token",
    )

    @property
    def can_act(self) -> bool:
        """Whether it can change an output."""
        return bool(self.tau)


class Contrastive(Group):
    """Contrastive decoding (Li et al. 2022, arXiv 2210.15097; O'Brien & Lewis 2023, 2309.09117)."""

    amateur: Annotated[Annotated[str, Field(min_length=1)] | None, Effect(off=True)] = Field(
        None,
        description="weaker model with the same tokenizer (built-in name, hub id or id@revision, "
        "local folder or .gguf file); tokens that it also finds likely count less, which "
        "favours specific over generic text",
    )
    alpha: Annotated[
        float, Effect("more unlikely tokens let in", "fewer unlikely tokens let in")
    ] = Field(
        0.1,
        ge=0.0,
        le=1.0,
        description="prevents implausible tokens: drops those below this share of the highest "
        "probability; 0 is off",
    )
    beta: Annotated[
        float | None, Effect("less weight against the amateur", "more against the amateur")
    ] = Field(
        None,
        ge=0.0,
        le=100.0,
        description="weight of the amateur: scores are (1 + beta) · expert − beta · amateur, in "
        "logits; if unset, the difference of the log-probabilities",
    )
    amateur_temperature: Annotated[float, Effect("a surer amateur", "a flatter amateur")] = Field(
        1.0,
        gt=0.0,
        le=100.0,
        description="temperature of the amateur's distribution: divides its logits, so the "
        "amateur counts less at higher values",
    )


#: The groups of a decoding by their field.
GROUPS: dict[str, type[Group]] = {
    "dry": Dry,
    "xtc": Xtc,
    "mirostat": Mirostat,
    "contrastive": Contrastive,
}


def _old_name(group: str, field: str) -> str:
    return field if field.startswith("amateur") else f"{group}_{field}"


#: The flat names of version 0.1, each with the group and the field that it is now.
OLD_NAMES: dict[str, tuple[str, str]] = {
    _old_name(group, field): (group, field)
    for group, kind in GROUPS.items()
    for field in kind.model_fields
}


class TwoNamesError(ValueError):
    """One setting is given by its old name and by its new one.

    Attributes:
        old: the flat name.
    """

    def __init__(self, old: str) -> None:
        self.old = old
        self.new = ".".join(OLD_NAMES[old])
        super().__init__(f"{old} and {self.new} are one setting; keep {self.new}")


def nest(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a decoding with every old flat name replaced by its group.

    Args:
        settings: as written, unchecked.

    Raises:
        TwoNamesError: one setting is given by both names.
    """
    nested = {name: value for name, value in settings.items() if name not in OLD_NAMES}
    for old in [name for name in settings if name in OLD_NAMES]:
        group, field = OLD_NAMES[old]
        inner = nested.get(group, {})
        if isinstance(inner, BaseModel):
            inner = inner.model_dump(exclude_unset=True)
        if not isinstance(inner, dict):
            continue  # No group at all, which validation reports.
        if field in inner:
            raise TwoNamesError(old)
        nested[group] = {**inner, field: settings[old]}
    return nested
