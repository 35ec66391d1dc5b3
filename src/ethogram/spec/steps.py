"""The decoding steps: each is declared once, as a field that carries a `Step`.

Everything else that lists steps is computed from these declarations: kinds, order presets, neutral
values, words for a difference, what vLLM supports, the tables of docs/decoding.md. The functions
are in `engine/steps`, under the same names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from ethogram.spec.groups import Dry, Mirostat, Xtc, as_list
from ethogram.spec.response_format import read_response_format, schema_text
from ethogram.spec.setting import Effect, Order, Step, VllmSupport, metadata

BadWord = (
    Annotated[str, Field(min_length=1)]
    | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
)
_NARROWER = Effect("tighter responses", "more diversity", off=True)
_WIDER = Effect("more diversity", "tighter responses", off=True)


def _entries(bias: dict[int, float]) -> tuple[tuple[int, float], ...]:
    return tuple(sorted(pair for pair in bias.items() if pair[1] != 0))


def _distinct(words: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(words), key=repr))


class StepSettings(BaseModel):
    """The settings of the steps, each with its `Step`.

    Orders were read in: transformers 5.23 `GenerationMixin._get_logits_processor`; vLLM 0.33
    `v1/sample/sampler.py`; llama.cpp `common/common.h`, default sampler chain. A step that an
    engine lacks is placed beside its nearest relative there: a ban beside another ban, a floor on
    the probability beside min-p, a share of mass or entropy beside top-p. Top-n-sigma measures all
    logits, so it comes before any truncation; XTC needs the likely tokens that the others left, so
    it comes after them. vLLM's bounds: 0.32 `sampling_params.py`.
    """

    temperature: Annotated[
        float,
        Step(
            "warper",
            "temperature",
            Order(transformers=90, vllm=90, llamacpp=180),
            # vLLM silently raises a temperature between 0 and 0.01.
            vllm=VllmSupport(bounds=(0.01, 2.0)),
        ),
        Effect("less randomness", "more randomness"),
    ] = Field(
        1.0,
        ge=0.0,
        le=100.0,
        description="divides the logits: below 1 the text gets safer and more repetitive, above 1 "
        "more varied and more error-prone; 0 is greedy",
    )
    top_k: Annotated[
        int,
        Step(
            "truncation",
            "top-k",
            Order(transformers=120, vllm=140, llamacpp=100),
            vllm=VllmSupport(by_name=True),
            commutes_with=("temperature", "min_p"),
        ),
        Effect("tighter responses", "more diversity", off=True, zero_is_open=True),
    ] = Field(
        0,
        ge=0,
        description="truncates the unlikely tail to a fixed size: keeps the k most probable "
        "tokens and all ties with the k-th; 0 is off",
    )
    top_p: Annotated[
        float,
        Step(
            "truncation",
            "top-p",
            Order(transformers=130, vllm=150, llamacpp=130),
            vllm=VllmSupport(by_name=True),
        ),
        _NARROWER,
    ] = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="truncates the unlikely tail, less where the model is uncertain: keeps the "
        "smallest set of most probable tokens that reaches this probability mass (among "
        "ties, the lowest ids); 1 is off",
    )
    min_p: Annotated[
        float,
        Step(
            "truncation",
            "min-p",
            Order(transformers=140, vllm=110, llamacpp=140),
            vllm=VllmSupport(by_name=True),
        ),
        _WIDER,
    ] = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="truncates the unlikely tail and works at high temperatures: drops tokens "
        "below this share of the highest probability; 0 is off",
    )
    typical_p: Annotated[
        float,
        Step("truncation", "typical sampling", Order(transformers=150, vllm=170, llamacpp=110)),
        _NARROWER,
    ] = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="avoids tokens that are too predictable or too unlikely: keeps those whose "
        "surprisal is nearest the entropy, until they reach this probability mass; 1 is off",
    )
    epsilon_cutoff: Annotated[
        float,
        Step("truncation", "epsilon cutoff", Order(transformers=160, vllm=120, llamacpp=150)),
        _WIDER,
    ] = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="removes only very unlikely tokens: drops those below this probability, but "
        "never the most probable one; 0 is off",
    )
    eta_cutoff: Annotated[
        float,
        Step("truncation", "eta cutoff", Order(transformers=170, vllm=130, llamacpp=160)),
        _WIDER,
    ] = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="like epsilon_cutoff, but keeps more where the model is uncertain: the "
        "threshold is min(ε, √ε · exp(−entropy)); 0 is off",
    )
    top_n_sigma: Annotated[
        float,
        Step("truncation", "top-n-sigma", Order(transformers=100, vllm=100, llamacpp=90)),
        Effect("tighter responses", "more diversity", off=True, zero_is_open=True),
    ] = Field(
        0.0,
        ge=0.0,
        description="keeps text coherent at high temperatures: keeps logits within this many "
        "standard deviations of the highest (deviations of all logits not yet excluded); 0 "
        "is off",
    )
    top_h: Annotated[
        float,
        Step("truncation", "top-H", Order(transformers=110, vllm=160, llamacpp=120)),
        Effect("tighter responses", "more diversity", off=True, zero_is_open=True),
    ] = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="balances variety and coherence: among the 100 most probable tokens, keeps "
        "the most probable ones while their share of the entropy is at most this (among "
        "ties, the lowest ids); 0 is off",
    )
    xtc: Annotated[
        Xtc,
        Step(
            "truncation",
            "XTC",
            Order(transformers=180, vllm=180, llamacpp=170),
            switch="probability",
            identity_name="xtc_probability",
            acts=lambda value: value.can_act,
        ),
    ] = Field(Xtc(), description="XTC: less predictable text")
    mirostat: Annotated[
        Mirostat,
        Step(
            "truncation",
            "mirostat",
            Order(transformers=190, vllm=190, llamacpp=190),
            switch="tau",
            identity_name="mirostat_tau",
            acts=lambda value: value.can_act,
        ),
    ] = Field(Mirostat(), description="mirostat 2: text at one level of predictability")
    repetition_penalty: Annotated[
        float,
        Step(
            "penalty",
            "repetition penalty",
            Order(transformers=20, vllm=50, llamacpp=40),
            vllm=VllmSupport(by_name=True),
            commutes_with=("temperature",),
        ),
        Effect("less discouragement of echoes", "less echo", off=True),
    ] = Field(
        1.0,
        gt=0.0,
        description="reduces repetition of prompt and output: divides positive and multiplies "
        "negative logits of tokens that occur in either; values far above 1.2 damage "
        "grammar; 1 is off",
    )
    frequency_penalty: Annotated[
        float,
        Step(
            "penalty",
            "frequency penalty",
            Order(transformers=30, vllm=60, llamacpp=50),
            vllm=VllmSupport(by_name=True, bounds=(-2.0, 2.0)),
            commutes_with=("presence_penalty",),
        ),
        Effect("less discouragement of reuse", "less reuse of words", off=True),
    ] = Field(
        0.0,
        ge=-100.0,
        le=100.0,
        description="reduces overused words: subtracted from a token's logit for each earlier "
        "use in the output; below 0 encourages reuse; 0 is off",
    )
    presence_penalty: Annotated[
        float,
        Step(
            "penalty",
            "presence penalty",
            Order(transformers=40, vllm=70, llamacpp=60),
            vllm=VllmSupport(by_name=True, bounds=(-2.0, 2.0)),
        ),
        Effect("less push to new words", "more push to new words", off=True),
    ] = Field(
        0.0,
        ge=-100.0,
        le=100.0,
        description="encourages new words and topics: subtracted once from the logit of each "
        "token already in the output; below 0 encourages reuse; 0 is off",
    )
    dry: Annotated[
        Dry,
        Step(
            "penalty",
            "DRY",
            Order(transformers=50, vllm=80, llamacpp=70),
            switch="multiplier",
            identity_name="dry_multiplier",
            acts=lambda value: value.can_act,
            normal=lambda value: value.normal,
        ),
    ] = Field(Dry(), description="DRY: no verbatim loops")
    no_repeat_ngram_size: Annotated[
        int,
        Step("ban", "ban on repeated n-grams", Order(transformers=60, vllm=40, llamacpp=80)),
        Effect(off=True),
    ] = Field(
        0,
        ge=0,
        description="makes loops impossible: no n-gram of this many tokens occurs twice in "
        "prompt and output; small sizes also forbid repeated names and phrases; 0 is off",
    )
    logit_bias: Annotated[
        dict[Annotated[int, Field(ge=0)], Annotated[float, Field(ge=-100, le=100)]],
        Step(
            "penalty",
            "logit bias",
            Order(transformers=10, vllm=30, llamacpp=10),
            vllm=VllmSupport(),
            commutes_with=("frequency_penalty", "presence_penalty"),
            acts=lambda value: any(value.values()),
            normal=_entries,
        ),
    ] = Field(
        {},
        description="makes single tokens more or less likely: maps a token id to the value added "
        "to its logit; −100 effectively forbids it; 0 is off",
    )
    bad_words: Annotated[
        tuple[BadWord, ...],
        BeforeValidator(as_list),
        Step(
            "ban",
            "bad words",
            Order(transformers=70, vllm=10, llamacpp=20),
            vllm=VllmSupport(),
            commutes_with=(
                "min_new_tokens",
                "logit_bias",
                "repetition_penalty",
                "frequency_penalty",
                "presence_penalty",
                "temperature",
            ),
            normal=_distinct,
        ),
    ] = Field((), description="words, or lists of token ids, that never occur in the output")
    response_format: Annotated[
        dict[str, Any] | None,
        BeforeValidator(read_response_format),
        Step(
            "ban",
            "response format",
            Order(transformers=5, vllm=5, llamacpp=5),
            normal=schema_text,
        ),
        Effect(off=True),
    ] = Field(
        None,
        description="makes every output JSON of one form: {type: json_object}, or {type: "
        "json_schema, json_schema: {schema: …}}; stop strings then end nothing",
    )
    min_new_tokens: Annotated[
        int,
        Step(
            "ban",
            "minimum length",
            Order(transformers=80, vllm=20, llamacpp=30),
            vllm=VllmSupport(),
            commutes_with=(
                "logit_bias",
                "repetition_penalty",
                "frequency_penalty",
                "presence_penalty",
                "temperature",
            ),
        ),
        Effect(off=True),
    ] = Field(
        0,
        ge=0,
        description="sets a minimum length: the end of sequence is excluded before this many new "
        "tokens",
    )


#: Every step by name, in the order of declaration.
STEPS: dict[str, Step] = {
    name: replace(step, name=name, neutral=field.get_default(call_default_factory=True))
    for name, field in StepSettings.model_fields.items()
    if (step := metadata(field, Step)) is not None
}
#: All step names in the order of each preset.
ORDER_PRESETS: dict[str, tuple[str, ...]] = {
    preset: tuple(sorted(STEPS, key=lambda name: STEPS[name].order[position]))
    for position, preset in enumerate(Order._fields)
}
#: Steps that act only when sampling.
SAMPLING_STEPS = tuple(name for name, step in STEPS.items() if step.needs_sampling)
#: Names that version 0.1 gave to steps, in orders and traces.
OLD_STEP_NAMES = {step.identity_name: name for name, step in STEPS.items() if step.identity_name}


def current_name(name: str) -> str:
    """The name of a step today, from that or the one that version 0.1 gave it."""
    return OLD_STEP_NAMES.get(name, name)
