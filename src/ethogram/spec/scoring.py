"""Scoring: the names of the models that model-based metrics use."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

#: Default sentence encoder.
ENCODER = "all-minilm-l6-v2"
#: Default language model for likelihoods.
REFERENCE = "smollm2-135m-instruct"


class ScoringModels(BaseModel):
    """The models that measure; they have nothing to do with the model that generates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str = Field(
        ENCODER,
        min_length=1,
        description="sentence encoder: a built-in name, hub id or local folder",
    )
    reference: str = Field(
        REFERENCE,
        min_length=1,
        description="language model whose likelihoods score outputs: a built-in name, hub id, "
        "local folder or .gguf file",
    )
    nli: str | None = Field(
        None,
        min_length=1,
        description="model of natural language inference: hub id or local folder",
    )
