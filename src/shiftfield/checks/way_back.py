"""Forward and backward: the search from reference to sample must lead back to where a shift began.

Only the comparison and the start of the way back live here; the search is that of `dense`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shiftfield.stream.pieces import Starts, starts_of

Image = NDArray[np.float32]


@np.errstate(invalid="ignore")  # pixels without an answer
def distance(x: Image, y: Image, back_x: Image, back_y: Image, step: int) -> Image:
    """Return how far from a pixel the way there and back ends, px; NaN where there is no way back to look at.

    The way back is linear between the pixels that were searched.
    """
    from scipy.ndimage import map_coordinates

    rows, columns = np.indices(x.shape, dtype=np.float32)
    known = np.isfinite(x) & np.isfinite(y)
    places = [np.where(known, n + shift / step, 0) for n, shift in ((rows, y), (columns, x))]
    there = [
        map_coordinates(back, places, order=1, mode="constant", cval=np.nan)
        for back in (back_x, back_y)
    ]
    found: Image = np.hypot(there[0] + x, there[1] + y).astype(np.float32)
    return np.where(known, found, np.float32(np.nan))


def backward_starts(starts: Starts) -> Starts:
    """Return where the searches from reference to sample begin: the way back from where those of a search do."""
    height, width = starts.y.shape
    if np.ptp(starts.y) == 0 and np.ptp(starts.x) == 0:
        return Starts(-starts.y, -starts.x)
    rows, columns = np.indices((height, width))
    to_rows = np.clip(rows + starts.y, 0, height - 1)
    to_columns = np.clip(columns + starts.x, 0, width - 1)
    x, y = (np.full((height, width), np.nan) for _ in range(2))
    x[to_rows, to_columns], y[to_rows, to_columns] = -starts.x, -starts.y
    return starts_of((x, y), (height, width))
