"""Decoding: how the next token is chosen. Knows its settings and their bounds; never runs a step.

A decoding is a strategy and an ordered list of steps. Every engine orders the same steps
differently, and the order changes the distribution, so the order is part of the design.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ethogram.spec.searches import check_searches, searches_form
from ethogram.spec.steps import (
    HISTORY_STEPS,
    NEUTRAL,
    ORDER_PRESETS,
    STEP_NAMES,
    Dry,
    Mirostat,
    Xtc,
)
from ethogram.spec.views import Amateur, Guidance, Layers, View, canonical_view

Strategy = Literal["greedy", "sample", "beam", "contrastive"]
#: The setting that turns each second view on, and the value at which it is off.
VIEW_SETTINGS: dict[str, float | None] = {
    "guidance_scale": 1.0,
    "amateur": None,
    "dola_layers": None,
}
BadWord = (
    Annotated[str, Field(min_length=1)]
    | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
)


class Decoding(BaseModel):
    """How the next token is chosen; all probabilities are fractions, lengths are new tokens.

    The defaults are pure sampling at temperature 1: each truncation is off until asked for, unlike
    transformers (top_k 50) and llama.cpp (top_k 40, top_p 0.95, min_p 0.05), so that a version
    file says all that was done.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    strategy: Strategy | None = Field(
        None,
        description="greedy, sample, beam or contrastive; without it: beam if num_beams > 1, "
        "contrastive if penalty_alpha > 0, greedy if temperature is 0, else sample",
    )
    order: str | tuple[str, ...] = Field(
        "transformers",
        description="order of the steps: transformers, vllm, llamacpp, or a list of step names",
    )
    temperature: float = Field(1.0, ge=0.0, le=100.0, description="divides the logits; 0 is greedy")
    top_k: int = Field(0, ge=0, description="keep the k most probable tokens; 0 is off")
    top_p: float = Field(
        1.0, gt=0.0, le=1.0, description="keep the smallest set of tokens with this mass; 1 is off"
    )
    min_p: float = Field(
        0.0, ge=0.0, lt=1.0, description="drop tokens below this share of the top one; 0 is off"
    )
    typical_p: float = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="keep the tokens whose surprise is nearest the entropy, up to this mass; "
        "1 is off",
    )
    epsilon_cutoff: float = Field(
        0.0, ge=0.0, lt=1.0, description="drop tokens below this probability; 0 is off"
    )
    eta_cutoff: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="drop tokens below this probability, or less where entropy is high; 0 is off",
    )
    top_n_sigma: float = Field(
        0.0,
        ge=0.0,
        description="keep logits within this many standard deviations of the best; 0 is off",
    )
    top_h: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="keep the best tokens up to this share of the entropy; 0 is off",
    )
    xtc_probability: float = Field(
        0.0, ge=0.0, le=1.0, description="XTC: share of the tokens at which it acts; 0 is off"
    )
    xtc_threshold: float = Field(
        0.1,
        gt=0.0,
        le=1.0,
        description="XTC: drop all tokens of at least this probability but the least of them; "
        "above 0.5 is off",
    )
    mirostat_tau: float = Field(
        0.0,
        ge=0.0,
        le=100.0,
        description="mirostat 2: surprise to steer to, bits, in place of all truncations; 0 is off",
    )
    mirostat_eta: float = Field(
        0.1, ge=0.0, le=1.0, description="mirostat 2: share of an error that is made up at once"
    )
    repetition_penalty: float = Field(
        1.0, gt=0.0, description="CTRL penalty on tokens of prompt and output; 1 is off"
    )
    frequency_penalty: float = Field(
        0.0, ge=-100.0, le=100.0, description="subtracted per earlier use in the output; 0 is off"
    )
    presence_penalty: float = Field(
        0.0, ge=-100.0, le=100.0, description="subtracted once per token already in the output"
    )
    dry_multiplier: float = Field(
        0.0,
        ge=0.0,
        le=100.0,
        description="DRY: size of the penalty on tokens that would lengthen a repetition; 0 is off",
    )
    dry_base: float = Field(
        1.75,
        ge=1.0,
        le=100.0,
        description="DRY: by how much each further repeated token multiplies it",
    )
    dry_allowed_length: int = Field(
        2, ge=1, description="DRY: the shortest repetition whose continuation is penalised"
    )
    dry_penalty_last_n: int = Field(
        64, ge=-1, description="DRY: tokens of prompt and output looked at; -1 is all, 0 is off"
    )
    dry_sequence_breakers: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        ("\n", ":", '"', "*"), description="DRY: strings over which no repetition is followed"
    )
    no_repeat_ngram_size: int = Field(
        0, ge=0, description="no n-gram of this size occurs twice in prompt and output; 0 is off"
    )
    logit_bias: dict[Annotated[int, Field(ge=0)], Annotated[float, Field(ge=-100, le=100)]] = Field(
        default_factory=dict, description="token id to what is added to its logit; 0 is off"
    )
    bad_words: tuple[BadWord, ...] = Field(
        (), description="words, or lists of token ids, that never occur in the output"
    )
    guidance_scale: float = Field(
        1.0,
        ge=0.0,
        le=100.0,
        description="classifier-free guidance: how strongly the prompt counts against the negative "
        "prompt; 1 is off",
    )
    negative_prompt: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="guidance: the text to steer away from; without it, the prompt's last token "
        "alone",
    )
    amateur: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="contrastive decoding: a weaker model with the same tokenizer (built-in name, "
        "hub id or id@revision, local folder or .gguf file)",
    )
    contrastive_alpha: float = Field(
        0.1,
        ge=0.0,
        le=1.0,
        description="contrastive decoding: drop tokens below this share of the top one; 0 is off",
    )
    contrastive_beta: float | None = Field(
        None,
        ge=0.0,
        le=100.0,
        description="contrastive decoding: (1 + beta) * expert - beta * amateur, of logits; "
        "without it, the difference of the log-probabilities",
    )
    amateur_temperature: float = Field(
        1.0, gt=0.0, le=100.0, description="contrastive decoding: divides the amateur's logits"
    )
    dola_layers: (
        Literal["low", "high"]
        | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
        | None
    ) = Field(
        None,
        description="DoLa: early layers to set against the last one: low, high, or a list (0 is "
        "the embedding)",
    )
    num_beams: int = Field(1, ge=1, le=64, description="beams kept by beam search")
    length_penalty: float = Field(
        1.0, description="beam search: score divided by length to this power"
    )
    early_stopping: bool | Literal["never"] = Field(
        False, description="beam search: when to stop (as in transformers)"
    )
    num_beam_groups: int = Field(
        1, ge=1, le=64, description="diverse beam search: groups of beams; 1 is plain beam search"
    )
    diversity_penalty: float = Field(
        0.0,
        ge=0.0,
        le=100.0,
        description="diverse beam search: subtracted from a token for each beam of an earlier "
        "group that has just chosen it",
    )
    penalty_alpha: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="contrastive search: weight of likeness to earlier tokens against "
        "probability, among the top_k; 0 is off",
    )
    best_of: int = Field(
        1, ge=1, le=256, description="sample this many candidates and keep the most probable"
    )
    best_of_by: Literal["mean", "total"] = Field(
        "mean", description="best_of: log-probability per token, or of the whole output"
    )
    self_consistency: int = Field(
        1, ge=1, le=256, description="sample this many candidates and keep the majority's answer"
    )
    answer: Literal["last_number", "pattern", "text"] = Field(
        "last_number", description="self_consistency: what of an output is its answer"
    )
    answer_pattern: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="self_consistency: regular expression; the answer is the first group of its "
        "last match, or all of it",
    )
    prompt_lookup_num_tokens: int = Field(
        0,
        ge=0,
        le=64,
        description="speed only: tokens guessed from the text so far and checked at once when a "
        "single output runs; 0 is off",
    )
    max_matching_ngram_size: int = Field(
        2, ge=1, le=16, description="speed only: longest n-gram by which prompt lookup guesses"
    )
    min_new_tokens: int = Field(0, ge=0, description="no end-of-sequence before this many tokens")
    max_new_tokens: int = Field(128, ge=1, description="at most this many new tokens")
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="strings that end the output; cut from the text"
    )
    stop_token_ids: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (), description="token ids that end the output, besides the model's end of sequence"
    )
    forced_tokens: tuple[Annotated[int, Field(ge=0)] | Annotated[str, Field(min_length=1)], ...] = (
        Field(
            (),
            description="first tokens of the output, by id or by their spelling in the vocabulary, "
            "such as the language code of mBART or NLLB",
        )
    )

    @field_validator("stop", "bad_words", "dry_sequence_breakers", "forced_tokens", mode="before")
    @classmethod
    def _one_string_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("order")
    @classmethod
    def _order_names_are_known(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, str):
            if value not in ORDER_PRESETS:
                raise ValueError(f"unknown order {value!r}; use one of {', '.join(ORDER_PRESETS)}")
            return value
        unknown = [name for name in value if name not in STEP_NAMES]
        if unknown:
            raise ValueError(f"unknown step {unknown[0]!r}; use of {', '.join(STEP_NAMES)}")
        if len(set(value)) != len(value):
            raise ValueError("a step is named twice")
        return value

    @model_validator(mode="after")
    def _settings_agree(self) -> Decoding:
        if self.min_new_tokens > self.max_new_tokens:
            raise ValueError(
                f"min_new_tokens {self.min_new_tokens} is above max_new_tokens "
                f"{self.max_new_tokens}; lower one or raise the other"
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
        missing = [name for name in self.active_step_names(all_of=True) if name not in self.chain]
        if missing:
            raise ValueError(f"{missing[0]} is set but not in order; add it to the list")
        self._check_views()
        return self

    def _check_views(self) -> None:
        views = [name for name, off in VIEW_SETTINGS.items() if getattr(self, name) != off]
        if len(views) > 1:
            raise ValueError(f"{views[0]} and {views[1]} cannot act together; turn one of them off")
        if views and self.resolved_strategy == "beam":
            raise ValueError(f"{views[0]} does not go with beam search; use greedy or sample")

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
        """All step names in the order in which they apply."""
        return ORDER_PRESETS[self.order] if isinstance(self.order, str) else self.order

    def active_step_names(self, *, all_of: bool = False) -> tuple[str, ...]:
        """Names of the steps that can change the output, in order.

        Only under sampling do the sampling steps apply, as in transformers; mirostat takes the
        place of all truncations, as in llama.cpp.

        Args:
            all_of: in the order of declaration and without asking `order` (used to check it).
        """
        names = STEP_NAMES if all_of else self.chain
        usable: tuple[str, ...] = STEP_NAMES
        if not self.is_stochastic:
            usable = HISTORY_STEPS
        elif self.mirostat_tau:
            usable = (*HISTORY_STEPS, "temperature", "mirostat_tau")
        return tuple(name for name in names if name in usable and self._acts(name))

    def _acts(self, name: str) -> bool:
        value = getattr(self, name)
        if name == "logit_bias":
            return any(value.values())
        if name == "dry_multiplier":
            return bool(value and self.dry_penalty_last_n)
        if name == "xtc_probability":
            return bool(value and self.xtc_threshold <= 0.5)  # above, at most one token is likely
        return bool(value != NEUTRAL[name])

    @property
    def mirostat(self) -> Mirostat:
        """The settings of mirostat, whether or not it acts."""
        return Mirostat(self.mirostat_tau, self.mirostat_eta)

    @property
    def steps(self) -> tuple[tuple[str, Hashable], ...]:
        """The active steps in order, each with what it is told."""
        return tuple((name, self.step_value(name)) for name in self.active_step_names())

    @property
    def second_view(self) -> View | None:
        """What is set against the model's own scores before the first step; mostly nothing."""
        if self.guidance_scale != 1.0:
            return Guidance(self.guidance_scale, self.negative_prompt)
        if self.amateur is not None:
            alpha, beta = self.contrastive_alpha, self.contrastive_beta
            return Amateur(self.amateur, alpha, beta, self.amateur_temperature)
        if self.dola_layers is not None:
            chosen = self.dola_layers
            return Layers(chosen if isinstance(chosen, str) else tuple(sorted(set(chosen))))
        return None

    def step_value(self, name: str) -> Hashable:
        """All that a step is told of the settings; equal values make equal steps."""
        value = getattr(self, name)
        if name == "logit_bias":
            return tuple(sorted(pair for pair in value.items() if pair[1] != 0))
        if name == "bad_words":
            return tuple(sorted(set(value), key=repr))
        if name == "dry_multiplier":
            breakers = tuple(sorted(set(self.dry_sequence_breakers)))
            window, allowed = self.dry_penalty_last_n, self.dry_allowed_length
            return Dry(value, self.dry_base, allowed, window, breakers)
        if name == "xtc_probability":
            return Xtc(value, self.xtc_threshold)
        if name == "mirostat_tau":
            return self.mirostat
        return value  # type: ignore[no-any-return]

    def canonical(self) -> dict[str, Any]:
        """The settings that can change the output, in one form per behaviour.

        Two decodings with equal canonical forms give equal outputs: neutral and unreachable
        settings are dropped, stop lists are sets, and the order is kept only among active steps.
        An amateur stands there by its name; requests put the identity of its weights in its place.
        """
        strategy = self.resolved_strategy
        form: dict[str, Any] = {"strategy": strategy, "max_new_tokens": self.max_new_tokens}
        form["steps"] = [
            [name, value._asdict() if isinstance(value, Dry | Xtc | Mirostat) else value]
            for name, value in self.steps
        ]
        view = self.second_view
        if view is not None:
            form["view"] = canonical_view(view)
        if strategy == "beam":
            form["num_beams"] = self.num_beams
            form["length_penalty"] = self.length_penalty
            form["early_stopping"] = self.early_stopping
        form |= searches_form(self)
        if self.stop:
            form["stop"] = sorted(set(self.stop))
        if self.stop_token_ids:
            form["stop_token_ids"] = sorted(set(self.stop_token_ids))
        if self.forced_tokens:
            form["forced_tokens"] = list(self.forced_tokens)
        return form
