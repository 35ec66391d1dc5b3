"""The groups of a recipe that several kinds of training share: data, optimisation, LoRA, tests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ethogram.spec.decoding import Decoding

FROZEN = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Paths = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class Data(BaseModel):
    """The files of a recipe, or votes. A relative path counts from the study's folder."""

    model_config = FROZEN

    train: Paths = Field((), description="files to learn from")
    votes: Paths = Field(
        (),
        description="versions: the votes of `ethogram arena` on their outputs are the pairs to "
        "learn from, in place of files (dpo, kto, reward)",
    )
    held_out: Paths | float = Field(
        0.05,
        description="files to evaluate on, or the share of the training rows that is held out; "
        "near-duplicates of a row stay on its side",
    )
    format: str | None = Field(None, description="format of the files; default: found from them")
    max_rows: int | None = Field(None, ge=1, description="rows used, the first ones of each file")
    too_long: Literal["refuse", "cut", "drop"] = Field(
        "refuse", description="a row longer than the context: refuse, cut its end, or drop it"
    )
    fixes: tuple[str, ...] = Field(
        (), description="rules that may change or drop bad rows; each use is counted and printed"
    )

    @model_validator(mode="after")
    def _share(self) -> Data:
        if isinstance(self.held_out, float) and not 0 <= self.held_out < 1:
            raise ValueError("held_out is a share from 0 to below 1, or files")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        if not self.train and not self.votes:
            raise ValueError("name the files to learn from in train")
        if self.train and self.votes:
            raise ValueError("learn either from train or from votes")
        if self.votes and len(set(self.votes)) < 2:
            raise ValueError("votes names two versions or more")
        return self


class Training(BaseModel):
    """How long and how fast. What is not set has the default of its kind of recipe."""

    model_config = FROZEN

    epochs: float | None = Field(None, gt=0, description="passes over the data")
    steps: int | None = Field(None, ge=1, description="optimiser steps; wins over epochs")
    minutes: float | None = Field(
        None, gt=0, description="most minutes; the schedule is planned for the measured speed"
    )
    batch_size: int | None = Field(None, ge=1, description="rows (or blocks) of a step")
    micro_batch_size: int | None = Field(
        None, ge=1, description="rows of one forward pass; the rest of a step is accumulated"
    )
    learning_rate: float | None = Field(None, gt=0, le=1, description="peak of the schedule")
    schedule: Literal["cosine", "wsd", "linear", "constant"] | None = Field(
        None, description="learning rate over steps; wsd is warm-up, stable, decay"
    )
    warmup_steps: int | None = Field(None, ge=0, description="steps of linear warm-up")
    decay_share: float | None = Field(None, gt=0, le=1, description="last share of a wsd schedule")
    optimizer: Literal["adamw", "muon"] | None = Field(
        None, description="muon: torch.optim.Muon for matrices, AdamW for the rest"
    )
    weight_decay: float | None = Field(None, ge=0, description="of matrices")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    precision: Literal["bfloat16", "float32"] | None = Field(
        None,
        description="of weights and activations; bfloat16 has float32 masters; default: the faster "
        "by a short measurement",
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="0 is faster, and right below one epoch")
    checkpoint_every: int | None = Field(None, ge=1, description="steps between checkpoints")
    keep_checkpoints: int = Field(2, ge=1, description="checkpoints kept while training")


class Lora(BaseModel):
    """Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): trains small matrices only."""

    model_config = FROZEN

    rank: int = Field(16, ge=1, le=1024)
    alpha: float = Field(32, gt=0, description="scale is alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: Literal["all-linear", "attention"] | tuple[str, ...] = Field("all-linear")
    merge: bool = Field(True, description="write merged weights; otherwise the adapter alone")


class Evaluation(BaseModel):
    """Behaviour as it learns: the engine generates on a suite every so many steps."""

    model_config = FROZEN

    every: int | None = Field(None, ge=1, description="steps between; default: a tenth of all")
    suite: str | None = Field(None, description="suite file; default: the study's")
    prompts: int = Field(10, ge=1, description="first prompts of the suite that are used")
    samples: int = Field(1, ge=1, description="samples per prompt")
    metrics: tuple[str, ...] = Field(("loop_rate", "distinct_2", "tokens", "empty_rate"))
    decodings: dict[str, Decoding] = Field(
        {"greedy": Decoding(temperature=0), "sampled": Decoding(temperature=0.8, top_k=40)},
        description="decodings by name, each measured",
    )
    max_new_tokens: int = Field(60, ge=1)


class Architecture(BaseModel):
    """A model that is trained from scratch."""

    model_config = FROZEN

    family: Literal["gpt2", "llama"] = Field("gpt2")
    layers: int = Field(6, ge=1, le=256)
    width: int = Field(256, ge=8, le=65536)
    heads: int = Field(4, ge=1, le=1024)
    context: int = Field(256, ge=8, le=1_048_576, description="longest sequence in tokens")

    @model_validator(mode="after")
    def _divides(self) -> Architecture:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")
        return self


class Tokenizer(BaseModel):
    """A byte-level BPE tokenizer that is trained on the data, or an existing one."""

    model_config = FROZEN

    vocab_size: int = Field(4096, ge=300, le=1_000_000)
    source: str | None = Field(None, description="use the tokenizer of this model instead")
    reserve_chat_tokens: bool = Field(
        True, description="reserve tokens for roles and padding, so that chat tuning adds none"
    )


class Reward(BaseModel):
    """One reward of GRPO: a metric, a contract, a reward model or a judge, with its weight."""

    model_config = FROZEN

    metric: str | None = Field(None, description="name of a metric of one output")
    bound: str | None = Field(None, description="with metric: 1 where it holds, such as '< 40'")
    model: str | None = Field(None, description="a reward model made by a `reward` recipe")
    judge: str | None = Field(None, description="a chat endpoint's model, as for `ethogram judge`")
    weight: float = Field(1.0)

    @model_validator(mode="after")
    def _one(self) -> Reward:
        given = [name for name in ("metric", "model", "judge") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError("name exactly one of metric, model, judge")
        if self.bound and not self.metric:
            raise ValueError("bound belongs to a metric")
        return self
