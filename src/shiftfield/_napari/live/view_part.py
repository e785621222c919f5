"""What of a layer the viewer shows, and how large its pixels are on the screen.

Only geometry; nothing here reads pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer

from shiftfield.live.preview import Part

_LEAST = 1e-6  # of a screen pixel


def visible_part(layer: Image, shape: tuple[int, ...]) -> Part | None:
    """Return the rows and columns of a layer that are on the canvas, px of its full size; None for nothing.

    All of it where no canvas has drawn it yet.
    """
    first, last = np.asarray(layer.corner_pixels)[:, -2:]
    if layer.multiscale:
        factors = np.asarray(layer.downsample_factors[layer.data_level])[-2:]
        first, last = np.floor(first * factors), np.ceil((last + 1) * factors) - 1
    if np.array_equal(first, last):
        return Part(0, shape[0], 0, shape[1])
    (top, left), (bottom, right) = np.maximum(first, 0), np.minimum(last + 1, shape)
    part = Part(int(top), int(bottom), int(left), int(right))
    return part if min(part.size) > 0 else None


def pixels_on_screen(viewer: Viewer, place: dict[str, Any]) -> float:
    """Return how many screen pixels a px of what lies at `place` takes at the viewer's zoom."""
    size = float(np.min(np.abs(place["scale"])))
    return max(float(viewer.scene.camera.zoom) * size, _LEAST)
