"""Drift between reference and sample, frame by frame: found as one shift of the whole image, and taken out.

The drift of a frame is the motion of the camera or the diffuser since the references were taken. Frames
can only be compared together when each lies as in its reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from shiftfield.global_shift import find_global_shift_based_local_shifts
from shiftfield.inputs.frames import Frames
from shiftfield.sources.flat import Part, spooled

Float = NDArray[np.float64]
_WINDOW = 41  # px, of the points that a drift is found at


def drift_of(reference: Any, sample: Any, margin: int) -> Float:
    """Return the drift (x, y) of each frame `(K, 2)`, px, sample to reference.

    Raises
    ------
    ValueError
        When a frame is too small, or no point of it has an answer.
    """
    found = []
    window = min(_WINDOW, *(n - 2 * margin - 1 for n in sample.shape[1:]))
    for number in range(sample.shape[0]):
        ref, sam = (
            np.asarray(stack[number : number + 1])[0].astype(np.float64)
            for stack in (reference, sample)
        )
        try:
            found.append(find_global_shift_based_local_shifts(ref, sam, window, margin))
        except ValueError as error:
            raise ValueError(f"The drift of frame {number} cannot be found: {error}") from error
    drift: Float = np.asarray(found, np.float64)
    return drift


def aligned(reference: Frames, drift: Float, *, in_memory: bool) -> Frames:
    """Return the reference with each frame moved by its drift, float32; NaN where nothing is known of it.

    Cubic splines. In memory, or in a temporary file that goes with it.
    """
    if not in_memory:
        frames = (Part(n, 0, _moved(reference, n, way)[None]) for n, way in enumerate(drift))
        return Frames(spooled(reference.shape, np.dtype(np.float32), frames), "The reference")
    return Frames(
        np.stack([_moved(reference, n, way) for n, way in enumerate(drift)]), "The reference"
    )


def _moved(reference: Frames, number: int, drift: Float) -> NDArray[np.float32]:
    reference.look()
    pixels = reference.data[number : number + 1] if reference.ndim == 3 else reference.data
    image = np.asarray(pixels).reshape(reference.size).astype(np.float32)
    if not np.isfinite(image).all():
        raise ValueError(
            f"Frame {number} of the reference holds a NaN or inf; it cannot be moved by its drift."
        )
    moved: NDArray[np.float32] = ndimage.shift(
        image, -drift[::-1], order=3, mode="constant", cval=np.nan, prefilter=True
    )
    return moved
