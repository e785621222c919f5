"""Moving a layer by a shift in px through its `translate`, and back; no pixel is resampled.

What was done is kept in the layer's metadata, so that a second move replaces the first.
"""

from __future__ import annotations

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray

from shiftfield._napari.layers.inputs import about
from shiftfield._napari.layers.placement import physical_matrix


def move(layer: Layer, shift: tuple[float, float]) -> None:
    """Move `layer` by (x, y) px of its own pixels from where it was before any earlier move."""
    old = home(layer)
    across = physical_matrix(layer)[:-1, -3:-1]
    new = old + across @ (shift[1], shift[0])
    layer.translate = new
    moved = {"translate_before": tuple(map(float, old)), "translate_after": tuple(map(float, new))}
    layer.metadata["shiftfield"] = about(layer) | {
        "moved": moved | {"x": float(shift[0]), "y": float(shift[1]), "unit": "px"}
    }


def move_back(layer: Layer) -> None:
    """Give `layer` the translate it had before it was moved; nothing if it was not."""
    layer.translate = home(layer)
    said = dict(about(layer))
    said.pop("moved", None)
    layer.metadata["shiftfield"] = said


def home(layer: Layer) -> NDArray[np.float64]:
    """Return the translate `layer` had before it was moved; its own if someone moved it since."""
    if is_moved(layer):
        return np.array(about(layer)["moved"]["translate_before"])
    return np.array(layer.translate, dtype=float)


def is_moved(layer: Layer) -> bool:
    """Whether `layer` lies where `move` has put it."""
    moved = about(layer).get("moved")
    if moved is None or len(moved["translate_after"]) != layer.ndim:
        return False
    return bool(np.allclose(layer.translate, moved["translate_after"], rtol=1e-9, atol=1e-12))
