"""The surface that a peak fit lays through the scores around one peak, as coefficients that can be drawn.

Where the peak is, is found in `locate`; the fits themselves are those of `fits`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiftfield.peaks.fits import line_fit, surface_fit
from shiftfield.peaks.locate import first_of_window, refinable

Float = NDArray[np.float64]
Three = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class PeakFit:
    """What was fitted to the scores around the best whole-pixel shift; x, y in px from that shift.

    Attributes
    ----------
    surface : tuple of six floats or None
        a0..a5 of a0 + a1 x + a2 y + a3 x^2 + a4 x y + a5 y^2; None where each axis was fitted on its own.
    along_x, along_y : tuple of three floats or None
        a0, a1, a2 of a0 + a1 t + a2 t^2 on the row and the column through the best shift: cuts through the
        surface, or fits of their own; None along an axis that is not refined.
    """

    surface: Six | None
    along_x: Three | None
    along_y: Three | None

    @property
    def vertex(self) -> tuple[float, float]:
        """Where the surface, or each parabola, is flat: (x, y) px from the best shift; NaN where nowhere."""
        if self.surface is not None:
            _, a1, a2, a3, a4, a5 = self.surface
            n = a4 * a4 - 4 * a3 * a5
            if n == 0:
                return np.nan, np.nan
            return (2 * a1 * a5 - a2 * a4) / n, (2 * a2 * a3 - a1 * a4) / n
        return _top(self.along_x), _top(self.along_y)


def fit_at(scores: Float, row: int, column: int, method: str, size: int) -> PeakFit:
    """Return the fit that `locate_peak(method=method, dim=2, size=size)` makes at a peak of a map `(ny, nx)`.

    "diff": finite differences of 3 x 3 scores (Fisher & Welsch, arXiv:0712.4289); "poly_fit": a least-squares
    paraboloid (Pan et al., Meas. Sci. Technol. 17, 1615, 2006).
    """
    ny, nx = scores.shape
    at = np.array([row]), np.array([column])
    inner_x, inner_y = (bool(one[0]) for one in refinable(*at, (ny, nx), size))
    tall, wide = min(size, ny), min(size, nx)
    top, left = (
        int(first_of_window(where, *room)[0])
        for where, room in zip(at, ((ny, tall), (nx, wide)), strict=True)
    )
    around = scores[top : top + tall, left : left + wide]
    y, x = row - top, column - left
    line = _three if method == "diff" else _parabola
    if inner_x and inner_y:
        surface = _nine(around) if method == "diff" else _paraboloid(around, y, x)
        if surface is not None:
            a0, a1, a2, a3, _, a5 = surface
            return PeakFit(surface, (a0, a1, a3), (a0, a2, a5))
    along_x = line(around[y], x) if inner_x else None
    along_y = line(around[:, x], y) if inner_y else None
    return PeakFit(None, along_x, along_y)


def _nine(scores: Float) -> Six | None:
    """Return the quadric through 3 x 3 scores; None where it has no maximum."""
    (ul, up, ur), (left, centre, right), (dl, down, dr) = (map(float, row) for row in scores)
    fxx, fyy, fxy = right + left - 2 * centre, down + up - 2 * centre, (dr + ul - dl - ur) / 4
    if not (fxx < 0 and fxy * fxy - fxx * fyy < 0):
        return None
    return centre, (right - left) / 2, (down - up) / 2, fxx / 2, fxy, fyy / 2


def _paraboloid(scores: Float, y: int, x: int) -> Six:
    a0, a1, a2, a3, a4, a5 = (float(a) for a in surface_fit(len(scores)) @ scores.ravel())
    centre = a0 + a1 * x + a2 * y + a3 * x * x + a4 * x * y + a5 * y * y
    return centre, a1 + 2 * a3 * x + a4 * y, a2 + a4 * x + 2 * a5 * y, a3, a4, a5


def _three(scores: Float, _at: int) -> Three | None:
    before, at, after = (float(score) for score in scores)
    curvature = after + before - 2 * at
    return (at, (after - before) / 2, curvature / 2) if curvature < 0 else None


def _parabola(scores: Float, at: int) -> Three:
    a0, a1, a2 = (float(a) for a in line_fit(len(scores)) @ scores)
    return a0 + a1 * at + a2 * at * at, a1 + 2 * a2 * at, a2


def _top(line: Three | None) -> float:
    return np.nan if line is None or line[2] == 0 else -line[1] / (2 * line[2])
