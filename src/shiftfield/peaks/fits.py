"""Sub-pixel fits: from the scores around many peaks at once to the shifts of the peaks between pixels.

Where the peaks are is found elsewhere (`locate` for maps, the engine for searches).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.integer]


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


@np.errstate(all="ignore")  # scores may be infinite; what comes of them is no refinement
def refine(
    scores: Float, x: Integers, y: Integers, inner_x: Flags, inner_y: Flags, method: str
) -> tuple[Float, Float]:
    """Return (dx, dy), px, from each peak to the top of the surface fitted to the scores around it.

    Parameters
    ----------
    scores : ndarray, (ny, nx, N)
        Neighbourhoods of N peaks.
    x, y : ndarray, (N,)
        Where in its neighbourhood each peak is.
    inner_x, inner_y : ndarray of bool, (N,)
        Along which axes each peak may be refined: with one of them, along a line through the peak.
    method : {"diff", "poly_fit"}
        Centred differences of 3 x 3 scores, or a paraboloid fitted to all of them.
    """
    if len(scores) == 1:
        return np.where(inner_x, _line(scores[0], x, method), 0.0), np.zeros(x.size)
    if scores.shape[1] == 1:
        return np.zeros(x.size), np.where(inner_y, _line(scores[:, 0], y, method), 0.0)
    both = inner_x & inner_y
    if not both.any():
        dx, dy = np.zeros(x.size), np.zeros(x.size)
    else:
        dx, dy = _surface(scores, x, y, method)
        if both.all():
            return dx, dy
        dx[~both] = dy[~both] = 0.0
    some = np.flatnonzero(inner_x & ~both)
    if some.size:
        dx[some] = _line(scores[y[some], :, some].T, x[some], method)
    some = np.flatnonzero(inner_y & ~both)
    if some.size:
        dy[some] = _line(scores[:, x[some], some], y[some], method)
    return dx, dy


def _line(scores: Float, at: Integers, method: str) -> Float:
    """Refine along lines of scores (n, N); of three when their differences are taken."""
    if method == "diff":
        return _three(*scores)
    _, a1, a2 = line_fit(len(scores)) @ scores
    vertex = -a1 / (2 * a2)
    return _inside(vertex, len(scores), at)


def _surface(scores: Float, x: Integers, y: Integers, method: str) -> tuple[Float, Float]:
    if method == "diff":
        return _nine(scores)
    size = len(scores)
    _, a1, a2, a3, a4, a5 = surface_fit(size) @ scores.reshape(size * size, -1)
    n = a4 * a4 - 4 * a3 * a5
    n[n == 0] = np.nan
    return (
        _inside((2 * a1 * a5 - a2 * a4) / n, size, x),
        _inside((2 * a2 * a3 - a1 * a4) / n, size, y),
    )


def _inside(vertex: Float, size: int, at: Integers) -> Float:
    """Return the way from a peak to a vertex, 0 when that is not inside the neighbourhood (Pan)."""
    return np.where((vertex > 0) & (vertex < size - 1), vertex - at, 0.0)


def _three(before: Float, at: Float, after: Float) -> Float:
    """Shift of the peak of the parabola through three scores, 0 when it has none."""
    curvature = after + before - 2 * at
    return _less_than_1(np.where(curvature < 0, (before - after) / (2 * curvature), 0.0))


def _nine(scores: Float) -> tuple[Float, Float]:
    """Shift of the peak of the quadric through 3 x 3 scores (Fisher & Welsch)."""
    (ul, up, ur), (left, centre, right), (dl, down, dr) = scores
    fx, fy = (right - left) / 2, (down - up) / 2
    fxx, fyy = right + left - 2 * centre, down + up - 2 * centre
    fxy = (dr + ul - dl - ur) / 4
    n = fxy * fxy - fxx * fyy
    dx = _less_than_1((fyy * fx - fxy * fy) / n)
    dy = _less_than_1((fxx * fy - fxy * fx) / n)
    no_maximum = np.flatnonzero(~((fxx < 0) & (n < 0)))
    if no_maximum.size:  # each axis on its own
        before_x, before_y, at, after_y, after_x = (
            scores[no_maximum] for scores in (left, up, centre, down, right)
        )
        dx[no_maximum] = _three(before_x, at, after_x)
        dy[no_maximum] = _three(before_y, at, after_y)
    return dx, dy


def _less_than_1(shift: Float) -> Float:
    """Return 0 where a shift leaves its pixel or is no number."""
    return np.where(np.abs(shift) < 1, shift, 0.0)
