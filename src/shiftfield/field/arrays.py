"""The arrays of one search and the settings that made them: what a `ShiftField` holds, and all it is saved by.

What it can do for people (summary, file, picture, layers) is added by `shift_field`.
"""

from __future__ import annotations

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

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the arrays."""
        return self.x.shape[0], self.x.shape[1]

    def quantities(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that are present, by name, `valid` included."""
        return {name: getattr(self, name) for name in KINDS if getattr(self, name) is not None}
