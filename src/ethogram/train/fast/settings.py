"""Fast: the settings of a recipe that `FastTraining` reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ethogram.spec.recipes import ModelRecipe

#: Up to this context, attention by matrix products is faster on a CPU than the fused kernel.
EAGER_CONTEXT = 512


@dataclass(frozen=True, slots=True)
class Fast:
    """How a model is trained quickly.

    Attributes:
        precision: format of weights and activations; masters are float32 in any case.
        optimizer: `muon` for matrices with AdamW for the rest, or `adamw` for all.
        learning_rate: peak, of AdamW; matrices under Muon have `MUON_RATE` times as much.
        weight_decay: of matrices.
        schedule: of the learning rate.
        warmup_steps: of linear warm-up.
        decay_share: last share of a wsd schedule.
        context: longest sequence in tokens; None keeps the model's attention as it is.
    """

    precision: Literal["bfloat16", "float32"] = "bfloat16"
    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    schedule: Literal["cosine", "wsd", "linear", "constant"] = "cosine"
    warmup_steps: int = 0
    decay_share: float = 0.4
    context: int | None = None

    @classmethod
    def of(cls, recipe: ModelRecipe, *, context: int | None = None) -> Fast:
        """The settings of a recipe, each with the default of its kind.

        Args:
            recipe: validated.
            context: longest sequence of the data in tokens, if it is known.
        """
        names = ("precision", "optimizer", "learning_rate", "weight_decay", "schedule")
        stated = {name: recipe.setting(name) for name in (*names, "warmup_steps", "decay_share")}
        return cls(
            **{name: value for name, value in stated.items() if value is not None}, context=context
        )

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step as a share of the peak.

        Args:
            step: steps done before it.
            steps: of the whole training.
        """
        warm = min(self.warmup_steps, steps // 2)
        if step < warm:
            return (step + 1) / (warm + 1)
        done = (step - warm) / max(1, steps - warm)
        if self.schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        if self.schedule == "linear":
            return max(0.0, 1 - done)
        if self.schedule == "wsd":
            # 1 - sqrt is the decay that Hägele et al. 2024 (arXiv:2405.18392) found best.
            into = (step - (1 - self.decay_share) * steps) / max(1e-9, self.decay_share * steps)
            return 1 - math.sqrt(min(1.0, into)) if into > 0 else 1.0
        return 1.0
