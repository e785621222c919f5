"""A shift field as napari layer tuples (data, keyword arguments, layer type), without importing napari.

Images show the numbers; vectors show the motion **from the reference to the sample**: each starts at
the place of the match in the reference and ends at the sample pixel, so it is minus the stored shift.
Shifts that are not valid are NaN, which is transparent; what was found there is kept in the metadata.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shiftfield.field.arrays import UNITS, FieldArrays
from shiftfield.field.colours import diverging
from shiftfield.field.quality_look import QUALITY_NAME, quality_look
from shiftfield.settings import Settings, check_integer, check_number

LayerTuple = tuple[Any, dict[str, Any], str]
SHIFT_COLORMAP = {"name": "shift (blue - 0 + orange)", "colors": diverging()}
PLACEMENT = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
NAMES = {  # of the layers; `valid` has none, it is where the shifts are not NaN
    "x": "x shift",
    "y": "y shift",
    "score": "score",
    "transmission": "transmission",
    "dark_field": "dark field",
    "uncertainty_x": "uncertainty of x",
    "uncertainty_y": "uncertainty of y",
    "second_peak": "second peak",
}
_TOP_DOWN = (
    "x", "y", "quality", "transmission", "dark_field", "score", "uncertainty_x", "uncertainty_y", "second_peak",
)  # fmt: skip
# they would lie behind what is not valid
_HIDDEN = ("uncertainty_x", "uncertainty_y", "second_peak")
MOST_VECTORS = 40_000  # napari 0.9 takes about a second to draw them
IN_PX = (*UNITS, "vectors")


def to_layers(
    field: FieldArrays,
    *,
    spacing: int = 16,
    length: float = 1,
    score: bool = True,
    placement: Mapping[str, Any] | None = None,
) -> list[LayerTuple]:
    """Return Image layer tuples for every quantity, a Labels tuple of the quality, and last the Vectors tuple.

    They are in the order in which they are added to a viewer, the lowest first.

    Parameters
    ----------
    field : FieldArrays
        What to show.
    spacing : int
        Distance between drawn vectors, px of the sample image.
    length : float
        Factor by which vectors are drawn longer than the motion.
    score : bool
        Whether to show the score too.
    placement : mapping, optional
        Transform of the sample image in the viewer, for its last two axes: any of `PLACEMENT`,
        as napari takes them. The layers take it over; with `step > 1` their scale is multiplied
        by the step.
    """
    spacing, length = (
        check_integer("spacing", spacing, 1, "px"),
        check_number("length", length, 0, 1e5),
    )
    placement = dict(placement or {})
    step = field.settings.step
    coarse = placement | {"scale": tuple(np.asarray(placement.get("scale", (1.0, 1.0))) * step)}
    layers: list[LayerTuple] = []
    for name, label in NAMES.items():
        data = getattr(field, name)
        if data is None or (name == "score" and not score):
            continue
        made_by = metadata(field, name)
        if name in ("x", "y") and field.quality is not None:
            made_by["shiftfield"]["not_valid"] = not_valid(field, data)
            data = np.where(field.valid, data, np.float32(np.nan))
        about = {"name": label, "metadata": made_by, "visible": name not in _HIDDEN}
        layers.append((data, {**about, **look(name, data), **coarse}, "image"))
    if field.quality is not None:
        about = {"name": QUALITY_NAME, "metadata": metadata(field, "quality")}
        layers.append((field.quality, {**about, **quality_look(field.quality), **coarse}, "labels"))
    return [*bottom_up(layers), _vectors(field, spacing, length, placement)]


def bottom_up(images: Iterable[LayerTuple]) -> list[LayerTuple]:
    """Return image and label tuples in the order in which they are added: x on top, then y, then the rest."""
    return sorted(
        images, key=lambda layer: -_TOP_DOWN.index(layer[1]["metadata"]["shiftfield"]["quantity"])
    )


def not_valid(
    field: FieldArrays, data: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return where (flat indices) and what a shift is that was found but is not valid."""
    at = np.flatnonzero(~field.valid & np.isfinite(data))
    return at, data.ravel()[at]


