"""The arrays of one search and the settings that made them: what a `ShiftField` holds, and all it is saved by.

What it can do for people (summary, file, picture, layers) is added by `shift_field`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield._version import __version__
from shiftfield.settings import DEFAULT, Settings

KINDS: dict[str, type[Any]] = {  # of the arrays
    "x": np.float32, "y": np.float32, "valid": np.bool_, "score": np.float32, "transmission": np.float32,
    "dark_field": np.float32, "uncertainty_x": np.float32, "uncertainty_y": np.float32,
    "second_peak": np.float32, "quality": np.uint16,
}  # fmt: skip
# of those that have one
UNITS = {"x": "px", "y": "px", "uncertainty_x": "px", "uncertainty_y": "px"}


ALWAYS = ("x", "y", "valid", "score")
# kinds of dtypes that may be held, and how they are called; real numbers where nothing is said
_ALLOWED = {"valid": ("b", "True and False"), "quality": ("iu", "whole numbers")}


@dataclass(frozen=True, slots=True, eq=False)
class FieldArrays:
    """Arrays of one shape, and what made them; each is described at `ShiftField`."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    valid: NDArray[np.bool_]
    score: NDArray[np.float32]
    transmission: NDArray[np.float32] | None = None
    dark_field: NDArray[np.float32] | None = None
    uncertainty_x: NDArray[np.float32] | None = None
    uncertainty_y: NDArray[np.float32] | None = None
    second_peak: NDArray[np.float32] | None = None
    quality: NDArray[np.uint16] | None = None
    settings: Settings = DEFAULT
    image_shape: tuple[int, int] = (0, 0)
    frames: int = 1
    seconds: float = 0.0
    version: str = __version__

    def __post_init__(self) -> None:
        shapes = {}
        for name in KINDS:
            data: Any = getattr(self, name)
            if data is None and name not in ALWAYS:
                continue
            if not (hasattr(data, "shape") and hasattr(data, "dtype")):
                raise ValueError(f"{name} is a {type(data).__name__}; it must be an array.")
            kinds, words = _ALLOWED.get(name, ("iuf", "real numbers"))
            if np.dtype(data.dtype).kind not in kinds:
                raise ValueError(f"{name} has dtype {data.dtype}; it must hold {words}.")
            shapes[name] = tuple(data.shape)
        check_shapes(shapes, self.image_shape, self.settings.step)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the arrays."""
        return self.x.shape[0], self.x.shape[1]

    def quantities(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that are present, by name, `valid` included."""
        return {name: getattr(self, name) for name in KINDS if getattr(self, name) is not None}


def check_shapes(
    shapes: Mapping[str, tuple[int, ...]], image_shape: tuple[int, int], step: int
) -> None:
    """Raise a ValueError unless arrays have one shape, that of every step-th pixel of the image if it is known.

    An image of (0, 0) px is not known, nor are sizes of NaN, of dask's arrays.
    """
    for name, shape in shapes.items():
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"{name} has shape {shape}; it must be 2-D and not empty.")
        if not _alike(shape, shapes["x"]):
            raise ValueError(
                f"{name} has shape {shape} and x {shapes['x']}; they must be the same."
            )
    height, width = image_shape
    made = -(-height // step), -(-width // step)
    if (height, width) != (0, 0) and not _alike(shapes["x"], made):
        raise ValueError(
            f"The arrays have shape {shapes['x']}; an image of {height} x {width} px with step {step} px makes "
            f"{made}."
        )


def _alike(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(n == m or np.isnan(n) or np.isnan(m) for n, m in zip(one, other, strict=True))
