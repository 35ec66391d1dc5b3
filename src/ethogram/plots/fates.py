"""Fates: how charts of a sweep show what became of a setting, in colour, shape and order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from altair import Color, Scale

Fate = Literal["chosen", "front", "behind", "racing", "eliminated", "parent"]

#: Colours that are told apart with any colour vision, on light and dark (Okabe and Ito 2008), and
#: shapes for those who print.
COLOURS: dict[Fate, str] = {
    "chosen": "#e69f00",
    "front": "#009e73",
    "behind": "#8b8677",
    "racing": "#56b4e9",
    "eliminated": "#cc79a7",
    "parent": "#0072b2",
}
SHAPES: dict[Fate, str] = {
    "chosen": "diamond",
    "front": "circle",
    "behind": "circle",
    "racing": "circle",
    "eliminated": "cross",
    "parent": "square",
}


def present(fates: list[Fate]) -> list[Fate]:
    """Those that occur, in the order of the legend."""
    return [fate for fate in COLOURS if fate in fates]


def fate_colour(alt: Any, fates: list[Fate]) -> Color:
    """The colour of a mark by the field `fate`, with a legend of those that occur."""
    shown = present(fates)
    scale = alt.Scale(domain=shown, range=[COLOURS[fate] for fate in shown])
    colour: Color = alt.Color("fate:N", title=None, scale=scale, legend=alt.Legend(orient="top"))
    return colour


def fate_shapes(alt: Any, fates: list[Fate]) -> Scale:
    """The shapes of those that occur."""
    shown = present(fates)
    scale: Scale = alt.Scale(domain=shown, range=[SHAPES[fate] for fate in shown])
    return scale
