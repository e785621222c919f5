"""Quintic splines of whole tiles: coefficients, and what interpolation does to noise.

Windows between pixels are read by `engine.kernels.spline`; SciPy does the filtering.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import SPLINE, Real

Float = NDArray[np.float64]
ORDER = 5
_FRACTIONS = 64


def coefficients(pixels: Float, axes: tuple[int, ...] = (1, 2)) -> Float:
    """Return the coefficients of frames `(K, h, w)` along some axes, mirrored at their edges."""
    from scipy.ndimage import spline_filter1d

    for axis in axes:
        pixels = spline_filter1d(pixels, ORDER, axis=axis, mode="mirror")
    return pixels


def without_gaps(pixels: Real) -> Float:
    """Return frames in float64 in which what is not finite is the nearest pixel that is finite.

    Splines reach far: one NaN would spoil a whole line.
    """
    found = pixels.astype(np.float64)
    gaps = np.logical_not(np.isfinite(found))
    for frame, gap in zip(found, gaps, strict=True):
        if gap.all():
            frame[:] = 0
        elif gap.any():
            from scipy.ndimage import distance_transform_edt

            nearest = distance_transform_edt(gap, return_distances=False, return_indices=True)
            frame[gap] = frame[tuple(nearest)][gap]
    return found


@cache
def noise_kept() -> Float:
    """Return which part of white noise is left (of its variance) at fractions 0, 1/64 .. 1 of a px."""
    across = np.arange(_FRACTIONS + 1) / _FRACTIONS
    taps = np.arange(-2, 4)
    c = _impulse()
    middle = c.size // 2
    found = []
    for fraction in across:
        weights = _spline(fraction - taps)
        response = sum(
            w * c[middle - 30 - t : middle + 31 - t] for w, t in zip(weights, taps, strict=True)
        )
        found.append(float(np.sum(np.square(response))))
    return np.array(found)


@cache
def _impulse() -> Float:
    impulse = np.zeros((1, 1, 4 * SPLINE + 1))
    impulse[0, 0, 2 * SPLINE] = 1
    found: Float = coefficients(impulse, (2,))[0, 0]
    return found


def _spline(x: Float) -> Float:
    """Return the quintic B-spline at x, px."""
    d = np.abs(x)
    near = 11 / 20 - d**2 / 2 + d**4 / 4 - d**5 / 12
    middle = 17 / 40 + 5 / 8 * d - 7 / 4 * d**2 + 5 / 4 * d**3 - 3 / 8 * d**4 + d**5 / 24
    far = np.clip(3 - d, 0, None) ** 5 / 120
    return np.where(d < 1, near, np.where(d < 2, middle, far))
