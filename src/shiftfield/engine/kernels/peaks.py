"""Sub-pixel fits of one small neighbourhood of scores, compiled.

The twin of `shiftfield.peaks`, which explains the formulas; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.options import kernel


@kernel
def difference_1d(before: float, at: float, after: float) -> float:
    """Shift of the peak of the parabola through three scores, 0 when it has none."""
    curvature = after + before - 2 * at
    if not curvature < 0:
        return 0.0
    shift = -(after - before) / 2 / curvature
    return shift if abs(shift) < 1 else 0.0


@kernel
def difference_2d(v: Any, y: int, x: int) -> tuple[float, float]:
    """(dy, dx) of the peak of the quadric through 3x3 scores (Fisher & Welsch)."""
    centre = v[y, x]
    fx, fy = (v[y, x + 1] - v[y, x - 1]) / 2, (v[y + 1, x] - v[y - 1, x]) / 2
    fxx = v[y, x + 1] + v[y, x - 1] - 2 * centre
    fyy = v[y + 1, x] + v[y - 1, x] - 2 * centre
    fxy = (v[y + 1, x + 1] + v[y - 1, x - 1] - v[y + 1, x - 1] - v[y - 1, x + 1]) / 4
    n = fxy * fxy - fxx * fyy
    if not (fxx < 0 and n < 0):
        return (
            difference_1d(v[y - 1, x], centre, v[y + 1, x]),
            difference_1d(v[y, x - 1], centre, v[y, x + 1]),
        )
    dx, dy = (fyy * fx - fxy * fy) / n, (fxx * fy - fxy * fx) / n
    return dy if abs(dy) < 1 else 0.0, dx if abs(dx) < 1 else 0.0


@kernel
def parabola(line: Any, fit: Any, peak: int) -> float:
    """Shift from `peak` to the vertex of the fitted parabola, 0 when it is not inside."""
    a1, a2 = 0.0, 0.0
    for i in range(line.size):
        a1 += fit[1, i] * line[i]
        a2 += fit[2, i] * line[i]
    if a2 == 0:
        return 0.0
    vertex = -a1 / (2 * a2)
    return vertex - peak if 0 < vertex < line.size - 1 else 0.0


@kernel
def paraboloid(v: Any, fit: Any, y: int, x: int) -> tuple[float, float]:
    """(dy, dx) from (y, x) to the vertex of the fitted paraboloid, per axis 0 when not inside (Pan)."""
    size = v.shape[0]
    a = np.zeros(6)
    for i in range(size):
        for j in range(size):
            for k in range(1, 6):
                a[k] += fit[k, i * size + j] * v[i, j]
    n = a[4] * a[4] - 4 * a[3] * a[5]
    if n == 0 or n != n:
        return 0.0, 0.0
    px = (2 * a[1] * a[5] - a[2] * a[4]) / n
    py = (2 * a[2] * a[3] - a[1] * a[4]) / n
    return (
        py - y if 0 < py < size - 1 else 0.0,
        px - x if 0 < px < size - 1 else 0.0,
    )


@kernel
def refine(
    v: Any, y: int, x: int, inner_y: bool, inner_x: bool, poly: bool, line_fit: Any, area_fit: Any
) -> tuple[float, float]:
    """(dy, dx) of the peak from (y, x) in the neighbourhood v; borders refine along themselves only."""
    if inner_y and inner_x:
        both: tuple[float, float] = (
            paraboloid(v, area_fit, y, x) if poly else difference_2d(v, y, x)
        )
        return both
    dy, dx = 0.0, 0.0
    if inner_y:
        dy = (
            parabola(v[:, x], line_fit, y)
            if poly
            else difference_1d(v[y - 1, x], v[y, x], v[y + 1, x])
        )
    if inner_x:
        dx = (
            parabola(v[y], line_fit, x)
            if poly
            else difference_1d(v[y, x - 1], v[y, x], v[y, x + 1])
        )
    return dy, dx
