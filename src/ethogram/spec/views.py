"""Second views: what can be set against the model's own scores. Knows settings; runs no model.

A decoding may take its scores from two views of one history: the prompt and another prompt
(classifier-free guidance), a model and a weaker one (contrastive decoding), the last layer and an
earlier one (DoLa). What the two make is what enters the steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Guidance(NamedTuple):
    """Classifier-free guidance (Sanchez et al. 2023, arXiv 2306.17806).

    Attributes:
        scale: how far to go from the negative prompt's scores towards the prompt's and past them.
        negative_prompt: text that stands in the prompt's place; None for its last token alone.
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


class Layers(NamedTuple):
    """DoLa (Chuang et al. 2023, arXiv 2309.03883).

    Attributes:
        chosen: "low", "high", or the layers to choose from; 0 is the embedding.
    """

    chosen: str | tuple[int, ...]


View = Guidance | Amateur | Layers

#: Name of each kind in canonical forms.
_KINDS: dict[type, str] = {Guidance: "guidance", Amateur: "amateur", Layers: "dola"}


def canonical_view(view: View) -> dict[str, Any]:
    """A view as plain data; the form is part of identities."""
    return {_KINDS[type(view)]: view._asdict()}
