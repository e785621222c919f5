"""Derivatives of an image, sharper or smoother: which loses least to the image's own noise, and each of them.

A refinement is right with any of them; a template whose gradient is mostly noise only wanders more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
PASSES = (0, 1, 2, 4, 8)  # of smoothing by [1, 2, 1] / 4 along both axes
_FIVE = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12


def derivative(pixels: Float, axis: int, passes: int) -> Float:
    """Return the derivative of frames `(K, h, w)` along an axis, after some passes of smoothing."""
    from scipy.ndimage import correlate1d

    along, across = _kernels(passes)
    found: Float = correlate1d(pixels, along, axis=axis, mode="mirror")
    if passes:
        found = correlate1d(found, across, axis=3 - axis, mode="mirror")
    return found


@cache
def noise_of_slope(passes: int) -> float:
    """Return the variance of the derivative at a pixel of white noise of variance 1."""
    along, across = _kernels(passes)
    return float(np.sum(np.square(along)) * np.sum(np.square(across)))


@dataclass(frozen=True, slots=True)
class Tried:
    """What a smoothing does to windows of one part: how far they wander, px, and two sums over the part.

    `told` is that of g t, `own` that of g g' without noise, g' being the gradient of the reference: told / own is
    what the slope of a smoothed image is too flat by.
    """

    wander: float
    told: float
    own: float


def tried(
    sample: Float, matched: Float, slopes: tuple[Float, Float], here: tuple[slice, slice], window: int
) -> list[Tried]:  # fmt: skip
    """Return what each smoothing does to the windows of a part.

    A refinement stops where sum(g e) = 0, with g the sample's gradient and e the difference of the windows. Near
    there its step is sum(g e) / sum(g t), t being the gradient of the reference, whose noise is another. What is
    left of a true motion is the same for all g.

    Parameters
    ----------
    sample : ndarray, (K, h, w)
        Part of the sample, pixels around `here` included.
    matched, slopes : ndarray, (K, h', w')
        The reference where it matches the pixels `here`, and its derivatives along y and x there.
    window : int
        Side of the windows, px.
    """
    from scipy.ndimage import uniform_filter

    def summed(products: Float) -> Float:
        inner = window // 2
        sums: Float = uniform_filter(products.sum(axis=0), window)
        return sums[inner : sums.shape[0] - inner, inner : sums.shape[1] - inner]

    seen = sample[:, *here]
    ratio, offset = (float(number) for number in np.polyfit(matched.ravel(), seen.ravel(), 1))
    left = seen - offset - ratio * matched
    found = []
    for passes in PASSES:
        steps: list[float] = []
        told = own = 0.0
        for axis, true in zip((1, 2), slopes, strict=True):
            g = derivative(sample, axis, passes)[:, *here]
            t = ratio * true
            with np.errstate(all="ignore"):
                step = summed(g * left) / summed(g * t)
            step = step[np.isfinite(step)]
            steps.append(float(np.mean(np.abs(step - np.median(step)))) if step.size else np.inf)
            told += float(np.sum(g * t))
            own += ratio * float(np.sum(g * derivative(matched, axis, passes)))
        found.append(Tried(math.hypot(*steps), told, own))
    return found


@cache
def _kernels(passes: int) -> tuple[Float, Float]:
    """Return the kernels along the derivative's axis and across it."""
    smooth = np.ones(1)
    for _ in range(passes):
        smooth = np.convolve(smooth, np.array([0.25, 0.5, 0.25]))
    return np.convolve(_FIVE, smooth), smooth
