"""Chart: a Vega-Lite specification that a notebook shows and that can be saved as a file."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import MissingExtraError, SpecError
from ethogram.extras import require
from ethogram.files import replacing, write_whole

#: Release of Vega-Lite that draws files; the page's bundle has the same one.
RELEASE = "6.4"
#: What notebooks draw by themselves; JupyterLab 4.6 knows no later version of Vega-Lite than 5, and
#: version 5 draws our specifications the same.
NOTEBOOK = "application/vnd.vegalite.v5+json"
#: What a chart can be saved as.
FORMATS = (".svg", ".png", ".json")


@dataclass(frozen=True, repr=False)
class Chart:
    """A chart. In the last line of a notebook's cell it is drawn.

    Attributes:
        spec: the Vega-Lite specification, as the page draws it; it holds its data.
        words: what it shows, in a sentence.
    """

    spec: dict[str, Any]
    words: str = ""

    def __repr__(self) -> str:
        return f"Chart: {self.words}" if self.words else "Chart"

    def to_json(self) -> dict[str, Any]:
        """Plain data: the specification."""
        return self.spec

    def save(self, path: str | Path, *, scale: float = 2.0) -> Path:
        """Write the chart as a file, and return its path.

        Args:
            path: it ends in .svg, .png or .json (the specification).
            scale: pixels of a PNG for each pixel of the chart.

        Raises:
            SpecError: the path ends in something else.
            MissingExtraError: vl-convert is not installed, which draws SVG and PNG.
            WriteError: the file cannot be written.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in FORMATS:
            raise SpecError(
                f"a chart cannot be saved as {path.suffix or 'a file without an ending'}",
                where=str(path),
                hint=f"end the name in {', '.join(FORMATS)}",
            )
        if kind == ".png":
            png = _drawing().vegalite_to_png(self.spec, vl_version=RELEASE, scale=scale)
            with replacing(path) as temporary:
                temporary.write_bytes(png)
        else:
            write_whole(path, [self._svg() if kind == ".svg" else f"{json.dumps(self.spec)}\n"])
        return path

    def _svg(self) -> str:
        drawn: str = _drawing().vegalite_to_svg(self.spec, vl_version=RELEASE)
        return drawn

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, Any]:
        """The specification, and a picture for notebooks and websites that do not draw it."""
        found: dict[str, Any] = {NOTEBOOK: self.spec, "text/plain": repr(self)}
        with suppress(MissingExtraError):
            found["image/svg+xml"] = self._svg()
        return found


def _drawing() -> Any:
    return require("vl_convert", extra="plots", needed_for="a picture of a chart")


def nominal(field: str, **more: Any) -> dict[str, Any]:
    """An encoding by names."""
    return {"field": field, "type": "nominal", **more}


def quantitative(field: str, **more: Any) -> dict[str, Any]:
    """An encoding by numbers."""
    return {"field": field, "type": "quantitative", **more}


def layered(
    layers: Sequence[dict[str, Any]],
    *,
    width: Any,
    height: Any,
    clicked: str = "",
    marks: str = "",
    rows: Sequence[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A specification of layers.

    Args:
        layers: from the back to the front.
        width: of the chart.
        height: of it.
        clicked: field of the clicked mark that the signal `clicked` holds.
        marks: name of the layer that can be clicked.
        rows: data of all layers that have none of their own.
        more: further parts.
    """
    data = {} if rows is None else {"data": {"values": list(rows)}}
    spec = {**data, "width": width, "height": height, "layer": list(layers), **more}
    if clicked:
        select = {"type": "point", "fields": [clicked]}
        spec["params"] = [{"name": "clicked", "select": select, "views": [marks]}]
    return spec
