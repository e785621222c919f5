"""What a person drew in a Shapes layer, as px of an image that may lie, be scaled and turned in another way."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Shapes
from numpy.typing import NDArray

from shiftfield._napari.layers.inputs import unit_ratio
from shiftfield._napari.layers.placement import plane_matrix


def vertices_in_px(
    shapes: Shapes, vertices: NDArray[Any], layer: Image, index: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the vertices of one shape as (row, column) px of the slice `index` of an image, (N, 2)."""
    world = np.array([shapes.data_to_world(vertex)[-2:] for vertex in vertices])
    ratio = [unit_ratio(a, b) for a, b in zip(shapes.units[-2:], layer.units[-2:], strict=True)]
    ahead = np.column_stack([world * ratio, np.ones(len(world))])
    return np.asarray(np.linalg.solve(plane_matrix(layer, index), ahead.T).T[:, :2])
