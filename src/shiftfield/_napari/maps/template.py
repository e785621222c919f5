"""Which part of the sample is searched, in which part of the reference, and where zero shift lies.

Only indices in px; pixels are cut and correlated elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from napari.layers import Image, Shapes
from numpy.typing import NDArray

from shiftfield._napari.layers.drawn import vertices_in_px
from shiftfield._napari.layers.inputs import Pixels

_SLACK = 1e-3  # px; napari keeps the corners of shapes in float32


@dataclass(frozen=True)
class Template:
    """A template of the sample and its search area in the reference, (rows, columns) slices in px.

    Attributes
    ----------
    box : tuple of slice
        The template, in the sample.
    area : tuple of slice
        The search area, in the reference.
    """

    box: tuple[slice, slice]
    area: tuple[slice, slice]

    @property
    def zero(self) -> tuple[int, int]:
        """(row, column) of zero shift in the map."""
        return self.box[0].start - self.area[0].start, self.box[1].start - self.area[1].start

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the template."""
        return self.box[0].stop - self.box[0].start, self.box[1].stop - self.box[1].start


def centre(shape: tuple[int, ...], margin: int) -> Template:
    """Return the sample without `margin` px on each side, searched in the whole reference."""
    if min(shape) <= 2 * margin:
        raise ValueError(
            f"The image is {shape[0]} x {shape[1]} px; with a margin of {margin} px it must be at "
            f"least {2 * margin + 1} px in both directions."
        )
    rows, columns = (slice(margin, n - margin) for n in shape)
    return Template((rows, columns), (slice(0, shape[0]), slice(0, shape[1])))


def rectangle(shapes: Shapes, layer: Image, sample: Pixels, margin: int) -> Template:
    """Return the box around one shape, searched up to `margin` px away, inside the image.

    The selected shape is taken, else the last one; a pixel belongs to it when its centre does.
    """
    corners = _corners(shapes, layer, sample.index)
    shape = sample.shape[-2:]
    low = np.maximum(np.ceil(corners.min(axis=0) - _SLACK), 0).astype(int)
    high = np.minimum(np.floor(corners.max(axis=0) + _SLACK) + 1, shape).astype(int)
    if np.any(high - low < 1):
        raise ValueError(
            f"The rectangle of {shapes.name!r} covers no pixel of {sample.name!r}, "
            f"which is {shape[0]} x {shape[1]} px."
        )
    rows, columns = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    area = _grown(rows, margin, shape[0]), _grown(columns, margin, shape[1])
    if area == (rows, columns):
        raise ValueError(
            f"The rectangle of {shapes.name!r} covers all of {sample.name!r}, so that no shift is "
            "left to try; draw a smaller one."
        )
    return Template((rows, columns), area)


def _grown(part: slice, margin: int, size: int) -> slice:
    return slice(max(part.start - margin, 0), min(part.stop + margin, size))


def _corners(shapes: Shapes, layer: Image, index: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the vertices of the chosen shape as (row, column) px of the image."""
    if len(shapes.data) == 0:
        raise ValueError(f"{shapes.name!r} holds no shape; draw a rectangle on the sample.")
    chosen = max(shapes.selected_data, default=len(shapes.data) - 1)
    return vertices_in_px(shapes, shapes.data[chosen], layer, index)
