"""The scores as the papers write them, window by window, in NumPy: the specification of every method.

Each takes sample windows S and reference windows R `(..., K, wy, wx)` and a weighted mean over them;
its `Form` is the same, rearranged for float32, for loops that try many shifts. A new score is one function and
one row of `METHODS`: settings, checks, loops and files read them there.
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


@dataclass(frozen=True, slots=True)
class Form:
    """A score by the covariance c of both windows, and by means m and variances v of each alone.

        factor(v_S) * (square(R) c^2 + linear(R) linear(S) c - constant(R) constant(S))

    Attributes
    ----------
    reference : callable
        Of (m_R, v_R): square, linear and constant; None is a term that is not there.
    factor : callable
        Of v_S. It moves no peak, so that the loops leave it out.
    lowest : callable
        Of (constant(S), factor): the score of a reference window without texture.
    sample : callable or None
        Of m_S: linear and constant; None where both are 1.
    """

    reference: Callable[[Float, Float], tuple[Float | None, Float | None, Float | None]]
    factor: Callable[[Float], Float]
    lowest: Callable[[Float, Float], Float]
    sample: Callable[[Float], tuple[Float, Float]] | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One score: as the papers write it, as the loops compute it, and what it gives besides the shift.

    Attributes
    ----------
    windows : callable
        The specification, of (S, R, mean, level).
    form : Form
        What the loops try.
    fits : int
        Numbers that the model fits to each window at each shift. No window of so few pixels tells a shift.
    gives : tuple of str
        Quantities of the model besides shift and score.
    squared : bool
        Whether the score is the part of the variance that is explained: the square of a coefficient.
    refined : bool
        Whether refinement, uncertainty and weights of pixels, which have loops of their own, know it.
    """

    windows: Callable[[Float, Float, Mean, float], Scored]
    form: Form
    fits: int
    gives: tuple[str, ...] = ()
    squared: bool = True
    refined: bool = False

    @property
    def known(self) -> int:
        """How many of (x, y, score, T, V) it gives."""
        return 3 + len(self.gives)


def _umpa_of_reference(m: Float, v: Float) -> tuple[Float, Float, Float]:
    g = 1 / (v + m * m)
    return g, m * g, v * g


METHODS: dict[str, Method] = {
    # c / sqrt(v_R v_S)
    "pearson": Method(
        pearson,
        Form(
            reference=lambda _, v: (None, 1 / np.sqrt(v), None),
            factor=lambda v: 1 / np.sqrt(v),
            lowest=lambda _, factor: np.full(factor.shape, -1.0),
        ),
        fits=2,
        squared=False,
        refined=True,
    ),
    # (c (c g + 2 m_S m_R g) - m_S^2 v_R g) / v_S with g = 1 / (v_R + m_R^2)
    "umpa": Method(
        umpa,
        Form(
            reference=_umpa_of_reference,
            factor=lambda v: 1 / v,
            lowest=lambda constant, factor: -factor * constant,
            sample=lambda m: (2 * m, m * m),
        ),
        fits=1,
        gives=("transmission",),
        refined=True,
    ),
    # c^2 / (v_R v_S)
    "umpa_dark": Method(
        umpa_dark,
        Form(
            reference=lambda _, v: (1 / v, None, None),
            factor=lambda v: 1 / v,
            lowest=lambda _, factor: np.zeros(factor.shape),
        ),
        fits=2,
        gives=("transmission", "dark_field"),
        refined=True,
    ),
}


def _deviation(windows: Float, mean: Mean) -> Float:
    return windows - _over(mean(windows))


def _over(values: Float) -> Float:
    """Return one value a window, shaped to broadcast over the window."""
    return values[..., None, None, None]
