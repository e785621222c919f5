"""Images that the compiled scores read, made of windowed moments; a method's formula decides which.

The formulas are those of `engine.kernels.scores`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Real
from shiftfield.engine.kernels.lanes import aligned
from shiftfield.engine.kernels.scores import PEARSON, UMPA

Float = NDArray[np.float64]
_REFERENCE, _SAMPLE = 4, 3  # images of the most demanding method


@np.errstate(all="ignore")  # windows without texture, which are NaN in the end
def reference_images(
    method: int, moments: Float, level: float, none: NDArray[np.uint8], kind: type[np.floating]
) -> Real:
    """Return (4, n): the mean, and what the method needs of the reference alone; NaN where `none`.

    Means are relative to the tile's level; `level` brings it back for UMPA, which is not blind to it.
    """
    mean, variance = moments
    out = aligned((_REFERENCE, mean.size), kind)
    out[0], out[1] = mean, variance
    if method != UMPA:
        np.reciprocal(np.sqrt(out[1]) if method == PEARSON else out[1], out=out[1])
    else:
        m = mean + level
        g = 1 / (variance + m * m)
        out[1], out[2], out[3] = g, m * g, variance * g
    if none.any():
        out[1, none != 0] = np.nan
    return out


def sample_images(method: int, moments: Float, level: float, kind: type[np.floating]) -> Real:
    """Return (3, n): the mean, and for UMPA twice the mean and its square with the level added."""
    mean = moments[0]
    out = aligned((_SAMPLE, mean.size), kind)
    out[0] = mean
    if method == UMPA:
        m = mean + level
        out[1], out[2] = 2 * m, m * m
    return out


@np.errstate(all="ignore")  # windows without texture, which are NaN in the end
def sample_factor(method: int, variance: Float) -> Float:
    """Return the factor of the sample alone, which makes a score of what the loops compare."""
    factor: Float = 1 / np.sqrt(variance) if method == PEARSON else 1 / variance
    return factor


@np.errstate(all="ignore")  # windows without texture, which are NaN in the end
def lowest_score(method: int, sample: Real, factor: Float) -> Float:
    """Return the score of a reference window without texture: the lowest there is."""
    if method == UMPA:
        lowest: Float = -factor * sample[2]
        return lowest
    return np.full(factor.size, -1.0 if method == PEARSON else 0.0)


@np.errstate(all="ignore")  # a mean of zero makes no transmission
def transmission_and_dark_field(
    method: int, s: Float, m_r: Float, v_r: Float, m_s: Float, mean: float
) -> tuple[Float, Float]:
    """Return |T| and |V| from what the loops keep at the found shift, means and variance; V is 1 for "umpa".

    The mean of the products is T / g for "umpa", and its score leaves its square: s = T^2 / g - m_S^2. Nothing
    is kept of a constant reference window, whose covariance is 0.
    """
    if method == UMPA:
        s = np.where(np.isnan(s), 0.0, s)
        return np.sqrt((m_s * m_s + s) / (v_r + m_r * m_r)), np.ones(s.size)
    ratio = np.copysign(np.sqrt(np.abs(s) / v_r), s)
    transmission = (m_s - ratio * m_r) / mean + ratio
    return np.abs(transmission), np.abs(ratio / transmission)
