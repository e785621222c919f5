"""The scores as the papers write them, window by window, in NumPy: the specification of every method.

Each takes sample windows S and reference windows R `(..., K, wy, wx)` and a weighted mean over them;
the compiled twin, rearranged for float32, is `engine.kernels.scores`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Mean = Callable[[Float], Float]


@dataclass(frozen=True, slots=True)
class Scored:
    """What one shift gives for every window: score, its lowest possible value, T and V where known."""

    score: Float
    lowest: Float
    transmission: Float
    dark_field: Float


def pearson(s: Float, r: Float, mean: Mean, _level: float) -> Scored:
    """Pearson coefficient of the windows; T and V are unknown."""
    ds, dr = _deviation(s, mean), _deviation(r, mean)
    score = mean(ds * dr) / np.sqrt(mean(ds * ds)) / np.sqrt(mean(dr * dr))
    unknown = np.full(score.shape, np.nan)
    return Scored(score, np.full(score.shape, -1.0), unknown, unknown)


def umpa(s: Float, r: Float, mean: Mean, _level: float) -> Scored:
    """Least squares of S = T R: T = <S R> / <R^2>, cost D = <(S - T R)^2>.

    Zdora et al., PRL 118, 203903 (2017). The score is 1 - D / var(S).
    """
    t = mean(s * r) / mean(r * r)
    cost = mean((s - _over(t) * r) ** 2)
    spread = mean(_deviation(s, mean) ** 2)
    unknown = np.full(t.shape, np.nan)
    return Scored(1 - cost / spread, 1 - mean(s * s) / spread, t, unknown)


def umpa_dark(s: Float, r: Float, mean: Mean, level: float) -> Scored:
    """Least squares of S = T (level + V (R - level)) = b level + k R: T = b + k, V = k / T.

    `level` is the mean of all reference pixels; D = <(S - b level - k R)^2>, the score 1 - D / var(S).
    Zdora et al., PRL 118, 203903 (2017).
    """
    ds, dr = _deviation(s, mean), _deviation(r, mean)
    k = mean(ds * dr) / mean(dr * dr)
    b = (mean(s) - k * mean(r)) / level
    cost = mean((ds - _over(k) * dr) ** 2)
    t = b + k
    return Scored(1 - cost / mean(ds * ds), np.zeros(t.shape), t, k / t)


METHODS: dict[str, Callable[[Float, Float, Mean, float], Scored]] = {
    "pearson": pearson,
    "umpa": umpa,
    "umpa_dark": umpa_dark,
}


def _deviation(windows: Float, mean: Mean) -> Float:
    return windows - _over(mean(windows))


def _over(values: Float) -> Float:
    """Return one value a window, shaped to broadcast over the window."""
    return values[..., None, None, None]
