"""The normalised median test: how far a shift is from its neighbours', in units of how much those differ.

J. Westerweel, F. Scarano, Exp. Fluids 39, 1096 (2005). Neighbours are half a window away: nearer ones see the
same pixels and are wrong together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
_ROWS = 128  # that are looked at together
_LEAST = 3  # neighbours that a pixel must have to be tested


def median_residual(
    x: Image, y: Image, apart: int, tolerance: float, look: Callable[[], None]
) -> Image:
    """Return the normalised residual of each pixel, 0 where it cannot be tested, float32 `(h, w)`.

    |u - median(u_i)| / (median|u_i - median(u_i)| + tolerance) for x and y, of which the root of the sum of
    squares is taken; u_i are the eight neighbours `apart` rows and columns away, NaN left out.
    """
    out = np.zeros(x.shape, np.float32)
    height = x.shape[0]
    padded = [np.pad(shift, apart, constant_values=np.nan).astype(np.float32) for shift in (x, y)]
    for top in range(0, height, _ROWS):
        look()
        rows = min(_ROWS, height - top)
        total: Image = np.zeros((rows, x.shape[1]), np.float32)
        for shift in padded:
            total += _squared(shift[top : top + rows + 2 * apart], apart, tolerance)
        out[top : top + rows] = np.sqrt(total)
    return out


@np.errstate(invalid="ignore")  # pixels without an answer
def _squared(band: Image, apart: int, tolerance: float) -> Image:
    """Return squared residuals of one shift for the rows of a band that have neighbours above and below."""
    height, width = (n - 2 * apart for n in band.shape)
    places = [(i, j) for i in (0, apart, 2 * apart) for j in (0, apart, 2 * apart)]
    at = [band[i : i + height, j : j + width] for i, j in places]
    centre = at.pop(4)
    around = np.stack(at)
    middle, known = _median(around)
    spread, _ = _median(np.abs(around - middle))
    residual = np.abs(centre - middle) / (spread + tolerance)
    tested = (known >= _LEAST) & np.isfinite(residual)
    return np.where(tested, residual**2, 0).astype(np.float32)


def _median(values: Image) -> tuple[Image, NDArray[np.intp]]:
    """Return the medians along the first axis without NaN, and how many numbers each is of."""
    ranked = np.sort(values, axis=0)  # NaN last
    known = np.count_nonzero(~np.isnan(values), axis=0)
    low, high = (np.maximum(known - 1, 0) // 2, known // 2)
    high = np.minimum(high, np.maximum(known - 1, 0))
    found = [np.take_along_axis(ranked, index[None], axis=0)[0] for index in (low, high)]
    return ((found[0] + found[1]) / 2).astype(np.float32), known
