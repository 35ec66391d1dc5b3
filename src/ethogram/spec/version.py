"""Version: one designed behaviour; the fields of a version file and its identity."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ethogram.spec.aims import BOUND, Notes, Way, check_claim
from ethogram.spec.decoding import Decoding
from ethogram.spec.endpoint import Api, check_url, is_remote
from ethogram.spec.identity import digest
from ethogram.spec.prompt import Prompt
from ethogram.spec.scoring import ScoringModels
from ethogram.spec.wrapper import Wrapper

#: What generates a version's outputs: Ethogram's engine, vLLM, or an OpenAI-compatible endpoint.
BackendName = Literal["engine", "vllm", "openai"]
VERSION_NAME = re.compile(r"^v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?\Z")

#: Fields that describe a version and never pass from parent to child.
OWN_FIELDS = (
    "title",
    "title_shown_by",
    "aim",
    "parent",
    "learned",
    "takeaway",
    "limitation",
    "notes",
    "outputs",
)
#: Fields that change a version's outputs, which a sweep may vary.
BEHAVIOUR_FIELDS = (
    "model",
    "revision",
    "adapter",
    "dtype",
    "backend",
    "base_url",
    "api",
    "decoding",
    "prompt",
    "wrapper",
)


class Version(BaseModel):
    """One designed behaviour: model, decoding and prompt, with its notes and expectations.

    A file states only what differs from its parent; `parent` and the notes are its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    title: str = Field("", description="what this version tries, in a few words")
    parent: str | None = Field(None, description="the version it differs from")
    model: str = Field(
        "smollm2-135m-instruct",
        min_length=1,
        description="built-in name, hub id, local folder, .gguf file, or openai:NAME for a model "
        "at an endpoint",
    )
    revision: str | None = Field(None, description="branch, tag or commit of a hub model")
    adapter: str | None = Field(None, description="LoRA adapter: local folder or hub id")
    dtype: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="number format of the weights: float32, the default, or bfloat16, "
        "faster on some hardware",
    )
    backend: BackendName = Field(
        "engine",
        description="what generates: engine (Ethogram's own), vllm for large models, or openai for "
        "an endpoint, which follows from a model openai:NAME",
    )
    base_url: str | None = Field(
        None,
        description="of a model openai:NAME: address of the API, up to /v1; default: "
        "$OPENAI_BASE_URL, then OpenAI's own",
    )
    api: Api = Field(
        "openai",
        description="of a model openai:NAME: whose parameters the endpoint takes: openai, vllm "
        "(also `ethogram serve`) or llamacpp",
    )
    decoding: Decoding = Field(default_factory=Decoding)
    prompt: Prompt = Field(default_factory=Prompt)
    wrapper: Wrapper = Field(default_factory=Wrapper)
    suite: str | None = Field(None, description="suite file; default: the study's")
    samples: int | None = Field(None, ge=1, description="samples per prompt; default: the study's")
    outputs: str | None = Field(
        None, description="JSONL file of imported outputs; the version is then never generated"
    )
    aim: dict[str, Way] = Field(
        default_factory=dict,
        description="metrics that this version should move: lower, higher or same; tested first, "
        "as a family of their own",
    )
    title_shown_by: dict[str, str] = Field(
        default_factory=dict,
        description="metrics that show the title: lower, higher, same, or a bound; `verify` "
        "fails if they do not",
    )
    expect: dict[str, str] = Field(default_factory=dict, description="bounds on metrics")
    learned: Notes = Field((), description="what the author learned")
    takeaway: Notes = Field((), description="what to remember")
    limitation: Notes = Field((), description="what still fails")
    notes: Notes = Field((), description="anything else")

    @field_validator("title_shown_by")
    @classmethod
    def _claims_parse(cls, value: dict[str, str]) -> dict[str, str]:
        return {metric: check_claim(metric, claim) for metric, claim in value.items()}

    @field_validator("expect")
    @classmethod
    def _bounds_parse(cls, value: dict[str, str]) -> dict[str, str]:
        for metric, bound in value.items():
            if not BOUND.match(bound):
                raise ValueError(
                    f"{metric}: invalid bound {bound!r}; expected something like '< 0.02'"
                )
        return value

    @field_validator("base_url")
    @classmethod
    def _address_holds_no_secret(cls, value: str | None) -> str | None:
        return None if value is None else check_url(value)

    @model_validator(mode="before")
    @classmethod
    def _endpoints_are_a_backend(cls, data: Any) -> Any:
        """A model openai:NAME says what generates; a file need not say it again."""
        if isinstance(data, dict) and is_remote(str(data.get("model", ""))):
            return {"backend": "openai", **data}
        return data

    @model_validator(mode="after")
    def _model_fits_backend(self) -> Version:
        if is_remote(self.model) and self.backend != "openai":
            raise ValueError(
                f"backend: {self.backend} cannot run {self.model}; set `backend: openai`"
            )
        return self

    @model_validator(mode="after")
    def _loop_breaker_fits(self) -> Version:
        """Contrastive search weighs tokens against each other where only one is possible."""
        strategy = self.decoding.resolved_strategy
        if self.wrapper.loop_breaker is not None and strategy == "contrastive":
            raise ValueError(
                "wrapper.loop_breaker: contrastive search takes no forced tokens, with which it "
                "continues; turn one of them off"
            )
        return self

    @property
    def stops(self) -> tuple[str, ...]:
        """Stop strings of decoding and prompt together."""
        return tuple(sorted({*self.decoding.stop, *self.prompt.stop}))

    def effective_decoding(self) -> Decoding:
        """The decoding with the prompt's own stop strings joined in."""
        return self.decoding.model_copy(update={"stop": self.stops})

    def canonical(self) -> dict[str, Any]:
        """All that can change the output, in one form per behaviour."""
        form: dict[str, Any] = {
            "model": self.model,
            "dtype": self.dtype,
            "decoding": self.effective_decoding().canonical(),
            "prompt": self.prompt.canonical(),
        }
        for name in ("revision", "adapter", "outputs"):
            if getattr(self, name) is not None:
                form[name] = getattr(self, name)
        if not self.wrapper.is_plain:
            form["wrapper"] = self.wrapper.canonical()
        if self.backend != "engine":  # Another backend rounds differently and has its own noise.
            form["backend"] = self.backend
        if self.backend == "openai":
            form |= {"base_url": self.base_url or "", "api": self.api}
        return form

    @property
    def identity(self) -> str:
        """Digest of the canonical form."""
        return digest(self.canonical())


