"""Decoding: how the next token is chosen. Settings, what they must agree on, and their identity.

A decoding is a strategy and an ordered list of steps. Every engine orders the same steps
differently, and the order changes the distribution, so the order is part of the design.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from ethogram.spec.groups import GROUPS, OLD_NAMES, Group, as_list, nest
from ethogram.spec.guidance import (
    Branch,
    GuidanceSettings,
    canonical_branch,
    guidance_branch,
    switched_on,
)
from ethogram.spec.other_names import HINTS, REMOVED
from ethogram.spec.searches import SearchSettings, canonical_searches, check_searches
from ethogram.spec.setting import Effect
from ethogram.spec.steps import ORDER_PRESETS, STEPS, StepSettings, current_name

Strategy = Literal["greedy", "sample", "beam", "contrastive"]


class StrategySettings(BaseModel):
    """The strategy, and the order of the steps."""

    strategy: Strategy | None = Field(
        None,
        description="how the next token is chosen: greedy, sample, beam or contrastive; if "
        "unset: beam if num_beams > 1, contrastive if penalty_alpha > 0, greedy if "
        "temperature is 0, else sample",
    )
    order: str | tuple[str, ...] = Field(
        "transformers",
        description="order of the steps, which changes the distribution: transformers, vllm, "
        "llamacpp, or a list of step names",
    )

    @field_validator("order")
    @classmethod
    def _order_names_are_known(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, str):
            if value not in ORDER_PRESETS:
                raise ValueError(f"unknown order {value!r}; use one of {', '.join(ORDER_PRESETS)}")
            return value
        names = tuple(current_name(name) for name in value)
        unknown = [name for name in names if name not in STEPS]
        if unknown:
            raise ValueError(f"unknown step {unknown[0]!r}; choose from {', '.join(STEPS)}")
        if len(set(names)) != len(names):
            raise ValueError("duplicate step in order")
        return names


class EndSettings(BaseModel):
    """What begins and ends an output."""

    max_new_tokens: Annotated[int, Effect("shorter outputs", "longer outputs")] = Field(
        128,
        ge=1,
        description="maximum number of new tokens; a low value cuts answers off mid-sentence",
    )
    stop: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(as_list)] = (
        Field((), description="strings that end the output and are cut from its text")
    )
    stop_token_ids: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (), description="token ids that end the output, besides the model's end of sequence"
    )
    forced_tokens: Annotated[
        tuple[Annotated[int, Field(ge=0)] | Annotated[str, Field(min_length=1)], ...],
        BeforeValidator(as_list),
    ] = Field(
        (),
        description="first tokens of the output, as ids or vocabulary entries, such as the "
        "language code of mBART or NLLB",
    )


def _with_old_names(schema: dict[str, Any]) -> None:
    """Add the flat names of version 0.1 to a JSON schema, marked as deprecated."""
    for old, (group, field) in OLD_NAMES.items():
        inner = GROUPS[group].model_json_schema()["properties"][field]
        schema["properties"][old] = {
            **inner,
            "deprecated": True,
            "description": f"old name of {group}.{field}",
        }


class Decoding(EndSettings, SearchSettings, GuidanceSettings, StepSettings, StrategySettings):
    """How the next token is chosen; all probabilities are fractions, lengths are new tokens.

    The default is pure sampling at temperature 1. Each truncation is off unless set, so a version
    file states everything that is applied. transformers (top_k 50) and llama.cpp (top_k 40,
    top_p 0.95, min_p 0.05) have active defaults.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=False,
        allow_inf_nan=False,
        json_schema_extra=_with_old_names,
    )

    #: Hints for unknown fields, and what is said of fields that no longer exist.
    FIELD_HINTS: ClassVar[Mapping[str, str]] = HINTS
    REMOVED_FIELDS: ClassVar[Mapping[str, str]] = REMOVED

    @model_validator(mode="before")
    @classmethod
    def _old_names_are_read(cls, data: Any) -> Any:
        return nest(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _settings_agree(self) -> Decoding:
        if self.min_new_tokens > self.max_new_tokens:
            raise ValueError(
                f"min_new_tokens {self.min_new_tokens} is above max_new_tokens "
                f"{self.max_new_tokens}; lower min_new_tokens or raise max_new_tokens"
            )
        if self.strategy == "sample" and self.temperature == 0:
            raise ValueError("strategy sample needs a temperature above 0; use strategy greedy")
        if self.strategy == "beam" and self.num_beams == 1:
            raise ValueError("strategy beam needs num_beams of at least 2")
        if self.strategy in ("greedy", "sample") and self.num_beams > 1:
            raise ValueError(
                f"num_beams {self.num_beams} has no effect under {self.strategy}; set it to 1, or "
                "the strategy to beam"
            )
        check_searches(self)
        missing = [name for name in STEPS if self._acts(name) and name not in self.chain]
        if missing:
            raise ValueError(f"{missing[0]} is set but not in order; add it to the list")
        self._check_guidance()
        return self

    def _check_guidance(self) -> None:
        on = switched_on(self)
        if len(on) > 1:
            raise ValueError(f"{on[0]} and {on[1]} cannot be combined; turn one of them off")
        if on and self.resolved_strategy == "beam":
            raise ValueError(f"{on[0]} cannot be combined with beam search; use greedy or sample")

    @property
    def resolved_strategy(self) -> Strategy:
        """The strategy that will run, inferred from the settings when it is not stated."""
        if self.strategy is not None:
            return self.strategy
        if self.num_beams > 1:
            return "beam"
        if self.penalty_alpha > 0:
            return "contrastive"
        return "greedy" if self.temperature == 0 else "sample"

    @property
    def is_stochastic(self) -> bool:
        """Whether two sample indices can differ."""
        return self.resolved_strategy == "sample"

    @property
    def candidates(self) -> int:
        """How many outputs are sampled for one that is kept."""
        return max(self.best_of, self.self_consistency)

    @property
    def chain(self) -> tuple[str, ...]:
        """All step names in the order in which they apply; a form comes first if not listed."""
        if isinstance(self.order, str):
            return ORDER_PRESETS[self.order]
        is_listed = "response_format" in self.order
        return self.order if is_listed else ("response_format", *self.order)

    @property
    def ends_by_form(self) -> bool:
        """Whether the form of the output decides where it ends, and stop strings do not."""
        return self.response_format is not None

    def active_step_names(self) -> tuple[str, ...]:
        """Names of the steps that can change the output, in order."""
        return tuple(name for name in self.chain if self._acts(name))

    def _acts(self, name: str) -> bool:
        """Whether a step can change the output.

        Warpers and truncations act only under sampling, as in transformers; mirostat replaces all
        other truncations, as in llama.cpp.
        """
        step = STEPS[name]
        if step.needs_sampling and not self.is_stochastic:
            return False
        if step.kind == "truncation" and name != "mirostat" and self.mirostat.can_act:
            return False
        return step.can_act(getattr(self, name))

    @property
    def steps(self) -> tuple[tuple[str, Hashable], ...]:
        """The active steps in order, each with its value."""
        return tuple((name, self.step_value(name)) for name in self.active_step_names())

    @property
    def guidance_branch(self) -> Branch | None:
        """Where the auxiliary scores come from, combined before the first step; mostly None."""
        return guidance_branch(self)

    @property
    def guidance_setting(self) -> str | None:
        """Dotted name of the setting that turned the guidance branch on."""
        return next(iter(switched_on(self)), None)

    def step_value(self, name: str) -> Hashable:
        """The value that a step is called with; equal values make equal steps."""
        return STEPS[name].normal(getattr(self, name))  # type: ignore[no-any-return]

    def canonical(self) -> dict[str, Any]:
        """The settings that can change the output, in one form per behaviour.

        Two decodings with equal canonical forms give equal outputs: neutral and unreachable
        settings are dropped, stop lists are sets, and the order is kept only among active steps.
        An amateur is named here as the version names it; requests replace the name by the identity
        of its weights.
        """
        form: dict[str, Any] = {
            "strategy": self.resolved_strategy,
            "max_new_tokens": self.max_new_tokens,
            "steps": [
                [
                    STEPS[name].identity_name or name,
                    value.model_dump() if isinstance(value, Group) else value,
                ]
                for name, value in self.steps
            ],
            **canonical_searches(self),
        }
        branch = self.guidance_branch
        if branch is not None:
            form["view"] = canonical_branch(branch)
        if self.stop and not self.ends_by_form:
            form["stop"] = sorted(set(self.stop))
        if self.stop_token_ids and not self.ends_by_form:
            form["stop_token_ids"] = sorted(set(self.stop_token_ids))
        if self.forced_tokens:
            form["forced_tokens"] = list(self.forced_tokens)
        return form
