"""Where a two-dimensional result lies in the viewer: the transform of a layer's last two axes.

Matrices are homogeneous, (row, column) to world; nothing here reads pixels or adds layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Layer
from napari.utils.transforms import Affine
from numpy.typing import NDArray

_TINY = 1e-9


def placement(
    layer: Layer, leading: Sequence[int] = (), translate: NDArray[np.float64] | None = None
) -> dict[str, Any]:
    """Return napari's transform arguments for the last two axes of `layer`.

    Parameters
    ----------
    layer : Layer
        The layer a result belongs to.
    leading : sequence of int
        Index along the axes before the last two; it matters only where the transform of
        the layer mixes them with the last two.
    translate : ndarray, shape (ndim,), optional
        Taken instead of the layer's own.
    """
    physical, extra = _two_parts(layer)
    translate = np.asarray(layer.translate if translate is None else translate, dtype=float)
    physical[:-1, -1] = translate
    if _mixes(physical) or _mixes(extra):
        own, affine = _plane(extra @ physical, leading), np.eye(3)
    else:
        own, affine = _last_two(physical), _last_two(extra)
    arguments = _arguments(own, affine)
    # the same digits, not only the same place
    for name, stated in (("scale", layer.scale[-2:]), ("translate", translate[-2:])):
        if np.allclose(arguments[name], stated, rtol=1e-9, atol=1e-9 * np.abs(own).max()):
            arguments[name] = np.array(stated, dtype=float)
    return {
        **arguments,
        "units": tuple(layer.units[-2:]),
        "axis_labels": tuple(layer.axis_labels[-2:]),
    }


def differ(place: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether one pixel lies at two places; False where the units are not the same."""
    names = ("scale", "translate", "rotate", "shear", "affine")
    return bool(
        place["units"] == other["units"]
        and not all(np.allclose(place[name], other[name]) for name in names)
    )


def with_origin_at(place: dict[str, Any], row: float, column: float) -> dict[str, Any]:
    """Return `place` moved so that the pixel (row, column) lies at the world origin."""
    affine = np.array(place["affine"], dtype=float)
    affine[:2, 2] = 0
    return place | {"translate": -_offset(place, row, column), "affine": affine}


def of_part(place: dict[str, Any], row: float, column: float, step: int = 1) -> dict[str, Any]:
    """Return where a part lies whose first pixel is (row, column) of what lies at `place`, every step-th px."""
    moved = np.asarray(place["translate"], dtype=float) + _offset(place, row, column)
    return place | {"translate": moved, "scale": np.asarray(place["scale"], dtype=float) * step}


def _offset(place: dict[str, Any], row: float, column: float) -> NDArray[np.float64]:
    linear = Affine(scale=place["scale"], rotate=place["rotate"], shear=place["shear"], ndim=2)
    return np.asarray(linear.linear_matrix @ (row, column))


def plane_matrix(layer: Layer, leading: Sequence[int] = ()) -> NDArray[np.float64]:
    """Return the `(3, 3)` matrix from (row, column) px to world, last two axes of each."""
    return _plane(world_matrix(layer), leading)


def _plane(full: NDArray[np.float64], leading: Sequence[int]) -> NDArray[np.float64]:
    before = full.shape[0] - 3
    index = np.zeros(before)
    index[: len(leading)] = leading
    plane = _last_two(full)
    plane[:2, 2] += full[before:-1, :before] @ index
    return plane


def world_matrix(layer: Layer) -> NDArray[np.float64]:
    """Return the `(ndim + 1, ndim + 1)` matrix from data to world coordinates of `layer`."""
    ndim = layer.ndim
    origin = np.array(layer.data_to_world(np.zeros(ndim)))
    matrix = np.eye(ndim + 1)
    for axis in range(ndim):
        unit = np.zeros(ndim)
        unit[axis] = 1
        matrix[:-1, axis] = np.array(layer.data_to_world(unit)) - origin
    matrix[:-1, -1] = origin
    return matrix


def physical_matrix(layer: Layer) -> NDArray[np.float64]:
    """Return the part of `world_matrix` that scale, shear, rotate and translate make."""
    return _two_parts(layer)[0]


def _two_parts(layer: Layer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    extra = np.array(layer.affine.affine_matrix, dtype=float)
    return np.linalg.solve(extra, world_matrix(layer)), extra


def _mixes(matrix: NDArray[np.float64]) -> bool:
    """Whether the leading axes move a point along the last two, or the other way round."""
    before = matrix.shape[0] - 3
    size = np.abs(matrix[:-1, :-1]).max()
    there, back = matrix[before:-1, :before], matrix[:before, before:-1]
    return bool(np.any(np.abs(there) > _TINY * size) or np.any(np.abs(back) > _TINY * size))


def _last_two(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return matrix[-3:, -3:].copy()


def _arguments(own: NDArray[np.float64], affine: NDArray[np.float64]) -> dict[str, Any]:
    """Split `own` as napari does into rotate, shear, scale and translate, and add `affine`."""
    linear, translate = own[:2, :2], own[:2, 2]
    if np.allclose(linear, np.diag(np.diag(linear)), rtol=0, atol=_TINY * np.abs(linear).max()):
        parts = Affine(scale=np.diag(linear), translate=translate)
        rotate, shear = np.eye(2), np.zeros(1)
    else:
        parts = Affine(linear_matrix=linear, translate=translate)
        rotate, shear = parts.rotate, parts.shear
    return {
        "scale": parts.scale.copy(),
        "translate": parts.translate.copy(),
        "rotate": rotate,
        "shear": shear,
        "affine": affine,
    }
