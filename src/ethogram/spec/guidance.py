"""Guidance: settings that combine the model's scores with auxiliary scores of the same tokens.

The auxiliary scores come from the model after another prompt (classifier-free guidance), from a
weaker model (contrastive decoding) or from an early layer (DoLa). The combination is what enters
the first step.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field

from ethogram.spec.groups import Contrastive
from ethogram.spec.setting import Effect, value_of


class GuidanceSettings(BaseModel):
    """The settings of the three kinds; one of them can act at a time."""

    guidance_scale: Annotated[
        float, Effect("the prompt counts less", "the prompt counts more", off=True)
    ] = Field(
        1.0,
        ge=0.0,
        le=100.0,
        description="makes the output follow the prompt more closely (classifier-free guidance): "
        "how strongly the prompt counts against the negative prompt; 1 is off",
    )
    negative_prompt: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="text to steer away from, with a guidance_scale above 1; if unset, only the "
        "prompt's last token",
    )
    contrastive: Contrastive = Field(
        Contrastive(), description="contrastive decoding: against a weaker model"
    )
    dola_layers: Annotated[
        Literal["low", "high"]
        | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
        | None,
        Effect(off=True),
    ] = Field(
        None,
        description="favours knowledge from late layers, meant for facts (DoLa): which early "
        "layers to contrast with the last one: low, high, or a list (0 is the embedding)",
    )


class Guidance(NamedTuple):
    """Classifier-free guidance (Sanchez et al. 2023, arXiv 2306.17806).

    Attributes:
        scale: how far to go from the negative prompt's scores towards the prompt's and past them.
        negative_prompt: text that replaces the prompt; None for its last token alone.
    """

    scale: float
    negative_prompt: str | None


class Amateur(NamedTuple):
    """Contrastive decoding (Li et al. 2022, arXiv 2210.15097; O'Brien & Lewis 2023, 2309.09117).

    Attributes:
        model: the amateur, as a version names a model.
        alpha: share of the best token's probability below which the expert's tokens are out.
        beta: weight of the amateur as O'Brien & Lewis set it; None for the plain difference of
            log-probabilities of Li et al.
        temperature: divides the amateur's logits.
    """

    model: str
    alpha: float
    beta: float | None
    temperature: float


class EarlyLayers(NamedTuple):
    """DoLa (Chuang et al. 2023, arXiv 2309.03883).

    Attributes:
        chosen: "low", "high", or the layers to choose from; 0 is the embedding.
    """

    chosen: str | tuple[int, ...]


Branch = Guidance | Amateur | EarlyLayers

#: What turns each kind on: the dotted setting, and what a message calls it.
SWITCHES = {
    "guidance_scale": "classifier-free guidance",
    "contrastive.amateur": "contrastive decoding",
    "dola_layers": "DoLa",
}
#: Name of each kind in canonical forms.
_KINDS: dict[type, str] = {Guidance: "guidance", Amateur: "amateur", EarlyLayers: "dola"}


def switched_on(settings: GuidanceSettings) -> list[str]:
    """The entries of `SWITCHES` that are on."""
    off = GuidanceSettings()
    return [name for name in SWITCHES if value_of(settings, name) != value_of(off, name)]


def guidance_branch(settings: GuidanceSettings) -> Branch | None:
    """Where the auxiliary scores come from; None if there are none."""
    if settings.guidance_scale != 1.0:
        return Guidance(settings.guidance_scale, settings.negative_prompt)
    group = settings.contrastive
    if group.amateur is not None:
        return Amateur(group.amateur, group.alpha, group.beta, group.amateur_temperature)
    chosen = settings.dola_layers
    if chosen is not None:
        return EarlyLayers(chosen if isinstance(chosen, str) else tuple(sorted(set(chosen))))
    return None


def canonical_branch(branch: Branch) -> dict[str, Any]:
    """A branch as plain data; the form is part of identities."""
    return {_KINDS[type(branch)]: branch._asdict()}