class StudyFile(BaseModel):
    """The fields of study.yaml: defaults that all versions of the study share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="name of the study")
    title: str = Field("", description="heading of PROGRESS.md")
    about: str = Field("", description="introduction of PROGRESS.md")
    seed: int = Field(0, ge=0, description="seed of the sampling noise")
    suite: str = Field("suites/prompts.jsonl", description="default suite")
    samples: int = Field(1, ge=1, description="samples per prompt")
    coupling: Literal["prompt", "independent"] = Field(
        "prompt",
        description="prompt: versions share the noise of a prompt and sample index; "
        "independent: each version has its own",
    )
    thread: str | None = Field(
        None, description="id of the prompt that the log follows through all versions"
    )
    stand_ins: dict[str, str] = Field(
        default_factory=dict,
        description="model of a version to the model that is run in its place, where that one "
        "cannot be had; the log names both",
    )
    trace: bool = Field(False, description="store with each output how each token was chosen")
    metrics: tuple[str, ...] = Field((), description="metrics in the table; default: a fixed set")
    scoring: ScoringModels = Field(
        default_factory=ScoringModels, description="models that model-based metrics use"
    )
    store: str = Field(
        ".ethogram/store.sqlite",
        description="SQLite file, or postgresql://USER@HOST/DATABASE; ETHOGRAM_STORE overrides it",
    )
