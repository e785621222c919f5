"""The scores as the papers write them, on windowed means, in NumPy: the specification of every method.

Given arrays of windowed means over frames and window (weights sum to 1) of S^2, R^2, S R, S and R;
the compiled twin, rearranged for float32, is `engine.kernels.scores`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Means:
    """Windowed means of one shift: of S^2 (L1), R^2 (L3), S R (L5), S and R."""

    ss: Float
    rr: Float
    sr: Float
    s: Float
    r: Float


def variance(mean_square: Float, mean: Float) -> Float:
    """Return mean square minus squared mean, never negative."""
    return np.maximum(mean_square - mean * mean, 0.0)


def pearson(m: Means) -> Float:
    """Return the Pearson coefficient of the sample window and the shifted reference window."""
    return (m.sr - m.s * m.r) / np.sqrt(variance(m.ss, m.s) * variance(m.rr, m.r))


def umpa_cost(m: Means) -> tuple[Float, Float]:
    """Return cost D and transmission of S = T R: T = L5 / L3, D = L1 - L5^2 / L3.

    Zdora et al., PRL 118, 203903 (2017).
    """
    return m.ss - m.sr**2 / m.rr, m.sr / m.rr


def umpa_dark_cost(m: Means, mean: float) -> tuple[Float, Float, Float]:
    """Return cost D, transmission T and visibility ratio V of S = T (mean + V (R - mean)).

    `mean` is the mean of all reference pixels. Zdora et al., PRL 118, 203903 (2017).
    """
    l1, l2, l3, l4, l5, l6 = m.ss, mean * mean, m.rr, mean * m.s, m.sr, mean * m.r
    den = l2 * l3 - l6 * l6
    k = (l2 * l5 - l4 * l6) / den
    b = (l3 * l4 - l5 * l6) / den
    t = b + k
    cost = l1 + b * b * l2 + k * k * l3 - 2 * b * l4 - 2 * k * l5 + 2 * b * k * l6
    return cost, t, k / t


def explained(cost: Float, m: Means) -> Float:
    """Return 1 - D / (variance of the sample window): 1 is a perfect match."""
    return 1 - cost / variance(m.ss, m.s)


def lowest(method: str, m: Means) -> Float:
    """Return the lowest score a shift can have: that of a reference window without texture."""
    if method == "pearson":
        return np.full(m.s.shape, -1.0)
    if method == "umpa":
        return explained(m.ss, m)
    return np.zeros(m.s.shape)