class Made(Protocol):
    """What the layers of one field or of a whole scan say of how they were made."""

    @property
    def version(self) -> str:
        """Version of shiftfield."""
        ...

    @property
    def frames(self) -> int:
        """Number of frames that were compared."""
        ...

    @property
    def settings(self) -> Settings:
        """What was asked for."""
        ...

    @property
    def image_shape(self) -> tuple[int, int]:
        """(H, W) of the sample, px."""
        ...


def metadata(field: FieldArrays, quantity: str) -> dict[str, Any]:
    """Return what a layer's metadata says about how it was made; enough to save the field again."""
    return {"shiftfield": made(field, quantity) | {"seconds": field.seconds}}


def made(result: Made, quantity: str) -> dict[str, Any]:
    """Return how the numbers of a quantity were made, as plain values."""
    return {
        "quantity": quantity,
        "unit": "px" if quantity in IN_PX else "",
        "version": result.version,
        "frames": result.frames,
        "settings": result.settings.as_dict(),
        "image_shape": result.image_shape,
    }


def look(quantity: str, data: NDArray[np.float32]) -> dict[str, Any]:
    """Return the colormap and the contrast limits that suit `data`; NaN counts for nothing."""
    return _shift_look(data) if quantity in ("x", "y") else _value_look(data)


def _shift_look(data: NDArray[np.float32]) -> dict[str, Any]:
    limit = robust_limit(data)
    return {"colormap": SHIFT_COLORMAP, "contrast_limits": (-limit, limit)}


def robust_limit(data: NDArray[np.float32]) -> float:
    """Return a symmetric colour limit: the 99.5th percentile of |data|, never 0.

    Where that is far above the 95th, the rest is taken for mismatches: in a noisy field they read
    anything up to the margin, and colours that reach so far show the motion as one pale tone.
    """
    known = np.abs(data[np.isfinite(data)])
    if known.size == 0:
        return 1.0
    most, all_but_few = (float(limit) for limit in np.percentile(known, (95, 99.5)))
    return max(all_but_few if all_but_few <= 2.5 * most else 1.25 * most, 1e-3)


def _value_look(data: NDArray[np.float32]) -> dict[str, Any]:
    return {"colormap": "gray", "contrast_limits": value_limits(data)}


def value_limits(data: NDArray[np.float32]) -> tuple[float, float]:
    """Return the limits of grey: the 0.5th and the 99.5th percentile, never the same."""
    known = data[np.isfinite(data)]
    low, high = np.percentile(known, (0.5, 99.5)) if known.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))


def drawable(spacing: int, shape: tuple[int, ...]) -> int:
    """Return `spacing`, or the least one (px) that napari draws without a long pause for an image of `shape`."""
    return max(spacing, math.ceil(math.sqrt(shape[0] * shape[1] / MOST_VECTORS)))


def vectors(field: FieldArrays, spacing: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return vectors `(N, 2, 2)` of (start, motion) in (row, column) px, and their (x, y) shifts `(N, 2)`.

    Motion is from the reference to the sample. Only valid pixels about `spacing` px apart are taken.
    """
    step = field.settings.step
    stride = max(1, round(spacing / step))
    first = stride // 2
    grid = np.zeros(field.shape, dtype=bool)
    grid[first::stride, first::stride] = True
    rows, columns = np.nonzero(grid & field.valid)
    shift = np.stack([field.x[rows, columns], field.y[rows, columns]], axis=1)
    motion = -shift[:, ::-1]
    end = np.stack([rows, columns], axis=1).astype(np.float32) * step
    return np.stack([end - motion, motion], axis=1), shift


def _vectors(
    field: FieldArrays, spacing: int, length: float, placement: dict[str, Any]
) -> LayerTuple:
    data, shift = vectors(field, spacing)
    size = np.hypot(shift[:, 0], shift[:, 1])
    arguments: dict[str, Any] = {
        "name": "motion, reference to sample",
        "metadata": metadata(field, "vectors"),
        "length": length,
        "edge_width": max(spacing / 10, 0.5),
        "vector_style": "arrow",
        "opacity": 1.0,
        "features": {"length_px": size, "x_shift_px": shift[:, 0], "y_shift_px": shift[:, 1]},
        **placement,
    }
    if len(data):
        arguments |= {
            "edge_color": "length_px",
            "edge_colormap": "viridis",
            "edge_contrast_limits": (0.0, robust_limit(size)),
        }
    return data, arguments, "vectors"
