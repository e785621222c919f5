"""How many vectors a viewer can draw; the layers themselves are made by `field.layers`."""

from __future__ import annotations

import math

MOST_VECTORS = 40_000  # napari 0.9 takes about a second to draw them


def drawable(spacing: int, shape: tuple[int, ...]) -> int:
    """Return `spacing`, or the least one (px) that napari draws without a long pause for an image of `shape`."""
    return max(spacing, math.ceil(math.sqrt(shape[0] * shape[1] / MOST_VECTORS)))
