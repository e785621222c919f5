"""Where a map of scores peaks, to a fraction of a px: the formulas in NumPy, for any number of maps at once.

The specification that the compiled fits are tested against; it makes no maps itself.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shiftfield.arrays import as_array
from shiftfield.settings import PEAK_METHODS, check_integer, peak_size

Float = NDArray[np.float64]


def locate_peak(
    mat: ArrayLike,
    sub_pixel: bool = True,
    method: str = "diff",
    dim: int = 2,
    size: int = 3,
    max_peak: bool = True,
) -> tuple[float, float]:
    """Locate the peak of one map; px, (x, y) = (column, row) from the map's first pixel.

    Parameters
    ----------
    mat : array_like, shape (ny, nx)
        Map of scores; computed in float64. NaNs are ignored.
    sub_pixel : bool
        Whether to refine the whole-pixel peak.
    method : {"diff", "poly_fit"}
        Finite differences over 3x3 scores (Fisher & Welsch, arXiv:0712.4289), or a least-squares
        paraboloid (Pan et al., Meas. Sci. Technol. 17, 1615, 2006).
    dim : {2, 1}
        Fit both axes together, or the row and the column through the peak separately.
    size : int
        Side of the fitted neighbourhood for "poly_fit", px: made odd and 3 to 9; 3 for "diff".
    max_peak : bool
        Look for the highest score, or for the lowest (the highest of max(mat) - mat).

    Returns
    -------
    tuple of float
        (x, y) of the first peak in C order; (nan, nan) for a constant or all-NaN map. A peak on a
        border row is refined along the row only, on a border column along the column only, in a
        corner not at all; neither is a peak whose neighbourhood of `size` does not fit into the map.

    Raises
    ------
    ValueError
        When the map is not 2-D or empty, or a name or `dim` is not one of those above.
    """
    scores = as_array(mat, "The map")
    if scores.dtype.kind not in "buif":
        raise ValueError(f"The map has dtype {scores.dtype}; it must hold real numbers.")
    if scores.ndim != 2 or scores.size == 0:
        raise ValueError(f"The map has shape {scores.shape}; it must be 2-D and not empty.")
    size = check_peak(method, dim, size)
    scores = scores.astype(np.float64)
    if not max_peak:
        finite = np.isfinite(scores)
        scores = np.max(scores, where=finite, initial=0 if not finite.any() else -np.inf) - scores
    x, y = locate_peaks(scores[None], method=method, dim=dim, size=size, sub_pixel=sub_pixel)
    return float(x[0]), float(y[0])


def check_peak(method: str, dim: int, size: int) -> int:
    """Return the side of the neighbourhood, or raise a ValueError that says what is allowed."""
    if method not in PEAK_METHODS:
        raise ValueError(f"method is {method!r}; allowed are 'diff' and 'poly_fit'.")
    if isinstance(dim, bool) or dim not in (1, 2):
        raise ValueError(f"dim is {dim!r}; allowed are 1 and 2.")
    return peak_size(method, check_integer("size", size, None))


@np.errstate(all="ignore")  # scores may be infinite; what comes of them is no refinement
def locate_peaks(
    maps: Float, *, method: str, dim: int, size: int, sub_pixel: bool = True
) -> tuple[Float, Float]:
    """Locate the maximum of each of N maps `(N, ny, nx)`; px, (x, y), two arrays of shape (N,)."""
    count, ny, nx = maps.shape
    flat = maps.reshape(count, -1)
    ranked = np.where(np.isnan(flat), -np.inf, flat)
    first = ranked.argmax(axis=1)
    rows, columns = np.divmod(first, nx)
    known = np.where(np.isnan(flat), np.inf, flat).min(axis=1)
    answered = ranked.max(axis=1) > known
    y, x = rows.astype(np.float64), columns.astype(np.float64)
    if sub_pixel:
        inner_x, inner_y = (columns > 0) & (columns < nx - 1), (rows > 0) & (rows < ny - 1)
        interior = inner_x & inner_y
        roomy = ~interior | (min(ny, nx) >= size)
        inner_x, inner_y = inner_x & roomy & (nx >= size), inner_y & roomy & (ny >= size)
        both = interior & (dim == 2)
        for n in np.flatnonzero(both & inner_x & inner_y):
            dx, dy = _fit_2d(maps[n], int(rows[n]), int(columns[n]), method, size)
            x[n], y[n] = x[n] + dx, y[n] + dy
        for n in np.flatnonzero(inner_x & ~both):
            x[n] += _fit_1d(maps[n, rows[n]], int(columns[n]), method, size)
        for n in np.flatnonzero(inner_y & ~both):
            y[n] += _fit_1d(maps[n, :, columns[n]], int(rows[n]), method, size)
    x[~answered] = np.nan
    y[~answered] = np.nan
    return x, y


def first_of_window(peak: int, length: int, size: int) -> int:
    """Return where a window of `size` around `peak` begins when it is moved to stay inside."""
    return min(max(peak - size // 2, 0), length - size)


@cache
def line_fit(size: int) -> Float:
    """Return the (3, size) matrix that turns scores into a0, a1, a2 of a0 + a1 t + a2 t^2."""
    t = np.arange(size, dtype=np.float64)
    return np.linalg.pinv(np.stack([t**0, t, t * t], axis=1))


@cache
def surface_fit(size: int) -> Float:
    """Return the (6, size^2) matrix to a0..a5 of a0 + a1 x + a2 y + a3 x^2 + a4 xy + a5 y^2."""
    y, x = (axis.ravel().astype(np.float64) for axis in np.mgrid[:size, :size])
    return np.linalg.pinv(np.stack([x**0, x, y, x * x, x * y, y * y], axis=1))


def _fit_1d(line: Float, peak: int, method: str, size: int) -> float:
    if method == "diff":
        return _difference_1d(line[peak - 1], line[peak], line[peak + 1])
    start = first_of_window(peak, line.size, size)
    a1, a2 = line_fit(size)[1:] @ line[start : start + size]
    vertex = -a1 / (2 * a2) if a2 != 0 else np.nan
    return float(start + vertex - peak) if 0 < vertex < size - 1 else 0.0


def _difference_1d(before: float, at: float, after: float) -> float:
    slope, curvature = (after - before) / 2, after + before - 2 * at
    shift = -slope / curvature if curvature < 0 else 0.0
    return float(shift) if abs(shift) < 1 else 0.0


def _fit_2d(scores: Float, row: int, column: int, method: str, size: int) -> tuple[float, float]:
    if method == "diff":
        return _difference_2d(scores[row - 1 : row + 2, column - 1 : column + 2])
    top = first_of_window(row, scores.shape[0], size)
    left = first_of_window(column, scores.shape[1], size)
    window = scores[top : top + size, left : left + size]
    _, a1, a2, a3, a4, a5 = surface_fit(size) @ window.ravel()
    n = a4 * a4 - 4 * a3 * a5
    if not np.isfinite(n) or n == 0:
        return 0.0, 0.0
    x, y = (2 * a1 * a5 - a2 * a4) / n, (2 * a2 * a3 - a1 * a4) / n
    return (
        float(left + x - column) if 0 < x < size - 1 else 0.0,
        float(top + y - row) if 0 < y < size - 1 else 0.0,
    )


def _difference_2d(window: Float) -> tuple[float, float]:
    (ul, up, ur), (left, centre, right), (dl, down, dr) = window
    fx, fy = (right - left) / 2, (down - up) / 2
    fxx, fyy = right + left - 2 * centre, down + up - 2 * centre
    fxy = (dr + ul - dl - ur) / 4
    n = fxy * fxy - fxx * fyy
    if not (fxx < 0 and n < 0):  # no maximum: each axis on its own
        return _difference_1d(left, centre, right), _difference_1d(up, centre, down)
    dx, dy = (fyy * fx - fxy * fy) / n, (fxx * fy - fxy * fx) / n
    return float(dx) if abs(dx) < 1 else 0.0, float(dy) if abs(dy) < 1 else 0.0
