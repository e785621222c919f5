"""The arrays of one search and the settings that made them: what a `ShiftField` holds, and all it is saved by.

What it can do for people (summary, file, picture, layers) is added by `shift_field`.
"""

from __future__ import annotations

import numbers
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
        _check_alike(shapes)
        if not isinstance(self.settings, Settings):
            raise ValueError(
                f"settings is a {type(self.settings).__name__}; it must be a Settings."
            )
        size: Any = self.image_shape
        if not (
            isinstance(size, tuple | list) and len(size) == 2 and all(_counts(n) for n in size)
        ):
            raise ValueError(f"image_shape is {size!r}; it must be (rows, columns), px.")

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
    """Raise a ValueError unless arrays to be kept have one shape, that of every step-th pixel of the image.

    An image of (0, 0) px is not known, nor are sizes of NaN, of dask's arrays. In memory a field may also be a
    part of what an image makes, or of nothing at all.
    """
    _check_alike(shapes)
    if 0 in shapes["x"]:
        raise ValueError(f"x has shape {shapes['x']}; it must not be empty.")
    height, width = image_shape
    made = -(-height // step), -(-width // step)
    if (height, width) != (0, 0) and not _alike(shapes["x"], made):
        raise ValueError(
            f"The arrays have shape {shapes['x']}; an image of {height} x {width} px with step {step} px makes "
            f"{made}."
        )


def _check_alike(shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise a ValueError unless arrays are 2-D and have one shape."""
    for name, shape in shapes.items():
        if len(shape) != 2:
            raise ValueError(f"{name} has shape {shape}; it must be 2-D.")
        if not _alike(shape, shapes["x"]):
            raise ValueError(
                f"{name} has shape {shape} and x {shapes['x']}; they must be the same."
            )


def _counts(n: Any) -> bool:
    return isinstance(n, numbers.Integral) and int(n) >= 0


def _alike(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(n == m or np.isnan(n) or np.isnan(m) for n, m in zip(one, other, strict=True))
