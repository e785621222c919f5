"""How the layers of a field lie on each other, and how many vectors a viewer can draw.

The layers themselves are made by `field.layers`; nothing here imports napari.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from shiftfield.field.layers import LayerTuple

MOST_VECTORS = 40_000  # napari 0.9 takes about a second to draw them
TOP_DOWN = (
    "x",
    "y",
    "transmission",
    "dark_field",
    "score",
    "uncertainty_x",
    "uncertainty_y",
    "second_peak",
)


def drawable(spacing: int, shape: tuple[int, ...]) -> int:
    """Return `spacing`, or the least one (px) that napari draws without a long pause for an image of `shape`."""
    return max(spacing, math.ceil(math.sqrt(shape[0] * shape[1] / MOST_VECTORS)))


def bottom_up(layers: Iterable[LayerTuple]) -> list[LayerTuple]:
    """Return the layers in the order in which they are added: vectors last, on top of x, y and the rest."""
    return sorted(layers, key=_height)


def _height(layer: LayerTuple) -> int:
    _, arguments, kind = layer
    if kind == "vectors":
        return 1
    return -TOP_DOWN.index(arguments["metadata"]["shiftfield"]["quantity"])
