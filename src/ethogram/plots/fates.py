"""Fates: how charts of a sweep show what became of a setting, in colour, shape and order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ethogram.plots.chart import nominal

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


def present(fates: Sequence[Fate]) -> list[Fate]:
    """Those that occur, in the order of the legend."""
    return [fate for fate in COLOURS if fate in fates]


def fate_colour(fates: Sequence[Fate]) -> dict[str, Any]:
    """The colour of a mark by the field `fate`, with a legend of those that occur."""
    return nominal("fate", title=None, scale=_scale(fates, COLOURS), legend={"orient": "top"})


def fate_shape(fates: Sequence[Fate]) -> dict[str, Any]:
    """The shape of a mark by the field `fate`."""
    return nominal("fate", title=None, scale=_scale(fates, SHAPES))


def _scale(fates: Sequence[Fate], looks: dict[Fate, str]) -> dict[str, Any]:
    shown = present(fates)
    return {"domain": shown, "range": [looks[fate] for fate in shown]}
