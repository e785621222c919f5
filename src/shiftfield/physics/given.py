"""What the functions of physics are given: a field, its shifts, and images of its size; each checked once.

What is made of them is said in the other files.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays.on_device import is_on_device, to_host
from shiftfield.field import ShiftField
from shiftfield.inputs.frames import Frames

Float = NDArray[np.float64]


def field_on_host(field: Any) -> ShiftField:
    """Return a field with NumPy arrays; a TypeError when it is none, such as the pair of `find_local_shifts`."""
    if not isinstance(field, ShiftField):
        raise TypeError(
            f"field is a {type(field).__name__}; it must be a ShiftField, which find_shift_field returns and "
            "ShiftField.load reads from a file."
        )
    return field.on_host()


def shifts_of(field: ShiftField) -> tuple[Float, Float, NDArray[np.bool_]]:
    """Return x and y, px, as float64 with 0 where unknown, and where they are known, of a field on the host."""
    known = field.valid & np.isfinite(field.x) & np.isfinite(field.y)
    x, y = (np.where(known, one, 0).astype(np.float64) for one in (field.x, field.y))
    return x, y, known


def frames_of(images: Any, name: str, field: ShiftField) -> Frames:
    """Return images as frames in the host's memory; a ValueError unless the field can be theirs."""
    frames = Frames(to_host(images) if is_on_device(images) else images, name)
    step = field.settings.step
    if tuple(-(-n // step) for n in frames.size) != field.shape:
        raise ValueError(
            f"{name} is {frames.size[0]} x {frames.size[1]} px; the field has {field.shape[0]} x "
            f"{field.shape[1]} pixels of step {step} and must be of the same image."
        )
    return frames
