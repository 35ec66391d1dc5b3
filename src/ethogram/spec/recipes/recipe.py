"""Recipe: how a model is trained, from which parent and data; one class for each kind."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from ethogram.spec.identity import digest
from ethogram.spec.recipes.settings import (
    FROZEN,
    Architecture,
    Data,
    Evaluation,
    Lora,
    Reward,
    Tokenizer,
    Training,
)
from ethogram.spec.version import VERSION_NAME

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


class BaseRecipe(BaseModel):
    """What every kind of recipe states."""

    model_config = FROZEN

    name: str = Field("", description="of the model, written to models/NAME; default: the file's")
    title: str = Field("", description="what it tries; the child version's title")
    parent: str | None = Field(None, description="version that it starts from")
    version: str | None = Field(None, description="child version to write; default: none")
    data: Data
    training: Training = Field(default_factory=Training)
    evaluate: Evaluation = Field(default_factory=Evaluation)
    seed: int = Field(1, ge=0)
    seeds: tuple[int, ...] = Field((), description="train once for each; one experiment")
    changes: dict[str, Any] = Field(
        default_factory=dict,
        description="further fields of the child version, such as prompt or decoding",
    )

    #: Values of `training` where the recipe does not set them.
    DEFAULTS: ClassVar[dict[str, Any]] = {}
    #: Whether the votes of an arena can be its data.
    READS_VOTES: ClassVar[bool] = False

    @field_validator("name")
    @classmethod
    def _name_is_safe(cls, value: str) -> str:
        if value and not _NAME.match(value):
            raise ValueError("a name has letters, digits, dots, dashes and underscores")
        return value

    @field_validator("version")
    @classmethod
    def _version_is_one(cls, value: str | None) -> str | None:
        if value and not VERSION_NAME.match(value):
            raise ValueError("not a version name; use one like v2.1.0")
        return value

    @model_validator(mode="after")
    def _votes_are_read(self) -> BaseRecipe:
        if self.data.votes and not self.READS_VOTES:
            raise ValueError("data.votes are pairs of replies, which dpo, kto and reward read")
        return self

    def setting(self, name: str) -> Any:
        """A field of `training`, or the default of this kind of recipe."""
        value = getattr(self.training, name)
        return self.DEFAULTS.get(name) if value is None else value

    def identity_with(self, **inputs: Any) -> str:
        """Digest of all that decides the weights: settings, and digests of data and parent."""
        form = self.model_dump(mode="json", exclude={"title", "version", "changes", "evaluate"})
        if not self.data.votes:  # Of recipes that learn from files, which had no such field.
            del form["data"]["votes"]
        return digest({"recipe": form, **inputs})


class PretrainRecipe(BaseRecipe):
    """A model from scratch on documents: next-token loss on packed blocks."""

    kind: Literal["pretrain"]
    architecture: Architecture = Field(default_factory=Architecture)
    tokenizer: Tokenizer = Field(default_factory=Tokenizer)

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "epochs": 1.0,
        "batch_size": 16,
        "learning_rate": 2e-3,
        "schedule": "wsd",
        "warmup_steps": 30,
        "decay_share": 0.4,
        "optimizer": "muon",
        "weight_decay": 0.1,
    }


class TunedRecipe(BaseRecipe):
    """What recipes that start from a model share."""

    parent: str = Field(description="version whose model is trained further")
    lora: Lora | None = Field(None, description="train an adapter; default: all weights")


class SftRecipe(TunedRecipe):
    """Supervised fine-tuning on conversations: next-token loss on the replies only."""

    kind: Literal["sft"]
    template: str | None = Field(
        None,
        description="chat template: chatml, llama3, zephyr, roles, plain, a file, or the template "
        "itself; default: the tokenizer's own, else by its tokens",
    )
    packing: bool = Field(True, description="several conversations in one row, kept apart")

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "epochs": 1.0,
        "batch_size": 32,
        "learning_rate": 5e-4,
        "schedule": "cosine",
        "warmup_steps": 5,
        "optimizer": "adamw",
        "weight_decay": 0.0,
    }


class RewardRecipe(TunedRecipe):
    """A reward model from pairs: Bradley–Terry loss on the difference of two scalar rewards."""

    kind: Literal["reward"]
    center: float = Field(0.01, ge=0, description="weight of the loss that centres rewards at 0")

    READS_VOTES: ClassVar[bool] = True
    DEFAULTS: ClassVar[dict[str, Any]] = {
        **SftRecipe.DEFAULTS,
        "batch_size": 16,
        "learning_rate": 1e-4,
    }

    @model_validator(mode="after")
    def _has_no_version(self) -> RewardRecipe:
        if self.version is not None or self.changes:
            raise ValueError("a reward model generates nothing: leave out version and changes")
        if self.lora is not None and not self.lora.merge:
            raise ValueError("a reward model is written whole: leave out lora.merge")
        return self


class DpoRecipe(TunedRecipe):
    """Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290)."""

    kind: Literal["dpo"]
    beta: float = Field(0.1, gt=0, description="how strongly the reference model holds")
    loss: Literal["sigmoid", "ipo", "hinge", "robust"] = Field("sigmoid")
    sft_weight: float = Field(0.0, ge=0, description="weight of an added loss on the chosen reply")
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="share of pairs with the labels swapped; loss robust needs it",
    )

    READS_VOTES: ClassVar[bool] = True
    DEFAULTS: ClassVar[dict[str, Any]] = {
        **SftRecipe.DEFAULTS,
        "epochs": 2.0,
        "batch_size": 8,
        "learning_rate": 2e-5,
    }

    @model_validator(mode="after")
    def _smoothing_is_read(self) -> DpoRecipe:
        if (self.loss == "robust") != (self.label_smoothing > 0):
            raise ValueError("label_smoothing above 0 and loss: robust belong together")
        return self


class KtoRecipe(TunedRecipe):
    """Kahneman–Tversky optimisation (Ethayarajh et al. 2024, arXiv:2402.01306): single votes."""

    kind: Literal["kto"]
    beta: float = Field(0.1, gt=0)
    desirable_weight: float = Field(1.0, gt=0)
    undesirable_weight: float = Field(1.0, gt=0)

    READS_VOTES: ClassVar[bool] = True
    DEFAULTS: ClassVar[dict[str, Any]] = {**DpoRecipe.DEFAULTS, "batch_size": 16}


class GrpoRecipe(TunedRecipe):
    """Group-relative policy optimisation (Shao et al. 2024, arXiv:2402.03300)."""

    kind: Literal["grpo"]
    rewards: tuple[Reward, ...] = Field(min_length=1)
    generations: int = Field(8, ge=2, description="completions per prompt")
    max_new_tokens: int = Field(64, ge=1)
    temperature: float = Field(1.0, gt=0)
    beta: float = Field(0.04, ge=0, description="weight of the KL to the parent; 0: none")

    DEFAULTS: ClassVar[dict[str, Any]] = {
        **SftRecipe.DEFAULTS,
        "epochs": None,
        "steps": 100,
        "learning_rate": 1e-5,
    }

    @model_validator(mode="after")
    def _counts_steps(self) -> GrpoRecipe:
        if self.training.epochs is not None:
            raise ValueError(
                "replies are sampled at each step: set training.steps instead of epochs"
            )
        return self


class RlhfRecipe(BaseModel):
    """A chain of recipes, each starting from the model of the one before: sft, reward, grpo."""

    model_config = FROZEN

    kind: Literal["rlhf"]
    name: str = ""
    steps: tuple[str, ...] = Field(min_length=2, description="recipe files, in order")

    @model_validator(mode="after")
    def _distinct(self) -> RlhfRecipe:
        if len(set(self.steps)) < len(self.steps):
            raise ValueError("a recipe is named twice in steps")
        return self


Recipe = PretrainRecipe | SftRecipe | RewardRecipe | DpoRecipe | KtoRecipe | GrpoRecipe | RlhfRecipe
#: A recipe that trains one model.
ModelRecipe = PretrainRecipe | SftRecipe | RewardRecipe | DpoRecipe | KtoRecipe | GrpoRecipe
AnyRecipe = Annotated[Recipe, Field(discriminator="kind")]
KINDS: dict[str, type[BaseModel]] = {
    "pretrain": PretrainRecipe,
    "sft": SftRecipe,
    "reward": RewardRecipe,
    "dpo": DpoRecipe,
    "kto": KtoRecipe,
    "grpo": GrpoRecipe,
    "rlhf": RlhfRecipe,
}
